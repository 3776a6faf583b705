"""Every pattern of the wire holds for the whole of a text, and means the same where it is published."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from contract import DOCUMENT
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import KNOWN_WORDS, milliseconds
from ordre.application.accounts import ACCOUNT_ID
from ordre.settings import BadSetting, Settings

TYPES = list(dict.fromkeys(one for route in OPERATIONS for one in (route.body, route.answer, route.query) if one))
SAMPLES = {
    "currency": "NOK",
    "email": "kari@example.com",
    "phone_number": "+4799999999",
    "date_of_birth": "1990-09-20",
    "line_id": "1",
    "url": "https://shop.example/webhooks",
    "original_currency": "SEK",
}
"""The name of a field -> what matches its pattern; the others are instants or ids."""


def walked(type_: inspect.Type, path: str, above: tuple[type, ...] = ()) -> Iterator[tuple[str, inspect.Type]]:
    """Every type inside a type, by where it stands; of a type inside itself, the outer one."""
    yield path, type_
    match type_:
        case inspect.StructType(cls=cls, fields=fields) if cls not in above:
            for field in fields:
                yield from walked(field.type, f"{path}.{field.encode_name}", (*above, cls))
        case inspect.Metadata(type=inner) | inspect.ListType(item_type=inner):
            yield from walked(inner, path, above)
        case inspect.DictType(key_type=key, value_type=value):
            yield from walked(key, f"{path}.*", above)
            yield from walked(value, f"{path}.*", above)
        case inspect.UnionType(types=types):
            for one in types:
                yield from walked(one, path, above)
        case _:
            pass


WALKED = [found for type_ in TYPES for found in walked(inspect.type_info(type_), type_.__name__)]
FIELDS = [(path, one) for path, one in WALKED if isinstance(one, inspect.StrType) and one.pattern is not None]
PATTERNS = sorted({str(text.pattern) for _, text in FIELDS})


def accepts(text: inspect.StrType, value: str) -> bool:
    limits = msgspec.Meta(pattern=text.pattern, min_length=text.min_length, max_length=text.max_length)
    wanted: Any = Annotated[str, limits]
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=wanted)
    except msgspec.ValidationError:
        return False
    return True


def sample(path: str, pattern: str) -> str:
    name = path.rpartition(".")[2].removesuffix("_at")
    fitting = (SAMPLES.get(name, ""), "2026-01-31T10:00:00Z", "A-17")
    return next(one for one in fitting if one and re.search(pattern, one))


def test_the_walk_finds_what_is_nested_in_bodies_answers_and_queries() -> None:
    found = {path for path, _ in FIELDS}
    assert {
        "NewDraft.order.items.conversion_rate_timestamp",
        "NewOrder.customer.marketing_consent.sms.updated_at",
        "NewOrder.attachments.bus_reservation.itinerary.expires_at",
        "OrderAnswer.captures.processed_at",
        "OrderListOf.order_number",
        "TokenRequest.client_id",
    } <= found
    assert len(PATTERNS) > 5


def test_nothing_may_follow_or_go_before_what_matches() -> None:
    for path, text in FIELDS:
        good = sample(path, str(text.pattern))
        assert accepts(text, good), path
        for bad in (f"{good}\n", f"\n{good}", f"{good}\r\n", f"{good}\x00", f"{good}\n{good}"):
            assert not accepts(text, bad), (path, bad)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_written_in_what_python_and_ecma_read_alike(pattern: str) -> None:
    assert pattern.startswith("^")
    assert pattern.endswith(r"\Z")
    inside = pattern.removeprefix("^").removesuffix(r"\Z")
    assert not re.search(r"\\[dDwWsSbBAZ]|\(\?[^:!=]|\(\?<|\{,", inside), inside
    assert re.fullmatch(r"\(\?[:!=].*|[^|]*", inside, re.DOTALL), "a choice stands in brackets"


@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
def test_what_matches_does_so_without_a_newline_after_it(pattern: str, data: st.DataObject) -> None:
    good = data.draw(st.from_regex(pattern))
    assert re.fullmatch(pattern, good)
    assert not re.search(pattern, f"{good}\n")


def published_patterns(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from published_patterns(one)
    elif isinstance(value, dict):
        if isinstance(value.get("pattern"), str):
            yield value["pattern"]
        for one in value.values():
            yield from published_patterns(one)


def test_the_document_has_them_all_in_ecma_262() -> None:
    found = set(published_patterns(DOCUMENT))
    assert {pattern.removesuffix(r"\Z") + "$" for pattern in PATTERNS} <= found
    assert [pattern for pattern in found if not (pattern.startswith("^") and pattern.endswith("$")) or r"\Z" in pattern] == []


@pytest.mark.parametrize("digits", ["\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", "1234567\u00b2", "12345678\n"])
def test_digits_are_those_of_ascii_in_account_ids(digits: str) -> None:
    assert re.fullmatch(ACCOUNT_ID, "T12345678")
    assert not re.fullmatch(ACCOUNT_ID, f"T{digits}")


@pytest.mark.parametrize("text", ["2026-01-01T10:00:00Z\n", "2026-01-01", "\u0662026-01-01T10:00:00Z", "2026-02-28T10:00:00"])
def test_instants_of_queries_and_settings_are_whole(text: str) -> None:
    with pytest.raises(ValueError, match="date-time"):
        milliseconds(text)
    with pytest.raises(BadSetting, match="clock"):
        Settings(database="memory:", clock=text)


@pytest.mark.parametrize(
    "day", ["1900-02-29", "2026-02-29", "2026-04-31", "2026-02-30", "2026-00-10", "2026-13-01", "2026-01-00"]
)
def test_days_that_there_are_not(day: str) -> None:
    with pytest.raises(ValueError, match=f"^There is no day {day}$"):
        milliseconds(f"{day}T10:00:00Z")


@pytest.mark.parametrize("day", ["2000-02-29", "2024-02-29", "2400-02-29", "2026-02-28", "2026-04-30", "2026-12-31"])
def test_days_that_there_are(day: str) -> None:
    assert milliseconds(f"{day}T10:00:00Z") > 0


def test_a_walk_of_the_types_finds_the_words_that_are_known() -> None:
    found = {
        path: one.extra_json_schema[KNOWN_WORDS]
        for path, one in WALKED
        if isinstance(one, inspect.Metadata) and one.extra_json_schema and KNOWN_WORDS in one.extra_json_schema
    }
    assert found["NewOrder.customer.type"] == ["customer", "company", "contact", "employee", "other"]
    assert {path.rpartition(".")[2] for path in found} == {"type", "discount_type", "visibility"}

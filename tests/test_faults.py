"""Every fault of a body or a query is named, by its path and in words; and a fault is found exactly where the decoder refuses."""

import json
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from ordre.api.document.examples import EXAMPLES
from ordre.api.http.errors import MOST_FAULTS, Failure, failure_body, refusal_body
from ordre.api.http.faults import faults_of_parameters, read
from ordre.api.http.requests import Bodies, Queries
from ordre.api.http.shapes import Shape, fields_of
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import decoder
from ordre.api.wire.orders import NewOrder
from ordre.api.wire.queries import LISTS, NoBody
from ordre.domain.refusals import Refused

EVERY_FIELD = json.loads((files("ordre.conformance") / "every_field.json").read_text(encoding="utf-8"))
BODIES: dict[type[msgspec.Struct], list[Any]] = {}
for _route in OPERATIONS:
    if _route.body is not NoBody:
        BODIES.setdefault(_route.body, []).append(EXAMPLES[_route.id])
BODIES[NewOrder].append(EVERY_FIELD)
QUERIES: list[type[msgspec.Struct]] = list(dict.fromkeys(route.query for route in OPERATIONS))
ITEM = {"id": "a", "line_id": 1, "gross_amount": 5, "tax_lines": []}
ORDER = {"currency": "NOK", "items": [ITEM]}

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, -1, 1.0, 39800.0, 2.5, 1e300, "", "x", "NOK", "1", "2026-01-31T12:00:00Z", "x" * 256, "x" * 5000]),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8
)


def places(value: Any, path: str = "") -> Iterator[tuple[Any, Any, str]]:
    """Everything inside a value: what holds it, under which name or number, and its path."""
    for name, one in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        there = f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".lstrip(".")
        yield value, name, there
        if isinstance(one, dict | list):
            yield from places(one, there)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[type[msgspec.Struct], Any, list[str]]:
    """A body that was good, changed in places; and the paths of these."""
    type_ = draw(st.sampled_from(list(BODIES)))
    body = json.loads(json.dumps(draw(st.sampled_from(BODIES[type_]))))
    changed = []
    for _ in range(draw(st.integers(0, 4))):
        inside = list(places(body))
        if not inside:
            break
        holder, name, path = draw(st.sampled_from(inside))
        how = draw(st.sampled_from(["replace", "replace", "remove", "add", "float"]))
        if how == "replace":
            holder[name] = draw(JSON)
        elif how == "remove" and isinstance(holder, dict):
            del holder[name]
        elif how == "add" and isinstance(holder, dict):
            holder[draw(st.text(max_size=5))] = draw(JSON)
        elif isinstance(holder[name], int):
            holder[name] = float(holder[name])
        changed.append(path)
    return type_, body, changed


def written_alike(one: Any, other: Any) -> bool:
    """Whether two values are the same but for numbers and their texts."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(written_alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(written_alike, one, other))
    if isinstance(one, str) != isinstance(other, str):
        return Decimal(one) == Decimal(other)
    return bool(one == other)


def check(type_: type[msgspec.Struct], content: bytes) -> list[Any]:
    """Hold the walk against the decoder; return the faults."""
    shape, decode = Shape(type_), decoder(type_).decode
    faults, mended = read(shape, content)
    try:
        as_it_came = decode(content)
    except msgspec.ValidationError:
        assert bool(faults) == (mended is None)
        if mended is None:
            with pytest.raises(Refused) as refused:
                Bodies(type_, 32).decode(content)
            assert refused.value.refusals == tuple(faults)
            json.loads(refusal_body(refused.value))
        else:
            assert Bodies(type_, 32).decode(content) == decode(mended)
            assert written_alike(json.loads(bytes(mended), parse_float=Decimal), json.loads(content, parse_float=Decimal))
    else:
        assert (faults, bytes(mended or b"")) == ([], content.strip())
        assert Bodies(type_, 32).decode(content) == as_it_came
    return faults


@settings(max_examples=600, deadline=None)
@given(mutated())
def test_a_fault_is_found_exactly_where_the_decoder_refuses(drawn: tuple[type[msgspec.Struct], Any, list[str]]) -> None:
    type_, body, changed = drawn
    for fault in check(type_, json.dumps(body).encode()):
        assert fault.message
        assert any(fault.path.startswith(path) or path.startswith(fault.path) for path in changed), fault


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(BODIES)), JSON)
def test_whatever_is_sent_is_taken_or_refused(type_: type[msgspec.Struct], value: Any) -> None:
    check(type_, json.dumps(value).encode())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(QUERIES), st.data())
def test_a_parameter_is_refused_exactly_where_its_type_does_not_take_it(type_: type[msgspec.Struct], data: st.DataObject) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(type_) if field.encode_name != "metadata"]
    value = st.sampled_from(["", "1", "0", "101", "-1", "open", "true", "null", "NOK", "x" * 300]) | st.text(max_size=8)
    query = data.draw(st.dictionaries(st.sampled_from(names), value)) if names else {}
    request = Request({"type": "http", "query_string": urlencode(query).encode(), "headers": []})
    values = {name: value.split(",") if name in LISTS else value for name, value in query.items()}
    taken, found = True, faults_of_parameters(type_, values)
    try:
        Queries(type_).decode(request)
    except Refused:
        taken = False
    assert taken == (not found)
    assert {one.path for one in found} <= set(query)


def message(type_: type[msgspec.Struct], body: Any) -> str:
    """The sentence of the answer to a body."""
    with pytest.raises(Refused) as refused:
        Bodies(type_, 32).decode(body if isinstance(body, bytes) else json.dumps(body).encode())
    text: str = json.loads(refusal_body(refused.value))["error"]["message"]
    return text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"currency": "nok"}, "currency: must be a currency code of three capital letters, such as NOK, is 'nok'"),
        ({"items": {}}, "items: must be a list, is an object"),
        ({"items": []}, "items: must not be empty"),
        ({"items": [None]}, "items[0]: must be an object, is null"),
        ({"items": [{**ITEM, "gross_amount": 398.5}]}, "items[0].gross_amount: must be a whole number of minor units, is 398.5"),
        ({"gross_amount": "1"}, "gross_amount: must be a whole number of minor units, is the text '1'"),
        ({"gross_amount": 2**60}, f"gross_amount: must be {1 - 2**53} to {2**53 - 1}, is {2**60}"),
        ({"customer": {"email": "nobody"}}, "customer.email: must be an e-mail address, is 'nobody'"),
        ({"customer": {"pays_tax": "yes"}}, "customer.pays_tax: must be true or false, is the text 'yes'"),
        (
            {"delivery_at": "tomorrow"},
            "delivery_at: must be a date-time with an offset, such as 2026-01-31T12:00:00Z, is 'tomorrow'",
        ),
        ({"delivery_at": "2026-02-30T10:00:00Z"}, "delivery_at: there is no day 2026-02-30"),
        ({"comment": "x" * 300}, "comment: must be at most 255 characters long, is 300"),
        ({"comment": ["x"]}, "comment: must be text, is a list"),
        ({"order_id": ""}, "order_id: must not be empty"),
        ({"time_to_live": 5}, "time_to_live: must be 86400 to 10000000000, is 5"),
        ({"shipping_address": {"latitude": "north"}}, "shipping_address.latitude: must be a number, is 'north'"),
        ({"items": [{**ITEM, "quantity": -1}]}, "items[0].quantity: must not be negative, is -1; the amounts carry the sign"),
        ({"metadata": {"a": "x" * 17_000}}, "metadata: must be at most 16,384 bytes of JSON, is 17,008"),
    ],
)
def test_a_message_names_the_field_and_what_is_allowed(change: Any, expected: str) -> None:
    assert message(NewOrder, {**ORDER, **change}) == expected


def test_a_missing_field_and_how_many_more() -> None:
    line = {"id": 5, "line_id": "x", "gross_amount": None}
    assert message(NewOrder, {"items": [{}]}).endswith("(and 3 more)")
    assert message(NewOrder, {"currency": "NOK", "items": [{"id": "a", "line_id": 1}], "comment": 5}) == (
        "items[0].gross_amount: this field is required (and 1 more)"
    )
    assert message(NewOrder, {**ORDER, "items": [line] * 50}).endswith(f"(and at least {MOST_FAULTS - 1} more)")


def test_numbers_that_no_decimal_holds() -> None:
    for text in (b"1e9999999999999999999", b"1e-9999999999999999999", b"1e400"):
        line = b'{"id":"a","line_id":1,"gross_amount":5,"tax_lines":[],"quantity":%b}' % text
        assert message(NewOrder, b'{"currency":"NOK","items":[%b]}' % line).startswith(
            "items[0].quantity: must be a number of at"
        )
        assert message(NewOrder, b'{"gross_amount":%b,"currency":"NOK","items":[]}' % text).startswith("gross_amount: must be a")


def test_digits_are_kept_where_whole_numbers_are_written_with_a_point() -> None:
    line = b'{"id":"a","line_id":1.0,"gross_amount":39800.00,"quantity":2.50,"tax_lines":[{"amount":796e1}]}'
    order: Any = Bodies(NewOrder, 32).decode(b'{"currency":"NOK","metadata":{"a":1.0,"b":1e2},"items":[%b]}' % line)
    (made,) = order.items
    assert (made.line_id, made.gross_amount, str(made.quantity), made.tax_lines[0].amount) == (1, 39800, "2.50", 7960)
    assert {name: bytes(value) for name, value in order.metadata.items()} == {"a": b"1.0", "b": b"1e2"}


def test_of_a_name_that_is_given_twice_the_last_counts() -> None:
    order: Any = Bodies(NewOrder, 32).decode(b'{"currency":5,"items":%b,"currency":"NOK"}' % json.dumps([ITEM]).encode())
    assert order.currency == "NOK"


def test_every_pattern_says_in_words_what_it_asks_for() -> None:
    seen: set[type[msgspec.Struct]] = set()
    left = [*BODIES, *QUERIES]
    while left:
        struct = left.pop()
        if struct not in seen:
            seen.add(struct)
            for name, field in fields_of(struct).items():
                for shape in (field.shape, field.shape.entry):
                    assert shape is None or all(one.expected or not one.pattern for one in shape.choices), (struct, name)
                    left += [shape.struct] if shape and shape.struct else []
    assert len(seen) > 30


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "BAD REQUEST"),
        (404, "NOT FOUND"),
        (413, "REQUEST ENTITY TOO LARGE"),
        (422, "UNPROCESSABLE ENTITY"),
        (429, "TOO MANY REQUESTS"),
    ],
)
def test_the_code_of_a_status_is_the_same_on_every_python(status: int, code: str) -> None:
    assert json.loads(failure_body(Failure(status, "some", "Some")))["error"]["code"] == code

"""A new fact or command is forgotten nowhere: each is walked through everything that is said of facts and of commands."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

import pytest
from given import Given, folded, placing
from hypothesis import given, settings
from hypothesis import strategies as st

from ordre.api.wire.facts import rest_of_earlier, show
from ordre.api.wire.search import fact_terms
from ordre.application.change import Call, NewFact
from ordre.application.lists import RECORDED_KINDS
from ordre.cli import timeline
from ordre.db.codec import fact_from, fact_row, text
from ordre.domain.chain import START
from ordre.domain.lines import NOTHING, Line
from ordre.domain.order.decide import Command, extra_fields, needs
from ordre.domain.order.facts import FACTS, Erased, Fact, shown_by
from ordre.domain.order.order import Order
from ordre.domain.order.parts import Content, JsonFields

T = TypeVar("T")
FACT_TYPES: tuple[type[Fact], ...] = get_args(Fact)
COMMAND_TYPES: tuple[type[Command], ...] = get_args(Command)
FROZEN = st.dictionaries(st.text("abc", max_size=5), st.text(max_size=5).map(json.dumps), max_size=3)
SAID = '{"id":"c","body":"hello","visibility":"private"}'
ORDER = folded(Given(placing(100)).facts)
CALL = Call(account_id="T00000001", by="c", at=1_700_000_000_000, event="{}")

NUMBERS = st.integers(-(10**9), 10**9)
few = settings(max_examples=20, deadline=None, database=None)


def some(type_: type[T]) -> st.SearchStrategy[T]:
    """Facts or commands of a type, made by what their fields are."""
    hints = {name: hint for name, hint in get_type_hints(type_).items() if get_origin(hint) is not ClassVar}
    return st.builds(type_, **{name: values(hint) for name, hint in hints.items()})


def values(hint: Any) -> st.SearchStrategy[Any]:
    if hint == JsonFields:
        return FROZEN
    if hint is Content:
        return st.builds(Content, fields=FROZEN, items=st.dictionaries(NUMBERS, FROZEN, max_size=3))
    if hint is int:
        return NUMBERS
    if get_origin(hint) is Mapping:
        keys, held = get_args(hint)
        return st.dictionaries(values(keys), values(held), max_size=3)
    if hint is Line:
        return st.builds(Line, *(NUMBERS for _ in Line._fields[:-1]), sums=st.just(NOTHING))
    return st.from_type(hint)


def texts(value: Any) -> Iterator[Mapping[str, str]]:
    """Everything in a value that is frozen: JSON texts by name."""
    if isinstance(value, Content):
        yield from (value.fields, *value.items.values())
    elif isinstance(value, Mapping):
        if value and all(isinstance(one, str) for pair in value.items() for one in pair):
            yield value
        else:
            for one in value.values():
                yield from texts(one)


@pytest.mark.parametrize("type_", FACT_TYPES)
def test_a_fact_is_stored_and_found_again(type_: type[Fact]) -> None:
    @few
    @given(some(type_))
    def check(fact: Fact) -> None:
        row = fact_row("T00000001", "o", START, NewFact(fact=fact, version=1, at=1, by="c", document="", event="{}"))
        assert (FACTS[fact.type], fact.ref) == (type_, row.ref)
        assert text(fact_from(row.type, row.data)) == text(fact)

    check()


@pytest.mark.parametrize("type_", FACT_TYPES)
def test_what_a_fact_shows_and_is_found_under_is_said(type_: type[Fact]) -> None:
    @few
    @given(some(type_), FROZEN)
    def check(fact: Fact, extra: JsonFields) -> None:
        document = show(fact, extra, ORDER, CALL, SAID)
        assert not document or "id" in json.loads(document)
        assert "hello" not in (rest_of_earlier(fact, SAID) or "")
        assert {kind for kind, _ in fact_terms(fact, document or SAID)} <= {*RECORDED_KINDS}
        row = fact_row("T00000001", "o", START, NewFact(fact=fact, version=1, at=1, by="c", document="", event="{}"))
        assert timeline.entries([(row._replace(data=""), None)], {})[0]["text"]

    check()


@pytest.mark.parametrize("type_", FACT_TYPES)
def test_whatever_a_fact_may_hold_of_a_person_is_searched_when_a_customer_is_erased(type_: type[Fact]) -> None:
    @few
    @given(some(type_))
    def check(fact: Fact) -> None:
        shown = shown_by(fact)
        held = [one for each in fields(fact) for one in texts(getattr(fact, each.name))]
        assert all(one in (shown.fields, *shown.items.values()) for one in held)

    if type_ is not Erased:
        check()


@pytest.mark.parametrize("type_", COMMAND_TYPES)
def test_what_a_command_needs_and_gives_is_said(type_: type[Command]) -> None:
    @few
    @given(some(type_))
    def check(command: Command) -> None:
        assert len(needs(command).refs) <= 2
        assert all(isinstance(one, str) for one in extra_fields(command).values())

    check()


NAMES = {"id", "order_id", "order_number", "currency", "draft_id", "authorization_id", "fingerprint", "service", "external_ids"}
"""What facts hold as plain text: ids and names. A text that people write goes through `shown_by`, as JSON by field name."""


@pytest.mark.parametrize("type_", FACT_TYPES)
def test_a_fact_holds_no_text_of_people_beside_what_it_shows(type_: type[Fact]) -> None:
    hints = {name: hint for name, hint in get_type_hints(type_).items() if hint != JsonFields and name not in ("type", "ref")}
    texts = {name for name, hint in hints.items() if str in (hint, *get_args(hint))}
    assert texts <= NAMES | {"item_store_ids"}


STORED = {
    "facts": "authorization cancellation cancelled capture closed comment comment_deleted erased lines_added opened placed refund"
    " replaced service_event session updated",
    "order": "about cancelled cancelled_reason closed comments created currency deleted drafts events id lines"
    " multiple_authorizations operations order_id order_number sessions status updated_at version within",
}
"""What the newest migration says that older code can serve beside it."""


def test_what_is_stored_anew_comes_with_a_migration() -> None:
    names = {"facts": FACTS, "order": [one.name for one in fields(Order)]}
    found = {what: " ".join(sorted(some)) for what, some in names.items()}
    assert found == STORED, "older code would write it wrongly: add a migration compatible with its own number (decision 16)"


def test_each_fact_has_types_of_its_own() -> None:
    assert {*FACTS.values()} == {*FACT_TYPES}

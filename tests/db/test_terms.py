"""Terms as one text, and ids as bytes: what is found in them is what went in."""

import pytest

from ordre.application.ids import id_floor, uuid7
from ordre.application.lists import Term
from ordre.db.terms import beginning, compact, entries_in, escaped, exactly, part_of, parts_of, text_of

STRANGE = {
    ("customer_id", "a\x1ecurrency\x1dNOK"),
    ("customer_id", "\x1b"),
    ("metadata.\x1d\x1e", "\x1bd"),
    ("word", "æ\u2028ø"),
}


@pytest.mark.parametrize("terms", [set(), {("word", "kari"), ("word", "karin"), ("currency", "NOK")}, STRANGE])
def test_a_text_holds_the_terms_that_went_in_and_no_others(terms: set[Term]) -> None:
    text = text_of(terms)
    assert entries_in(text) == {(escaped(kind), escaped(term)) for kind, term in terms}
    asked = {*terms, ("word", "kar"), ("currency", "NOK"), ("word", "d"), ("customer_id", "a")}
    assert {one for one in asked if exactly(*one) in text} == terms
    found = {(kind, term) for kind, term in asked if beginning(kind, term) in text}
    assert found == {(kind, term) for kind, term in asked if any(k == kind and t.startswith(term) for k, t in terms)}


def test_ids_sort_as_their_texts_do() -> None:
    ids = [uuid7(at, at % 1_000_000) for at in range(1_700_000_000_000, 1_700_000_100_000, 9_999)]
    floors = [id_floor(at) for at in range(1_700_000_000_000, 1_700_000_100_000, 5_000)]
    assert sorted([*ids, *floors]) == sorted([*ids, *floors], key=compact)
    assert {len(compact(id_)) for id_ in ids} == {16}
    others = ["order-1", "order-2", "a" * 15, "0123456789ABCDEF", ids[0].upper()]
    assert sorted(others) == sorted(others, key=compact)
    assert all(len(compact(other)) != 16 for other in others)


def test_what_is_recorded_again_is_the_same_part() -> None:
    paid = frozenset({("payment_id", "P 1"), ("payment", "p"), ("payment", "1")})
    said = frozenset({("comment", "kari\x1fc1"), ("comment", "rang\x1fc1")})
    assert (part_of(paid), part_of(said)) == ("payment P 1", "comment c1")
    assert parts_of([paid, frozenset(), said, paid]) == {"payment P 1": paid, "comment c1": said}

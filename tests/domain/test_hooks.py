"""What makes which event, masks of fields, pauses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordre.application.feed import KINDS
from ordre.domain.hooks import ATTEMPTS, EVENT_OF, EVENTS, PAUSES, BadMask, mask_of, masked, pause_before


def test_every_kind_of_entry_makes_one_event() -> None:
    """So whoever is told of all events misses no version."""
    assert EVENT_OF.keys() == set(KINDS)
    assert set(EVENT_OF.values()) == set(EVENTS)


ORDER = {
    "id": "o",
    "items": [{"line_id": 1, "tax": {"a": 1, "b": 2}}, {"line_id": 2, "tax": {"a": 3, "b": 4}}],
    "customer": {"email": "e", "phone_number": "p", "id": "c"},
    "store": {"id": "s", "name": "n"},
}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("id", {"id": "o"}),
        ("id,nothing", {"id": "o"}),
        ("customer/email", {"customer": {"email": "e"}}),
        ("customer(email,id),id", {"id": "o", "customer": {"email": "e", "id": "c"}}),
        ("items/tax/a", {"items": [{"tax": {"a": 1}}, {"tax": {"a": 3}}]}),
        ("items(line_id,tax(b))", {"items": [{"line_id": 1, "tax": {"b": 2}}, {"line_id": 2, "tax": {"b": 4}}]}),
        ("items/*/a", {"items": [{"line_id": 1, "tax": {"a": 1}}, {"line_id": 2, "tax": {"a": 3}}]}),
        ("*/id", {"id": "o", "items": [{}, {}], "customer": {"id": "c"}, "store": {"id": "s"}}),
        ("*/id,store/name", {"id": "o", "items": [{}, {}], "customer": {"id": "c"}, "store": {"id": "s", "name": "n"}}),
        ("customer/email,customer/id", {"customer": {"email": "e", "id": "c"}}),
        ("customer/email,customer", {"customer": ORDER["customer"]}),
        ("customer,customer/email", {"customer": ORDER["customer"]}),
        ("*", ORDER),
        ("id/more", {"id": "o"}),
    ],
)
def test_a_mask_keeps_what_it_names(mask: str, expected: Any) -> None:
    assert masked(ORDER, mask_of(mask)) == expected


@pytest.mark.parametrize(
    "text", ["", ",", "a,", "a//b", "a(", "a(b", "a(b))", "a)", "()", "a()", "/a", "(" * 40, "a/" * 40 + "a"]
)
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(BadMask):
        mask_of(text)


@given(st.text(alphabet="ab,/()*", max_size=30))
def test_any_text_is_a_mask_or_is_refused(text: str) -> None:
    try:
        mask = mask_of(text)
    except BadMask:
        return
    kept = masked(ORDER, mask)
    assert masked(kept, mask) == kept


def test_pauses_grow_and_vary_by_a_fifth() -> None:
    for attempt in range(2, ATTEMPTS + 1):
        least, most = (pause_before(attempt, 5, drawn) for drawn in (0.0, 1.0))
        assert (least, most) == pytest.approx((0.8 * 5 * PAUSES[attempt - 2], 1.2 * 5 * PAUSES[attempt - 2]))
    assert pause_before(ATTEMPTS + 3, 5, 0.5) == pause_before(ATTEMPTS, 5, 0.5)

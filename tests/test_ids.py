"""Ids sort by when and in which order things were made, also within a millisecond."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from ordre.application.ids import id_floor, uuid7

TICK = 245
"""Nanoseconds: a little more than a 4096th of a millisecond."""
INSTANTS = st.integers(0, 2**48 * 1_000_000 - 1 - TICK)
NUMBERS = st.integers(0, 2**14 - 2)


def made(nanoseconds: int, number: int = 0) -> str:
    return uuid7(*divmod(nanoseconds, 1_000_000), number)


@given(INSTANTS, st.integers(TICK, 10**12), NUMBERS, NUMBERS)
def test_what_is_made_later_sorts_later(at: int, later: int, number: int, other: int) -> None:
    assert made(at, number) < made(min(at + later, 2**48 * 1_000_000 - 1), other)


@given(INSTANTS, NUMBERS)
def test_what_one_request_makes_sorts_by_its_number(at: int, number: int) -> None:
    assert made(at, number) < made(at, number + 1)


@given(INSTANTS, NUMBERS)
def test_an_id_is_a_uuid_of_version_7_that_lists_find_by_its_millisecond(at: int, number: int) -> None:
    id_, milliseconds = made(at, number), at // 1_000_000
    assert (UUID(id_).version, UUID(id_).variant, str(UUID(id_))) == (7, RFC_4122, id_)
    assert UUID(id_).int >> 80 == milliseconds
    assert id_floor(milliseconds) < id_ < id_floor(milliseconds + 1) or milliseconds == 2**48 - 1


def test_ids_of_one_instant_differ() -> None:
    assert len({made(1_700_000_000_000_000_000) for _ in range(1000)}) == 1000

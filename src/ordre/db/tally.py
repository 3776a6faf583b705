"""How many kept answers an account holds, and a sum of their hashes, to which a batch adds.

So it was with facts and events of drafts before there were feeds, which count those now; what no feed has stays counted here.

A row of the table is what one batch added of one kind, or an erasure took away; from time to time they are added up. So no two
writes of an account wait for each other, as they would for one row. Summed are the first 60 bits of each hash, without an end.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ordre.db.scripts import Script

Kind = Literal["facts", "events", "answers"]
COLUMNS = (("account_id", "text"), ("kind", "text"), ("count", "bigint"), ("sum", "text"))
"""Of what a batch hands over, for each subject; the table has an ``id`` besides. Nine hashes may come to more than 64 bits."""
_DIGITS = 15
_AT_ONCE = 10_000
_ADD = "insert into tallies (account_id, id, kind, count, sum) values ($1, $2, $3, $4, $5)"
TALLIES = "select kind, count, sum from tallies where account_id = $1"
_FIRST = f"select max(id), count(*) from (select id from tallies where account_id = $1 order by id limit {_AT_ONCE}) first"
_TAKE = "delete from tallies where account_id = $1 and id <= $2 returning kind, count, sum"


@dataclass(slots=True)
class Tally:
    """Of each kind, how many there are and the sum of their hashes."""

    counts: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def count(self, kind: Kind, hash_: str, times: int = 1) -> None:
        """Count a row with this hash; ``times`` is -1 for one that is gone."""
        self.put(kind, times, times * number_of(hash_))

    def put(self, kind: str, count: int, total: int) -> None:
        """Add so many of a kind, and the sum of their hashes."""
        self.counts[kind] += count
        self.sums[kind] += total

    def add(self, other: "Tally") -> None:
        """Add another one to this."""
        for kind, count in other.counts.items():
            self.put(kind, count, other.sums[kind])


def number_of(hash_: str) -> int:
    """Return a hash as the number that is summed; 0 for a text that is no hash, which the check of its row finds."""
    try:
        return int(hash_[:_DIGITS], 16)
    except ValueError:
        return 0


def sum_of(hashes: Iterable[str]) -> int:
    """Return the sum of hashes."""
    return sum(map(number_of, hashes))


def tally_from(rows: Iterable[Sequence[Any]]) -> Tally:
    """Return the sum of rows of ``TALLIES``.

    Raises:
        ValueError: One of them holds what is no number.
    """
    found = Tally()
    for kind, count, total in rows:
        found.put(kind, count, int(total))
    return found


def rows_of(account_id: str, tally: Tally) -> Iterator[tuple[str, str, str, int, str]]:
    """Yield the rows that add something to what an account holds."""
    for kind, count in tally.counts.items():
        if count or tally.sums[kind]:
            yield account_id, os.urandom(12).hex(), kind, count, str(tally.sums[kind])


def summed(tallies: Mapping[tuple[str, str | None, Kind], Sequence[int]]) -> list[tuple[str, str, str, int, str]]:
    """Return the rows for what a batch added, whichever writes it goes with."""
    found: dict[str, Tally] = {}
    for (account_id, _, kind), (count, total) in tallies.items():
        found.setdefault(account_id, Tally()).put(kind, count, total)
    return [row for account_id, one in found.items() for row in rows_of(account_id, one)]


def added(account_id: str, tally: Tally) -> Script[None]:
    """Add to what an account holds, if there is anything to add."""
    for row in rows_of(account_id, tally):
        yield _ADD, row


def add_up(account_id: str) -> Script[bool]:
    """Make one row of each kind of the first rows of an account; return whether there may be more of them."""
    ((last, count),) = yield _FIRST, (account_id,)
    if count > len(get_args(Kind)):
        taken = yield _TAKE, (account_id, last)
        yield from added(account_id, tally_from(taken))
    return bool(count == _AT_ONCE)

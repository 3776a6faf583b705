"""Verifies the log of administration, and accounts, clients, keys and the schema against it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

from ordre.application.directory import Act
from ordre.db.administration import ACCOUNT, CLIENT, KEY, MIGRATION, Bound, chained
from ordre.db.reads import OrderTables
from ordre.db.verify import Difference
from ordre.domain.chain import START

Named = tuple[str, str, str]
"""(kind, account or empty, subject): what an act is on."""


def logged_accounts(acts: Sequence[Act]) -> set[str]:
    """Return every account that the log knows, there or gone."""
    return {act.account_id for act in acts} - {""}


async def administered(database: OrderTables, acts: Sequence[Act], accounts: Sequence[str]) -> AsyncIterator[Difference]:
    """Yield where the log is broken, and where rows are not what it says: of these accounts, and of what is no account's."""
    for broken in _broken(acts):
        yield broken
    last = {(act.kind, act.account_id, act.subject): act for act in acts}
    rows = [(bound, row) for bound in (ACCOUNT, KEY, MIGRATION) for row in await database.shared(bound.select)]
    for account_id in accounts:
        rows += [(CLIENT, row) for row in await database.rows(CLIENT.select_of_account, account_id)]
    seen, asked = set[Named](), {"", *accounts}
    for bound, row in rows:
        named = bound.named(row)
        place = (bound.kind, *bound.place(named))
        seen.add(place)
        if place[1] in asked and (reason := _unlike(bound, named, last.get(place))):
            yield _difference(place, reason)
    for place, act in last.items():
        if place not in seen and place[1] in asked:
            yield _difference(place, f"it is gone; act {act.number} of the log is the last on it: {act.act} by {act.by}")


def _broken(acts: Sequence[Act]) -> Iterator[Difference]:
    """Yield the first place where the log is not a chain."""
    previous = START
    if not acts:
        yield Difference(about="log of administration", reason="it is gone")
    for place, act in enumerate(acts, 1):
        if act.number != place:
            yield Difference(
                about="log of administration", reason=f"act {place} is missing; act {act.number} stands in its place"
            )
            return
        if chained(previous, act) != act.hash:
            yield Difference(
                about="log of administration", reason=f"act {place} does not follow from what it says and the act before"
            )
            return
        previous = act.hash


def _unlike(bound: Bound, row: Mapping[str, object], last: Act | None) -> str | None:
    if last is None:
        return "nobody made it: the log of administration does not know it"
    if bound.digest(row) != last.digest:
        return f"it is not as act {last.number} of the log left it: {last.act} by {last.by}"
    return None


def _difference(place: Named, reason: str) -> Difference:
    kind, account_id, subject = place
    return Difference(account_id=account_id, about=kind if kind == ACCOUNT.kind else f"{kind} {subject}", reason=reason)

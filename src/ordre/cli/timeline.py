"""The history of an order in sentences: one for each fact."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ordre.api.wire.common import instant
from ordre.application.summaries import printable
from ordre.application.views import FactRow
from ordre.cli.output import counted
from ordre.domain.lines import Line, totals
from ordre.domain.money import amount_text
from ordre.domain.order.facts import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Erased,
    Fact,
    LinesAdded,
    Opened,
    Placed,
    Recorded,
    Replaced,
    ServiceReported,
    SessionStarted,
    Updated,
)

Names = Mapping[str, str]
"""Id of a client -> what it is called."""
Facts = Sequence[tuple[FactRow, Fact | None]]
_DONE = {"authorization": "authorized", "capture": "captured", "refund": "refunded", "cancellation": "cancelled"}
_AFTER_ERASURE = {
    **_DONE,
    Placed.type: "placed",
    Replaced.type: "replaced",
    LinesAdded.type: "added lines",
    Updated.type: "changed",
    SessionStarted.type: "started a payment session",
    ServiceReported.type: "reported by a service",
    Commented.type: "commented",
    CommentDeleted.type: "deleted a comment",
    Opened.type: "opened again",
    Closed.type: "closed",
    Cancelled.type: "cancelled",
    Erased.type: "erased",
}
"""Type of fact -> what is still known of it once its order is erased."""


def minute(at: int | str) -> str:
    """Return an instant, in milliseconds or as a date-time, to the minute."""
    text = instant(at) if isinstance(at, int) else at
    return f"{text[:10]} {text[11:16]}"


def named(names: Names, by: str) -> str:
    """Return an actor in words: the name of a client with its id, or the id alone where there is no name."""
    return f"{printable(names[by])} ({by})" if by in names else by


def entries(facts: Facts, names: Names) -> list[dict[str, Any]]:
    """Return for each fact of an order, oldest first: its version, type, instant, who made it, and a sentence without that.

    ``by_name`` is what the client is called now, as the API's ``created_by_name``, and None for whoever is no client.
    """
    texts = _texts(facts)
    return [
        {
            "version": fact.version,
            "at": instant(fact.at),
            "type": fact.type,
            "by": fact.actor,
            "by_name": names.get(fact.actor),
            "text": text,
        }
        for (fact, _), text in zip(facts, texts, strict=True)
    ]


def _texts(facts: Facts) -> Iterator[str]:
    deleted = {fact.id for _, fact in facts if isinstance(fact, CommentDeleted)}
    versions = {row.ref: row.version for row, _ in facts if row.type == Commented.type}
    currency = ""
    for row, fact in facts:
        if fact is None:
            why = "this was tampered with" if row.data else "what was said is erased"
            yield f"{_AFTER_ERASURE.get(row.type, row.type)} ({why})"
            continue
        if isinstance(fact, Placed | Replaced):
            currency = fact.currency
        if isinstance(fact, Commented) and fact.id in deleted:
            yield "wrote a comment that was deleted later"
        elif isinstance(fact, CommentDeleted):
            yield f"deleted the comment of version {versions[fact.id]}"
        else:
            yield printable(_sentence(fact, json.loads(row.document or "{}"), currency))


def _sentence(fact: Fact, document: Mapping[str, Any], currency: str) -> str:  # noqa: C901 - one flat table, a row a fact
    match fact:
        case Placed() | Replaced() | LinesAdded() | Updated():
            return _content(fact, currency)
        case Recorded():
            return _operation(fact, currency)
        case SessionStarted():
            return f"started a payment session over {_amounts(fact.amounts, currency)}"
        case ServiceReported():
            text = f' ("{document["description"]}")' if document.get("description") else ""
            return f'recorded the report of {fact.service}: {fact.state}, "{document["service_status"]}"{text}'
        case Commented():
            return f'commented ({document["visibility"]}) "{document["body"]}"'
        case CommentDeleted():
            return "deleted a comment"
        case Opened():
            return "opened again"
        case Closed():
            return "closed"
        case Cancelled():
            return f"cancelled (reason: {fact.reason})"
        case Erased():
            return f"erased (kept: {', '.join(_kept(fact))}; of each version, when and by whom it was made)"


def _content(fact: Placed | Replaced | LinesAdded | Updated, currency: str) -> str:
    match fact:
        case Placed():
            return f"placed with {_sum_of(fact.lines, currency)}{_from(fact.draft_id)}"
        case Replaced():
            return f"replaced by {_sum_of(fact.lines, currency)}{_from(fact.draft_id)}"
        case LinesAdded(lines=lines) if not lines:
            return f"took in draft {fact.draft_id}"
        case LinesAdded():
            numbers = ", ".join(map(str, fact.lines))
            return f"added {_sum_of(fact.lines, currency)} (line {numbers}){_from(fact.draft_id)}"
        case Updated():
            return f"changed {'; '.join(_changes(fact, currency)) or 'nothing'}"


def _operation(fact: Recorded, currency: str) -> str:
    inside = f" inside authorization {fact.authorization_id}" if fact.authorization_id is not None else ""
    amounts = _amounts(fact.amounts, currency)
    if fact.success:
        return f"{_DONE[fact.kind]} {amounts}{inside}"
    return f"recorded a failed {fact.kind} of {amounts}{inside}"


def _amounts(amounts: Mapping[int, int], currency: str) -> str:
    """Return the sum and the lines that it is of, such as ``NOK 398.00 (line 1)``."""
    whole = amount_text(sum(amounts.values()), currency)
    if len(amounts) == 1:
        return f"{whole} (line {next(iter(amounts))})"
    return f"{whole} ({', '.join(f'line {line}: {amount_text(amount, currency)}' for line, amount in amounts.items())})"


def _sum_of(lines: Mapping[int, Line], currency: str) -> str:
    return f"{counted(len(lines), 'line')}, net {amount_text(totals(lines.values()).net, currency)}"


def _from(draft_id: str | None) -> str:
    return "" if draft_id is None else f", from draft {draft_id}"


def _changes(fact: Updated, currency: str) -> Iterator[str]:
    """Yield what an amendment changed: fields of the order, then fields of each line, with its net amount where that changed."""
    if fact.fields:
        yield ", ".join(_change(name, value) for name, value in fact.fields.items())
    for line_id in dict.fromkeys([*fact.items, *fact.lines]):
        named = ", ".join(_change(name, value) for name, value in fact.items.get(line_id, {}).items())
        line = fact.lines.get(line_id)
        net = "" if line is None else f" (net is now {amount_text(line.net, currency)})"
        yield f"line {line_id}: {named}{net}" if named else f"line {line_id}{net}"


def _change(name: str, value: str) -> str:
    return f"{name} (removed)" if value == "null" else name


def _kept(fact: Erased) -> Iterator[str]:
    yield from ("its id", "order_id", *(["number"] if fact.order_number is not None else []))
    yield from (["ids in other systems"] if fact.external_ids is not None else [])
    yield "when it was placed and last changed"

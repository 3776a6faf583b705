"""Relations between lines: one belongs to another, or takes it back.

A ``related_item`` names a line of the order or of the same request. An item is a reversal of the line that it names if its type
is ``reversed``, or if it has no type but a ``reversed_reason``. All that reverses a line together lies between zero and the
line's own amounts, on the other side of zero: by gross as by net.

Of what an item shows the rules read these two fields alone, and only where lines are added or changed; what is stored is not
judged again.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from ordre.domain.lines import Line
from ordre.domain.money import sign
from ordre.domain.order.parts import JsonFields
from ordre.domain.refusals import ExceedsReversible, InvalidValue, LineReversed, Refusal, UnknownLine

Lines = Mapping[int, Line]
Shown = Mapping[int, JsonFields]
"""Line id -> what its item shows."""
Named = Sequence[tuple[str, int]]
"""(path in the request, line id) of items."""
_NULL = "null"


class OfLine(Protocol):
    """Whatever is about one line."""

    @property
    def line_id(self) -> int: ...


class OfItem(OfLine, Protocol):
    """New values for what an item shows."""

    @property
    def fields(self) -> JsonFields: ...


class Relation(NamedTuple):
    """The line that an item names, and whether the item reverses it."""

    line_id: int
    reverses: bool


class _Reversed(NamedTuple):
    """The sums of the reversals of a line."""

    gross: int = 0
    net: int = 0

    def plus(self, line: Line) -> "_Reversed":
        return _Reversed(self.gross + line.gross, self.net + line.net)


def relation_of(fields: JsonFields) -> Relation | None:
    """Return the relation of an item to another line, if it names one."""
    related = json.loads(fields.get("related_item", _NULL)) or {}
    line_id, type_ = related.get("line_id"), related.get("type")
    if line_id is None:
        return None
    gives_reason = fields.get("reversed_reason", _NULL) != _NULL
    return Relation(line_id, type_ == "reversed" or (type_ is None and gives_reason))


def named(items: Sequence[OfLine], path: str) -> Named:
    """Return the items of a request by their places in it."""
    return [(f"{path}[{index}]", item.line_id) for index, item in enumerate(items)]


def relation_faults(asked: Named, lines: Lines, shown: Shown) -> Iterator[Refusal]:
    """Yield what is wrong with what items say of other lines. ``lines`` and ``shown`` are all that there will be.

    Of several reversals of a line in one request, each may take what the ones before it leave.
    """
    relations = {line_id: relation for _, line_id in asked if (relation := relation_of(shown[line_id])) is not None}
    if not relations:
        return
    taken = _taken(lines, shown, but=relations)
    for path, line_id in asked:
        relation = relations.get(line_id)
        if relation is None:
            continue
        if relation.line_id == line_id:
            yield InvalidValue(path=f"{path}.related_item.line_id", reason="A line is not related to itself")
        elif relation.line_id not in lines:
            yield UnknownLine(path=f"{path}.related_item.line_id", line_id=relation.line_id)
        elif relation.reverses:
            before = taken.get(relation.line_id, _Reversed())
            yield from _reversal_faults(path, relation.line_id, lines[relation.line_id], lines[line_id], before)
            taken[relation.line_id] = before.plus(lines[line_id])


def changed_relation_faults(items: Sequence[OfItem], before: Lines, after: Lines, shown: Shown) -> Iterator[Refusal]:
    """Yield what is wrong with changed items: those that say something new of another line, or whose amounts change.

    A line may not become less than what reverses it, unless it was so before.
    """
    shown_after = {**shown, **{item.line_id: {**shown[item.line_id], **item.fields} for item in items}}
    repriced, asked = [], []
    for path, line_id in named(items, "items"):
        changes = before[line_id] != after[line_id]
        repriced += [(path, line_id)] if changes else []
        asked += [(path, line_id)] if changes or relation_of(shown[line_id]) != relation_of(shown_after[line_id]) else []
    yield from relation_faults(asked, after, shown_after)
    was, now = _taken(before, shown_after), _taken(after, shown_after)
    for path, line_id in repriced:
        if line_id in now and _fits(was[line_id], before[line_id]) and not _fits(now[line_id], after[line_id]):
            yield LineReversed(path=path, line_id=line_id, reversed=now[line_id].net)


def _taken(lines: Lines, shown: Shown, but: Collection[int] = ()) -> dict[int, _Reversed]:
    """Return line id -> what the lines that reverse it add up to, but for some."""
    found: dict[int, _Reversed] = {}
    for line_id, fields in shown.items():
        relation = relation_of(fields)
        if relation is not None and relation.reverses and line_id not in but:
            found[relation.line_id] = found.get(relation.line_id, _Reversed()).plus(lines[line_id])
    return found


def _reversal_faults(path: str, line_id: int, line: Line, reversal: Line, before: _Reversed) -> Iterator[Refusal]:
    """Yield how a reversal takes more of the line than what the reversals before it leave."""
    for name, amount, whole, gone in (
        ("gross_amount", reversal.gross, line.gross, before.gross),
        ("net_amount", reversal.net, line.net, before.net),
    ):
        left = -(whole + gone) if _within(-gone, whole) else 0
        if not _within(amount, left):
            yield ExceedsReversible(path=f"{path}.{name}", line_id=line_id, amount=amount, remaining=left)
            return


def _fits(taken: _Reversed, line: Line) -> bool:
    return _within(taken.gross, -line.gross) and _within(taken.net, -line.net)


def _within(amount: int, limit: int) -> bool:
    """Whether the amount lies between zero and the limit, on either side of zero."""
    return amount == 0 or (sign(amount) == sign(limit) and abs(amount) <= abs(limit))

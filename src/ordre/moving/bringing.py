"""Lines of a file into an account: each is written, is there already, or is refused with its reasons."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ordre.api.wire.answers import order_json
from ordre.application.change import Outcome
from ordre.application.restoring import bringing
from ordre.application.store import Store
from ordre.application.views import View
from ordre.domain.order.order import Status
from ordre.moving.reading import Difference, Read, Reader, Reason, Unfit, compared

Fate = Literal["imported", "there", "refused"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and its number in the file, from 1; or why it cannot even be read."""

    number: int
    text: bytes
    fault: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a line. ``order_id`` is None where the line names none."""

    line: Line
    fate: Fate
    order_id: str | None
    reasons: tuple[Reason, ...] = ()
    differences: tuple[Difference, ...] = ()


class Bringer:
    """Brings lines into an account, or with ``dry`` only says what would become of them.

    With ``strict`` an order is refused that would differ in anything from what its line says.
    """

    def __init__(self, store: Store, reader: Reader, account_id: str, *, dry: bool, strict: bool) -> None:
        self._store, self._reader, self._account_id = store, reader, account_id
        self._dry, self._strict = dry, strict

    async def bring(self, lines: Sequence[Line]) -> list[Result]:
        """Bring these lines in, in their order; return when all of it is durable."""
        found: dict[int, Result] = {}
        together: list[tuple[Line, Read]] = []
        names = set[str]()
        for line in lines:
            try:
                read = self._read(line)
            except Unfit as unfit:
                found[line.number] = _refused(line, unfit.order_id, unfit.reasons)
                continue
            own = {read.write.order.id, read.write.order.order_id}
            if names & own:  # what comes twice is compared with the one before
                found |= await self._brought(together)
                together, names = [], set()
            together.append((line, read))
            names |= own
        found |= await self._brought(together)
        return [found[line.number] for line in lines]

    def _read(self, line: Line) -> Read:
        if line.fault is not None:
            raise Unfit(None, line.fault)
        read = self._reader.read(line.text)
        if self._strict and read.differences:
            raise Unfit(read.write.order.order_id, *(_reason(one) for one in read.differences))
        return read

    async def _brought(self, together: Sequence[tuple[Line, Read]]) -> dict[int, Result]:
        if not together:
            return {}
        orders = [read.write.order for _, read in together]
        rows = await self._store.there(self._account_id, [name for one in orders for name in (one.id, one.order_id)])
        ids, order_ids = {id_ for id_, _ in rows}, {order_id for _, order_id in rows}
        new = [one for one in together if one[1].write.order.id not in ids and one[1].write.order.order_id not in order_ids]
        late = await self._written(new)
        numbers = {line.number for line, _ in new} - {line.number for line, _ in late}
        found = {line.number: _imported(line, read) for line, read in together if line.number in numbers}
        rest = [one for one in together if one[0].number not in numbers]
        views = await self._store.views(self._account_id, [read.write.order.id for _, read in rest])
        return found | {line.number: self._compared(line, read, views.get(read.write.order.id)) for line, read in rest}

    async def _written(self, new: Sequence[tuple[Line, Read]]) -> list[tuple[Line, Read]]:
        """Write orders; return those that somebody else had written meanwhile."""
        if self._dry:
            return []
        changes = [self._store.change(bringing(self._account_id, read.write)) for _, read in new]
        outcomes: list[Outcome] = await asyncio.gather(*changes)
        return [one for one, outcome in zip(new, outcomes, strict=True) if not outcome.answer.orders]

    def _compared(self, line: Line, read: Read, view: View | None) -> Result:
        """Say whether what is there is what would be written."""
        order = read.write.order
        if view is None or view.order.order_id != order.order_id:
            reason = Reason(
                "order_id_taken", f"Another order of the account has its order_id {order.order_id} or its id {order.id}"
            )
            return _refused(line, order.order_id, [reason])
        if view.order.status is Status.ERASED:
            return _refused(line, order.order_id, [Reason("order_erased", "It was there, and was erased")])
        there = order_json(self._account_id, replace(view, order=replace(view.order, version=0)))
        shown = self._reader.answered(read.write, version=0)
        differences = compared(shown, there)
        if there != shown and not differences:
            differences = (Difference("", "other fields", None),)
        if differences:
            return _refused(line, order.order_id, [_reason(one, there=True) for one in differences])
        return Result(line=line, fate="there", order_id=order.order_id)


def _imported(line: Line, read: Read) -> Result:
    return Result(line=line, fate="imported", order_id=read.write.order.order_id, differences=read.differences)


def _refused(line: Line, order_id: str | None, reasons: Sequence[Reason]) -> Result:
    return Result(line=line, fate="refused", order_id=order_id, reasons=tuple(reasons))


def _reason(one: Difference, *, there: bool = False) -> Reason:
    becomes = "nothing" if one.becomes is None else one.becomes
    if there:
        return Reason("order_differs", f"It is there, and says {becomes} where the line says {one.said}", one.path)
    return Reason("differs", f"The order would say {becomes} where the line says {one.said}", one.path)

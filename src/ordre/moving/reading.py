"""A line of a file to an order that can be written, and in what it differs from what the line says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec

from ordre.api.http.errors import Failure
from ordre.api.http.requests import Bodies
from ordre.api.wire.answers import order_json
from ordre.api.wire.common import json_text, milliseconds
from ordre.application.change import OrderWrite
from ordre.application.documents import Documents
from ordre.application.lists import EventPage
from ordre.application.restoring import StepRefused, restored
from ordre.application.views import FactRow, View
from ordre.db.codec import fields_text, items_text, text
from ordre.domain.order.conditions import Limits
from ordre.domain.order.facts import CommentDeleted, ServiceReported
from ordre.domain.refusals import Refused
from ordre.moving.documents import ImportedOrder
from ordre.moving.steps import Steps

_COLLECTIONS = ("sessions", "authorizations", "captures", "refunds", "cancellations", "comments", "events")
_NOT_COMPARED = ("version", "events", "_links", "state", "created_by_name")
_SHOWN = 200
_plain = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line is refused. ``path`` is that of the field, where one is at fault."""

    code: str
    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the line says at a path, and what the order will say there; both as JSON, None where that says nothing."""

    path: str
    said: str
    becomes: str | None


class Unfit(Exception):  # noqa: N818 - it is named for the state it tells of
    """A line is no order that can be brought in."""

    def __init__(self, order_id: str | None, *reasons: Reason) -> None:
        super().__init__("; ".join(one.message for one in reasons))
        self.order_id, self.reasons = order_id, reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An order that can be written."""

    write: OrderWrite
    differences: tuple[Difference, ...]


class Reader:
    """Reads lines for an account."""

    def __init__(self, account_id: str, documents: Documents, limits: Limits, depth: int) -> None:
        self._account_id, self._documents, self._limits = account_id, documents, limits
        self._bodies = Bodies(ImportedOrder, depth)

    def read(self, line: bytes) -> Read:
        """Return the order that a line says.

        Raises:
            Unfit: With every fault that is found.
        """
        document = self._decoded(line)
        try:
            steps = Steps(document, line, self._account_id)
            write = restored(self._documents, self._account_id, steps.steps(), self._limits)
        except StepRefused as refused:
            raise Unfit(_named(line), *_reasons(refused, refused.where)) from refused
        except (msgspec.MsgspecError, ValueError) as error:
            raise Unfit(_named(line), Reason("invalid_value", f"{error}")) from error
        return Read(write=write, differences=tuple(self._differences(line, document, steps, write)))

    def _decoded(self, line: bytes) -> ImportedOrder:
        try:
            document = self._bodies.decode(line)
        except Failure as failure:
            raise Unfit(None, Reason(failure.code, failure.message)) from failure
        except Refused as refused:
            raise Unfit(_named(line), *_reasons(refused, "")) from refused
        if b'"deleted_at"' in line and "deleted_at" in _plain(line):
            raise Unfit(_named(line), Reason("order_erased", "It was erased, and there is nothing to bring in"))
        return document

    def answered(self, write: OrderWrite, *, version: int, events: bool = False, names: Mapping[str, str] | None = None) -> bytes:
        """Return the order as it will be answered, but for its version, with all of its events where they are wanted."""
        if write.content is None:
            raise AssertionError("a new order has content")
        page = EventPage(facts=_rows(write), deleted=_deleted(write), reports=_reports(write)) if events else None
        view = View(
            order=replace(write.order, version=version),
            fields=fields_text(write.content.fields).encode(),
            items=items_text(write.content.items).encode(),
            shown=[(new.fact.type, new.document.encode()) for new in write.facts if new.document and _is_part(new.fact)],
            events=page,
        )
        return order_json(self._account_id, view, names or {})

    def _differences(self, line: bytes, document: ImportedOrder, steps: Steps, write: OrderWrite) -> Iterator[Difference]:
        """Yield in what the order will differ. Where it will be the same text, no field is looked at."""
        version = document.version if isinstance(document.version, int) else write.order.version
        becomes = self.answered(write, version=version, events=steps.has_events, names=steps.names)
        if becomes != line:
            yield from _differing("", _plain(line), _plain(becomes))


def compared(line: bytes, there: bytes) -> tuple[Difference, ...]:
    """Return in what an order that is there differs from the one that would be written."""
    return () if line == there else tuple(_differing("", _plain(line), _plain(there)))


def _differing(path: str, said: Any, becomes: Any) -> Iterator[Difference]:
    inside = f"{path}." if path else ""
    if isinstance(said, dict) and isinstance(becomes, dict):
        for name, value in said.items():
            if name not in _NOT_COMPARED:
                yield from _differing(f"{inside}{name}", value, becomes.get(name))
    elif isinstance(said, list) and isinstance(becomes, list) and len(said) == len(becomes):
        for place, (one, other) in enumerate(zip(said, becomes, strict=True)):
            yield from _differing(f"{path}[{place}]", one, other)
    elif said != becomes and not (said in (None, [], {}) and becomes is None) and not _same_instant(said, becomes):
        yield Difference(path, _short(said), None if becomes is None else _short(becomes))


def _same_instant(said: Any, becomes: Any) -> bool:
    if not (isinstance(said, str) and isinstance(becomes, str)):
        return False
    try:
        return milliseconds(said) == milliseconds(becomes)
    except ValueError:
        return False


def _short(value: Any) -> str:
    text_ = json_text(value)
    return text_ if len(text_) <= _SHOWN else f"{text_[:_SHOWN]}..."


def _named(line: bytes) -> str | None:
    """Return the ``order_id`` of a line, or else its ``id``."""
    found = _plain(line)
    named = (found.get("order_id") or found.get("id")) if isinstance(found, dict) else None
    return named if isinstance(named, str) else None


def _reasons(refused: Refused, where: str) -> Sequence[Reason]:
    return [Reason(one.code, one.message, ".".join([part for part in (where, one.path) if part])) for one in refused.refusals]


def _is_part(fact: object) -> bool:
    return not isinstance(fact, ServiceReported)


def _rows(write: OrderWrite) -> list[FactRow]:
    return [
        FactRow(
            version=new.version,
            type=new.fact.type,
            at=new.at,
            actor=new.by,
            ref=new.fact.ref,
            data="",
            document=new.document,
            event=new.event,
            salt="",
            digest="",
            hash="",
        )
        for new in write.facts
    ]


def _deleted(write: OrderWrite) -> frozenset[str]:
    return frozenset(new.fact.ref for new in write.facts if isinstance(new.fact, CommentDeleted))


def _reports(write: OrderWrite) -> list[str]:
    return [text(new.fact) for new in write.facts if isinstance(new.fact, ServiceReported) and new.event]

"""A document to what happened to its order, step by step."""

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import UnsetType

from ordre.api.wire.common import Maybe, given, json_fields, json_text, milliseconds, object_text, without_nulls
from ordre.api.wire.events import request_event
from ordre.api.wire.items import item_stores, priced, shown_item
from ordre.api.wire.operations import fingerprint_of
from ordre.api.wire.orders import READ_BY_RULES, about_change
from ordre.application.ids import id_floor
from ordre.application.restoring import IMPORT, Joined, Step, Touched, What
from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order.lifecycle import Cancel, Close, Comment, DeleteComment, Open, Report
from ordre.domain.order.parts import About, Content, EventState, JsonFields, Reason
from ordre.domain.order.paying import Record, StartSession
from ordre.domain.order.placing import Place
from ordre.moving.documents import (
    ONLY_IMPORTED,
    Imported,
    ImportedEvent,
    ImportedItem,
    ImportedOperation,
    ImportedOrder,
    ImportedReport,
)

_KINDS = {
    "authorizations": Kind.AUTHORIZATION,
    "captures": Kind.CAPTURE,
    "refunds": Kind.REFUND,
    "cancellations": Kind.CANCELLATION,
}
_MADE = ("id", "created_at", "created_by", "_links")
_OF_EVENT = ("id", "created_at", "created_by", "created_by_name", "version", "event_type")
"""What an event shows besides what is kept of it."""
_RANKS = {
    lane: rank
    for rank, lane in enumerate(("joined", "sessions", *_KINDS, "events", "comments", "deletions", "open", "close", "cancel", ""))
}
"""In which order steps of one instant are tried first."""
_LINKED = frozenset((*_KINDS, "sessions", "events"))
"""Lanes whose steps show the drafts that their order came from by then."""
_PATH = re.compile(r".*/orders/[^/]+(?:/(\w+))?(?:/([^/]+))?/?")
_DRAFT = re.compile(r".*/draft_orders/([^/]+)")
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raws = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_event = msgspec.json.Decoder(ImportedEvent).decode
_report = msgspec.json.Decoder(ImportedReport).decode
Keys = Mapping[str, msgspec.Raw]
T = TypeVar("T", bound=Imported)
Told = tuple[ImportedEvent, Keys]


def new_id(at: int, *parts: str) -> str:
    """Return a UUID of version 7 of an instant, always the same for these parts: whoever imports twice finds it again."""
    digest = sha256("\n".join(parts).encode()).hexdigest()
    return f"{at >> 16:08x}-{at & 0xFFFF:04x}-7{digest[:3]}-8{digest[3:6]}-{digest[6:18]}"


def sorts(id_: str, at: int) -> bool:
    """Whether an id is a UUID that stands among the others where an order that was made at this instant belongs."""
    try:
        canonical = str(UUID(id_)) == id_
    except ValueError:
        return False
    return canonical and id_floor(at) <= id_ < id_floor(at + 1)


class Steps:
    """The steps of one document. ``text`` is the document itself, whose fields keep their order."""

    def __init__(self, document: ImportedOrder, text: bytes, account_id: str) -> None:
        self._document, self._account_id = document, account_id
        self._keys: Keys = _raw(text)
        self.created_at = milliseconds(document.created_at)
        self._created_by = given(document.created_by) or IMPORT
        own = given(document.id)
        named = own or given(document.order_id) or given(document.order_number) or text.decode()
        self.id = own if own and sorts(own, self.created_at) else new_id(self.created_at, account_id, named)
        self.order_id = given(document.order_id) or own or self.id
        self._drafts = _drafts(document.links)
        self.names: dict[str, str] = {}
        """Clients by id, as events name them."""
        self.is_whole = False
        """Whether the document tells of each version of the order."""

    @property
    def has_events(self) -> bool:
        """Whether the order was asked for with its events."""
        return "state" in self._keys

    def steps(self) -> list[Step]:
        """Return the steps, oldest first."""
        happened = [*self._operations(), *self._sessions(), *self._comments()]
        events = [(_event(raw), _raw(raw)) for raw in self._document.events]
        self.names = {
            given(event.created_by) or "": event.created_by_name
            for event, _ in events
            if not isinstance(event.created_by_name, UnsetType)
        }
        reports = [
            self._reported(place, _report(raw), told[1])
            for place, (raw, told) in enumerate(zip(self._document.events, events, strict=True))
            if told[0].event_type == "service-event"
        ]
        found = self._whole(events, happened, reports) or self._merged(events, happened, reports)
        for one in found:
            one.event = one.event or self._imported(one)
        return [*found, *self._last(found)]

    # What the order is

    def _placed(self, event: str, draft_id: str | None) -> Step:
        document = self._document
        amounts = tuple(_priced(item) for item in document.items)
        shown: dict[int, JsonFields] = {}
        for item, amount, keys in zip(document.items, amounts, _raws(self._keys["items"]), strict=True):
            shown[amount.line_id] = _ordered(shown_item(item, amount, given(item.version) or 1), keys)
        fields = without_nulls(json_fields(document, *READ_BY_RULES, *ONLY_IMPORTED))
        own = given(document.id)
        if own is not None and own not in (self.id, self.order_id):
            fields["external_ids"] = _with_id(fields.get("external_ids", "[]"), own)
        place = Place(
            id=self.id,
            order_id=self.order_id,
            order_number=given(document.order_number),
            currency=document.currency,
            multiple_authorizations=given(document.multiple_authorizations) or False,
            items=amounts,
            content=Content(fields=_ordered(fields, self._keys), items=shown),
            about=About(**about_change(document), item_store_ids=item_stores(document.items)),
            gross=given(document.gross_amount),
            net=given(document.net_amount),
            draft_id=draft_id,
        )
        return Step(at=self.created_at, by=self._created_by, what=place, event=event)

    # What happened to it

    def _operations(self) -> Iterator[Step]:
        for name, kind in _KINDS.items():
            entries: Sequence[ImportedOperation] = getattr(self._document, name)
            for place, (one, keys) in enumerate(self._with_keys(name, entries)):
                id_, sent = self._id(one.id, name, place), json_fields(one, *_MADE, "amount")
                shown = {field: value for field, value in sent.items() if value != "null" and field != "success"}
                fields = _ordered(shown, keys)
                command = Record(
                    kind=kind,
                    id=id_,
                    items=tuple((item.line_id, item.amount) for item in one.items),
                    success=one.success is not False,
                    authorization_id=given(one.authorization_id),
                    fingerprint=_fingerprint(sent, kind, id_),
                    amount=given(one.amount),
                    fields=fields,
                )
                yield self._step(name, place, one, command, fields)

    def _sessions(self) -> Iterator[Step]:
        for place, (one, keys) in enumerate(self._with_keys("sessions", self._document.sessions)):
            items = tuple((int(item.line_id), given(item.amount) or 0) for item in one.items)
            fields = _ordered(without_nulls(json_fields(one, *_MADE, "items", "amount")), keys)
            command = StartSession(id=self._id(one.id, "sessions", place), items=items, amount=given(one.amount), fields=fields)
            yield self._step("sessions", place, one, command, fields)

    def _comments(self) -> Iterator[Step]:
        for place, (one, keys) in enumerate(self._with_keys("comments", self._document.comments)):
            id_ = self._id(one.id, "comments", place)
            fields = without_nulls(json_fields(one, *_MADE, "deleted_at", "deleted_by"))
            fields.setdefault("visibility", '"private"')
            fields = _ordered(fields, keys)
            is_deleted = not isinstance(one.deleted_at, UnsetType)
            if is_deleted:
                fields = {name: value for name, value in fields.items() if name != "body"}
            yield self._step("comments", place, one, Comment(id=id_, fields=fields), fields)
            if not isinstance(one.deleted_at, UnsetType):
                at, by = milliseconds(one.deleted_at), given(one.deleted_by) or IMPORT
                yield Step(at=at, by=by, what=DeleteComment(id=id_), where=f"comments[{place}]", lane="deletions")

    def _reported(self, place: int, one: ImportedReport, keys: Keys) -> Step:
        state = one.state or "success"
        fields = {"state": json_text(state), **without_nulls(json_fields(one, *_MADE, "state"))}
        report = Report(
            id=self._id(one.id, "events", place), service=one.service, state=EventState(state), fields=_ordered(fields, keys)
        )
        return self._step("events", place, one, report, report.fields)

    def _step(self, lane: str, place: int, one: Imported, what: What, extra: JsonFields) -> Step:
        at = self.created_at if isinstance(one.created_at, UnsetType) else milliseconds(one.created_at)
        by = given(one.created_by) or self._created_by
        drafts = self._joined_by(_drafts(given(one.links) or ()))
        return Step(at=at, by=by, what=what, where=f"{lane}[{place}]", lane=lane, extra=extra, drafts=drafts)

    def _joined_by(self, linked: Sequence[str]) -> Sequence[str]:
        """Return the drafts that the order came from when these were the latest."""
        return self._drafts[: self._drafts.index(linked[-1]) + 1] if linked and linked[-1] in self._drafts else linked

    def _id(self, id_: Maybe[str], name: str, place: int) -> str:
        return given(id_) or new_id(self.created_at, self._account_id, self.id, name, str(place))

    def _with_keys(self, name: str, entries: Sequence[T]) -> Iterator[tuple[T, Keys]]:
        return zip(entries, _raws(self._keys[name]), strict=True) if entries else iter(())

    # In which order

    def _whole(self, events: Sequence[Told], happened: Sequence[Step], reports: Sequence[Step]) -> list[Step] | None:
        """Return the steps by the versions that events name; None where these do not tell of each."""
        versions = [given(event.version) for event, _ in events]
        if not events or versions != list(range(1, (given(self._document.version) or 0) + 1)):
            return None
        lanes, reported = _lanes(happened), iter(reports)
        first, raw = events[0]
        steps = [self._placed(_kept(raw), given(first.draft_id))]
        for event, raw in events[1:]:
            steps.append(next(reported) if event.event_type == "service-event" else self._of_event(event, raw, lanes))
        if any(lanes.values()):
            return None
        self.is_whole = True
        return steps

    def _merged(self, events: Sequence[Told], happened: Sequence[Step], reports: Sequence[Step]) -> list[Step]:
        """Return the steps by their instants, with those events that tell of one."""
        lanes, document = _lanes(happened), self._document
        own = [(event, raw) for event, raw in events if event.event_type != "service-event"]
        first = _kept(own[0][1]) if own and _lane_of(own[0][0]) == "" else ""
        steps = [self._of_event(event, raw, lanes) for event, raw in (own[1:] if first else own)]
        steps += [*reports, *(one for lane in lanes.values() for one in lane)]
        done = {one.lane for one in steps}
        if not isinstance(document.closed_at, UnsetType) and document.closed_at and "close" not in done:
            by = given(document.closed_by) or IMPORT
            steps.append(Step(at=milliseconds(document.closed_at), by=by, what=Close(), where="closed_at", lane="close"))
        if not isinstance(document.cancelled_at, UnsetType) and document.cancelled_at and "cancel" not in done:
            by, what = given(document.cancelled_by) or IMPORT, Cancel(reason=self._reason)
            steps.append(Step(at=milliseconds(document.cancelled_at), by=by, what=what, where="cancelled_at", lane="cancel"))
        steps.sort(key=lambda one: (one.at, len(one.drafts), _RANKS[one.lane]))
        linked = next((one.drafts for one in steps if one.lane in _LINKED), self._drafts)
        return [self._placed(first, linked[0] if linked else None), *steps]

    def _of_event(self, event: ImportedEvent, raw: Keys, lanes: Mapping[str, deque[Step]]) -> Step:
        """Return the step that an event tells of."""
        lane, kept = _lane_of(event), _kept(raw)
        if lanes.get(lane):
            step = lanes[lane].popleft()
            if not (isinstance(step.what, Comment) and "body" not in step.what.fields):
                step.event = kept
            return step
        at, by = milliseconds(event.created_at), given(event.created_by) or IMPORT
        draft = given(event.draft_id)
        changes: dict[str, What] = {"open": Open(), "close": Close(), "cancel": Cancel(reason=self._reason)}
        if draft is not None:
            return Step(at=at, by=by, what=Joined(draft), lane="joined", event=kept)
        return Step(at=at, by=by, what=changes.get(lane, Touched()), lane=lane if lane in changes else "", event=kept)

    @property
    def _reason(self) -> Reason:
        return Reason(given(self._document.cancelled_reason) or "other")

    def _last(self, steps: Sequence[Step]) -> Iterator[Step]:
        """Yield what brings the order's drafts and its last instant to what the document says."""
        at, by = steps[-1].at, IMPORT
        updated = None if isinstance(self._document.updated_at, UnsetType) else milliseconds(self._document.updated_at)
        told = {one.what.draft_id for one in steps if isinstance(one.what, Joined | Place)}
        told.update(draft for one in steps for draft in one.drafts)
        missing = [draft for draft in self._drafts if draft not in told]
        for draft in missing:
            yield Step(at=at if updated is None else updated, by=by, what=Joined(draft), lane="joined")
        if updated not in (None, at) and not missing:
            yield Step(at=updated or 0, by=by, what=Touched())

    def _imported(self, step: Step) -> str:
        """Return the event of a step that no event tells of; none of a comment whose text is gone, as it has none here either."""
        if isinstance(step.what, Comment) and "body" not in step.what.fields:
            return ""
        path = f"/v1/accounts/{self._account_id}/shopping/orders"
        tail = "" if isinstance(step.what, Place) else f"/{self.id}"
        lane = "comments" if step.lane == "deletions" else step.lane
        return request_event("IMPORT", f"{path}{tail}{f'/{lane}' if lane else ''}", "")


def _priced(item: ImportedItem) -> PricedItem:
    """Return the amounts of an item. An update may leave a line less than its additions and taxes: they are not judged again."""
    found = priced(item)
    return PricedItem(line_id=found.line_id, gross=found.gross, discounts=found.discounts, net=found.net)


def _lanes(happened: Sequence[Step]) -> dict[str, deque[Step]]:
    found: dict[str, deque[Step]] = defaultdict(deque)
    for one in happened:
        found[one.lane].append(one)
    return found


def _lane_of(event: ImportedEvent) -> str:
    """Return the lane of what an event tells of; none where it made or changed the order."""
    found = None if isinstance(event.request, UnsetType) else _PATH.fullmatch(event.request.path)
    if found is None or found[1] is None:
        return ""
    lane: str = found[1]
    return "deletions" if lane == "comments" and found[2] else lane if lane in _RANKS else ""


def _kept(raw: Keys) -> str:
    """Return the part of an event that is kept, as compact JSON; nothing where it does not say what was asked for."""
    kept = {name: value for name, value in raw.items() if name not in _OF_EVENT}
    if "request" not in kept:
        return ""
    return object_text({name: msgspec.json.format(bytes(value), indent=-1).decode() for name, value in kept.items()})


def _drafts(links: Sequence[msgspec.Struct]) -> list[str]:
    return [found[1] for link in links if (found := _DRAFT.fullmatch(getattr(link, "href", "")))]


def _fingerprint(fields: JsonFields, kind: Kind, id_: str) -> str:
    """Return the fingerprint that it has if it was sent with nothing that follows by itself."""
    own = ("authorization_id", json_text(id_)) if kind is Kind.AUTHORIZATION else None
    sent = {name: value for name, value in fields.items() if (name, value) not in (own, ("success", "true"))}
    return fingerprint_of(sent)


def _ordered(fields: JsonFields, keys: Keys) -> dict[str, str]:
    """Return the fields in the order of the document's; others come last."""
    return {**{name: fields[name] for name in keys if name in fields}, **fields}


def _with_id(external_ids: str, id_: str) -> str:
    """Return external ids with one more."""
    entry = json_text({"id": id_, "description": "id before the import"})
    inside = external_ids[1:-1]
    return f"[{inside},{entry}]" if inside else f"[{entry}]"

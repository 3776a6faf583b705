"""Events: what services report, and every change of the order as an api-event."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal
from uuid import UUID, uuid5

from msgspec import UNSET, Meta, UnsetType, field

from ordre.api.wire.common import (
    DateTime,
    Link,
    Maybe,
    Metadata,
    OperationId,
    ShortText,
    Text,
    Uuid,
    Wire,
    decoder,
    given,
    instant,
    json_fields,
    json_text,
    object_text,
    without_nulls,
)
from ordre.api.wire.orders import NewComment
from ordre.application.lists import EventPage
from ordre.application.views import FactRow
from ordre.domain.order.facts import CommentDeleted, Commented, ServiceReported
from ordre.domain.order.lifecycle import Comment, Report
from ordre.domain.order.order import state_of
from ordre.domain.order.parts import EventState

State = Literal["error", "failure", "success", "pending"]
EventType = Literal["api-event", "service-event"]


class NewEvent(Wire):
    """What a service reports of the order. ``service`` tells apart whose status it is.

    Attributes:
        service: Who reports, such as `kitchen`; its latest report counts
        service_status: The service's own word for how far it is
        state: What that means for the order
        description: The text for people
        metadata: Anything of yours, a JSON object of at most 16 KiB
        id: An id of your own, one of its own on the order
    """

    service: Annotated[str, Meta(min_length=1, max_length=255)]
    service_status: ShortText
    state: State | None = "success"
    description: Maybe[Text] = UNSET
    metadata: Maybe[Metadata] = UNSET
    id: Maybe[OperationId] = UNSET


class ServiceEvent(Wire, kw_only=True, tag_field="event_type", tag="service-event"):
    """What a service reported. ``version`` is the order's version that it made.

    Attributes:
        id: The event's id
        created_at: When it was reported
        created_by: The id of the client that reported it
        created_by_name: What that client is called now
        state: What it means for the order
        service: Who reported
        service_status: The service's own word for how far it is
        description: The text for people
        metadata: Anything of yours, a JSON object of at most 16 KiB
        version: The version of the order that it made
        links: Where to find the drafts that the order came from, the latest ten of them
        event_type: Tells it apart from an `api-event`
    """

    id: str
    created_at: DateTime
    created_by: str
    created_by_name: str | UnsetType = UNSET
    state: State
    service: str
    service_status: str
    description: Maybe[Text] = UNSET
    metadata: Maybe[Metadata] = UNSET
    version: int
    links: list[Link] = field(name="_links")


class Request(Wire):
    """The request that made a change.

    Attributes:
        path: The path that was called
        method: The HTTP method
        body: The body as it was sent; where more than 16 KiB of it are not taken, without what is not
    """

    path: str
    method: str
    body: str


class ApiEvent(Wire, kw_only=True, tag_field="event_type", tag="api-event"):
    """A change of an order or draft.

    Attributes:
        id: The event's id
        created_at: When the change was made
        created_by: The id of the client that made it
        created_by_name: What that client is called now
        version: The version that it made
        request: The request that made it
        draft_id: The draft that was completed
        event_type: Tells it apart from a `service-event`
    """

    id: Uuid
    created_at: DateTime
    created_by: str
    created_by_name: str | UnsetType = UNSET
    version: int
    request: Request
    draft_id: str | UnsetType = UNSET


class Events(Wire):
    """``state`` combines what services reported.

    Attributes:
        events: The page's events, oldest first
        state: What the reports of services combine to: `failure` if any is an error or failure; `pending` if there is
            none, or the latest of any service is pending; else `success`
    """

    events: list[ApiEvent | ServiceEvent]
    state: Literal["failure", "success", "pending"]


class _Reported(Wire):
    service: str
    state: State = "success"


_reported = decoder(_Reported)


def report(event: NewEvent, new_id: str) -> Report:
    """Return the command that records what the service reports."""
    state = event.state or "success"
    fields = {"state": json_text(state), **without_nulls(json_fields(event, "id", "state"))}
    return Report(id=given(event.id) or new_id, service=event.service, state=EventState(state), fields=fields)


def comment(sent: NewComment, id_: str) -> Comment:
    """Return the command that adds the comment."""
    fields = {"body": json_text(sent.body), "visibility": json_text(sent.visibility or "private")}
    return Comment(id=id_, fields=fields)


def request_event(method: str, path: str, body: str, draft_id: str | None = None) -> str:
    """Return the request as the fact that it made keeps it, in JSON."""
    event: dict[str, object] = {"request": {"path": path, "method": method, "body": body}}
    if draft_id is not None:
        event["draft_id"] = draft_id
    return json_text(event)


def api_event(subject: str, version: int, at: int, by: str, event: str, name: str | None) -> str:
    """Return an api-event. Its id follows from the order or draft and its version, so it is the same at every reading.

    ``name`` is what the client is called whose id is ``by``, where that is known.
    """
    made = {
        "id": json_text(_event_id(subject, version)),
        "created_at": json_text(instant(at)),
        "created_by": json_text(by),
        **_named(name),
        "version": str(version),
        "event_type": '"api-event"',
    }
    return f"{object_text(made)[:-1]},{event[1:]}"


def service_event(document: str, version: int, name: str | None) -> str:
    """Return a service event as it is answered; ``version`` is the order's version that it made, ``name`` the client's."""
    more = object_text({"event_type": '"service-event"', "version": str(version), **_named(name)})
    return f"{document[:-1]},{more[1:]}"


def _named(name: str | None) -> dict[str, str]:
    return {} if name is None else {"created_by_name": json_text(name)}


def order_events(
    account_id: str,
    order_id: str,
    page: EventPage[FactRow],
    names: Mapping[str, str],
) -> list[str]:
    """Return the events of a page, oldest first; what was erased shows none.

    ``names`` are those of the account's clients, by id. Of a comment that was deleted, the request is shown without its text.
    """
    found = []
    for fact in page.facts:
        event = fact.event
        if fact.type == Commented.type and fact.document and (not event or _deletion(fact) in page.deleted):
            event = request_event("POST", f"/v1/accounts/{account_id}/shopping/orders/{order_id}/comments", "")
        if not event:
            continue
        name = names.get(fact.actor)
        if fact.type == ServiceReported.type:
            found.append(service_event(fact.document, fact.version, name))
        else:
            found.append(api_event(order_id, fact.version, fact.at, fact.actor, event, name))
    return found


def _deletion(comment: FactRow) -> str:
    return CommentDeleted(id=comment.ref or "").ref


def version_of(order_id: str, version: int, event: str) -> int | None:
    """Return the version up to this one that has an api-event of this id."""
    return next((one for one in range(1, version + 1) if _event_id(order_id, one) == event), None)


def _event_id(subject: str, version: int) -> str:
    return str(uuid5(UUID(subject), str(version)))


def state_of_reports(texts: Iterable[str]) -> str:
    """Return the combined state of all that services reported, which is JSON, oldest first."""
    reports = map(_reported.decode, texts)
    return state_of([(one.service, EventState(one.state)) for one in reports]).value

"""Handlers of payment operations and sessions: what happened to money elsewhere is recorded, listed, read."""

from collections.abc import Sequence

from ordre.api.handlers.orders import page_headers
from ordre.api.http.context import Context, Reply
from ordre.api.wire.answers import COLLECTIONS, id_of, listed
from ordre.api.wire.common import given
from ordre.api.wire.operations import NewOperation, NewSession, record, start_session
from ordre.api.wire.queries import NoBody, NoQuery, SubList
from ordre.application.change import Outcome
from ordre.application.lists import PAGE_BYTES, PAGE_ENTRIES, fitting
from ordre.application.orders import execute
from ordre.domain.ledger import Kind
from ordre.domain.refusals import InvalidValue, Refused, UnknownOperation, UnknownOrder, UnknownSession


async def authorize(context: Context, operation: NewOperation, _: NoQuery) -> Reply:
    """Record that money was set aside elsewhere, line by line. No more than what remains of each line."""
    return await _record(context, operation, Kind.AUTHORIZATION)


async def capture(context: Context, operation: NewOperation, _: NoQuery) -> Reply:
    """Record that authorized money was taken elsewhere, line by line.

    No more than is authorized and not yet captured or cancelled.
    """
    return await _record(context, operation, Kind.CAPTURE)


async def refund(context: Context, operation: NewOperation, _: NoQuery) -> Reply:
    """Record that captured money was given back elsewhere, line by line. No more than is captured and not yet refunded."""
    return await _record(context, operation, Kind.REFUND)


async def cancel(context: Context, operation: NewOperation, _: NoQuery) -> Reply:
    """Record that authorized money was let go elsewhere, line by line. What is cancelled may be authorized again."""
    return await _record(context, operation, Kind.CANCELLATION)


async def start(context: Context, session: NewSession, _: NoQuery) -> Reply:
    """Record that a payment session was started elsewhere. It moves nothing."""
    command = start_session(session, context.new_id())
    return written(await execute(context.store, context.call, context.order, command, context.limits))


async def list_authorizations(context: Context, _: NoBody, asked: SubList) -> Reply:
    """The order's authorizations, oldest first, failed ones too."""
    return await _list(context, asked, "authorization")


async def list_captures(context: Context, _: NoBody, asked: SubList) -> Reply:
    """The order's captures, oldest first, failed ones too."""
    return await _list(context, asked, "capture")


async def list_refunds(context: Context, _: NoBody, asked: SubList) -> Reply:
    """The order's refunds, oldest first, failed ones too."""
    return await _list(context, asked, "refund")


async def list_cancellations(context: Context, _: NoBody, asked: SubList) -> Reply:
    """The order's cancellations, oldest first, failed ones too."""
    return await _list(context, asked, "cancellation")


async def list_sessions(context: Context, _: NoBody, asked: SubList) -> Reply:
    """The order's payment sessions, oldest first."""
    return await _list(context, asked, "session")


async def read_authorization(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One authorization."""
    return await _read(context, "authorization")


async def read_capture(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One capture."""
    return await _read(context, "capture")


async def read_refund(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One refund."""
    return await _read(context, "refund")


async def read_cancellation(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One cancellation."""
    return await _read(context, "cancellation")


async def read_session(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One payment session."""
    return await _read(context, "session")


def written(outcome: Outcome) -> Reply:
    """Return the answer to a write that answers its own part of the order, such as an operation."""
    answer = outcome.answer
    if answer.document is None:
        raise AssertionError("a recorded fact is answered with its document")
    return Reply(body=answer.document, version=answer.version, replayed=outcome.replayed)


async def _record(context: Context, operation: NewOperation, kind: Kind) -> Reply:
    command = record(kind, operation, context.new_id())
    return written(await execute(context.store, context.call, context.order, command, context.limits))


async def _list(context: Context, asked: SubList, type_: str) -> Reply:
    documents = await context.store.shown(context.account_id, context.order, type_)
    if documents is None:
        raise Refused(UnknownOrder())
    rows, headers = page_of(context, documents, asked)
    return Reply(body=listed(COLLECTIONS[type_], [row.encode() for row in rows]), headers=headers)


def page_of(context: Context, documents: Sequence[str], asked: SubList) -> tuple[Sequence[str], dict[str, str]]:
    """Return the page that is asked for of what an order holds, and its headers."""
    left = documents if asked.starting_after is None else _after(documents, asked.starting_after)
    rows = left[: min(fitting(map(len, left), PAGE_BYTES), given(asked.limit) or PAGE_ENTRIES)]
    total = len(documents) if asked.total else None
    return rows, page_headers(context, len(rows) < len(left), total, id_of(rows[-1]) if rows else None)


def _after(documents: Sequence[str], id_: str) -> Sequence[str]:
    for place, document in enumerate(documents, 1):
        if id_of(document) == id_:
            return documents[place:]
    raise Refused(InvalidValue(path="starting_after", reason="Must be the id of an entry of this list"))


async def _read(context: Context, type_: str) -> Reply:
    id_ = context.path[f"{type_}_id"]
    document = await context.store.shown_one(context.account_id, context.order, type_, id_)
    if document is None:
        raise Refused(UnknownSession() if type_ == "session" else UnknownOperation(kind=type_))
    return Reply(body=document)

"""The rules: ``decide(order, command) -> facts``.

Each rule is a function beside its command; its conditions stand in their order of precedence, which is part of the API. A
command that changes nothing (opening an open order, repeating an operation) is answered with no facts.
"""

from dataclasses import dataclass

from ordre.domain.order import lifecycle, paying, placing
from ordre.domain.order.conditions import LIMITS, Earlier, Limits
from ordre.domain.order.facts import CommentDeleted, Fact
from ordre.domain.order.lifecycle import Cancel, Close, Comment, DeleteComment, Erase, Open, Report
from ordre.domain.order.order import Order, Status
from ordre.domain.order.parts import Content, JsonFields
from ordre.domain.order.paying import Record, StartSession
from ordre.domain.order.placing import AddLines, Place, Replace, Update
from ordre.domain.refusals import OrderErased, Refused, UnknownOrder

Command = (
    Place | Replace | AddLines | Update | Record | StartSession | Report | Comment | DeleteComment | Open | Close | Cancel | Erase
)
"""What a caller may want of an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The data that a command needs besides the order: what that shows (``content``), and its earlier facts of these names.

    ``empties`` says that it takes text away that is stored.
    """

    content: bool = False
    refs: tuple[str, ...] = ()
    empties: bool = False


def needs(command: Command) -> Needs:
    """Return the needs of ``decide`` for a command."""
    match command:
        case Update() | AddLines():
            return Needs(content=True)
        case Record(id=id) | StartSession(id=id) | Report(id=id):
            return Needs(refs=(id,))
        case DeleteComment(id=id):
            return Needs(refs=(id, CommentDeleted(id=id).ref), empties=True)
        case Erase():
            return Needs(content=True, empties=True)
        case Place() | Replace() | Comment() | Open() | Close() | Cancel():
            return Needs()


NO_EXTRA_FIELDS: JsonFields = {}


def extra_fields(command: Command) -> JsonFields:
    """Return the fields that a command gives its fact to show, besides those that the rules read."""
    match command:
        case Record() | StartSession() | Report() | Comment():
            return command.fields
        case Place() | Replace() | AddLines() | Update():  # these facts hold themselves what they show
            return NO_EXTRA_FIELDS
        case DeleteComment() | Open() | Close() | Cancel() | Erase():
            return NO_EXTRA_FIELDS


def decide(  # noqa: C901, PLR0912 - one flat table, a row a command
    order: Order | None, command: Command, earlier: Earlier, limits: Limits = LIMITS, content: Content | None = None
) -> tuple[Fact, ...]:
    """Return the facts that the command makes of the order, which is None where there is none.

    ``earlier`` and ``content`` are what the command ``needs``.

    Raises:
        Refused: With every fault of the first rule that is broken; nothing happens.
    """
    if isinstance(command, Place):
        return placing.place(order, command, limits)
    if order is None:
        raise Refused(UnknownOrder())
    if order.status is Status.ERASED and not isinstance(command, Erase):
        raise Refused(OrderErased())
    match command:
        case Record():
            return paying.record(order, command, earlier, limits)
        case Replace():
            return placing.replace_all(order, command, limits)
        case AddLines():
            return placing.add_lines(order, command, limits, content)
        case Update():
            return placing.update(order, command, content)
        case StartSession():
            return paying.start_session(order, command, earlier, limits)
        case Report():
            return lifecycle.report(order, command, earlier, limits)
        case Comment():
            return lifecycle.comment(order, command, limits)
        case DeleteComment():
            return lifecycle.delete_comment(command, earlier)
        case Open():
            return lifecycle.reopen(order)
        case Close():
            return lifecycle.close(order)
        case Cancel():
            return lifecycle.cancel(order, command)
        case Erase():
            return lifecycle.erase(order, command, content)

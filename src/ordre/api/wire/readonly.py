"""Which fields are answered and ignored when sent, so that an answer can be changed and sent back."""

from functools import cache

import msgspec

from ordre.api.wire.answers import Comment, OrderAnswer
from ordre.api.wire.drafts import DraftAnswer, DraftChange, DraftedOrder, DraftOrderChange, NewDraft, NewDraftOrder
from ordre.api.wire.events import NewEvent, ServiceEvent
from ordre.api.wire.items import ChangedItem, Item, NewItem, OrderItem
from ordre.api.wire.operations import NewOperation, NewSession, Operation, Session
from ordre.api.wire.orders import NewComment, NewOrder, OrderChange

ANSWERED_AS: dict[type[msgspec.Struct], tuple[type[msgspec.Struct], ...]] = {
    NewOrder: (OrderAnswer,),
    OrderChange: (OrderAnswer,),
    NewItem: (Item, OrderItem),
    ChangedItem: (OrderItem,),
    NewDraft: (DraftAnswer,),
    DraftChange: (DraftAnswer,),
    NewDraftOrder: (DraftedOrder,),
    DraftOrderChange: (DraftedOrder,),
    NewOperation: (Operation,),
    NewSession: (Session,),
    NewEvent: (ServiceEvent,),
    NewComment: (Comment,),
}
"""What a client sends -> what it may be answered as: a field that only the answers have is read-only."""


@cache
def read_only(sent: type[msgspec.Struct]) -> frozenset[str]:
    """Return the names of the fields that only the answers to this have."""
    names: set[str] = set()
    for answered in ANSWERED_AS.get(sent, ()):
        tag = answered.__struct_config__.tag_field
        names |= {*answered.__struct_encode_fields__, *([tag] if tag else [])}
    return frozenset(names.difference(sent.__struct_encode_fields__))

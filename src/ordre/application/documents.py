"""What facts show, in JSON, and what orders and drafts are found under: given to the store once, by whoever knows the wire."""

from collections.abc import Callable
from dataclasses import dataclass

from ordre.application.change import Call
from ordre.application.lists import Terms
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order
from ordre.domain.order.parts import JsonFields

Show = Callable[[Fact, JsonFields, Order, Call, str], str]
"""(fact, extra fields from its command, the order after it, who called, document of the earlier fact that it is about) -> what
the fact shows as a part of its order and its call is answered with, in JSON; empty where it is answered with the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Makes what is stored beside facts. What it makes follows from its arguments alone, so that it can be verified."""

    show: Show
    rest_of_earlier: Callable[[Fact, str], str | None]
    """(fact, document of the earlier fact that it is about) -> what that one shows from now on, None where it stays as it is."""
    terms: Terms

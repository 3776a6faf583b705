"""What all requests to one application share."""

from itertools import count

from ordre.api.http.client_names import ClientNames
from ordre.api.http.clock import Clock, Moved
from ordre.api.http.deadline import Deadline
from ordre.api.http.rates import Budget, Guesses, Rate
from ordre.api.http.turns import Exports, Followers, Turns
from ordre.application.store import Store
from ordre.auth.tokens import Tokens
from ordre.domain.order.conditions import Limits
from ordre.settings import Settings

BURST_SECONDS = 30
"""Of an account's budget so much can be spent at once."""


class Api:
    """Everything that the endpoints share."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, moved: Moved) -> None:
        self.store = store
        self.settings = settings
        self.clients = ClientNames(store)
        self.tokens = Tokens(store, settings.token_seconds)
        self.limits = Limits(
            lines=settings.max_lines,
            operations=settings.max_operations,
            events=settings.max_events,
            subscriptions=settings.max_subscriptions,
        )
        self.client_rate = Rate(settings.client_requests_per_second, burst_seconds=2)
        self.budget = Budget(settings.account_cost_per_second, BURST_SECONDS)
        self.turns, self.exports, self.followers = Turns(), Exports(), Followers()
        self.deadline, self.body_deadline = Deadline(settings.request_seconds), Deadline(settings.body_seconds)
        self.guesses = Guesses(settings.token_failures_per_minute)
        self.clock = clock
        self.moved = moved
        """Is awaited after a client has moved the clock."""
        self.account_numbers = count(1)
        """The numbers of accounts that are made for the asking."""

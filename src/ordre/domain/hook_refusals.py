"""The ways Ordre says no about webhooks, in the families of ``refusals``."""

from dataclasses import dataclass

from ordre.domain.refusals import NotNow, Unknown


class UnknownSubscription(Unknown):
    __slots__ = ()
    code = "unknown_subscription"
    message = "Subscription not found"


class UnknownDelivery(Unknown):
    __slots__ = ()
    code = "unknown_delivery"
    message = "Delivery not found on this subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLimit(NotNow):
    code = "subscription_limit"
    limit: int

    @property
    def message(self) -> str:
        return f"The account has {self.limit:,} subscriptions, which is the limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionNotActive(NotNow):
    code = "subscription_not_active"
    status: str

    @property
    def message(self) -> str:
        return f"The subscription is {self.status}: nothing is sent to it"


class SubscriptionSecretLost(NotNow):
    __slots__ = ()
    code = "subscription_secret_lost"
    message = "The database was restored without the subscription's secret: delete it, and make it anew"

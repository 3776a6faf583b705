"""Every operation of the API, one row each, in the order of the documentation."""

from ordre.api.operations.drafts import DRAFT_ROUTES
from ordre.api.operations.events import EVENT_ROUTES
from ordre.api.operations.feed import FEED_ROUTES
from ordre.api.operations.hooks import HOOK_ROUTES
from ordre.api.operations.orders import ORDER_ROUTES, STORE_AND_CUSTOMER_ROUTES
from ordre.api.operations.payments import PAYMENT_ROUTES
from ordre.api.operations.row import AnyRoute
from ordre.api.operations.service import SERVICE_ROUTES, TOKEN_ROUTES

OPERATIONS: tuple[AnyRoute, ...] = (
    *TOKEN_ROUTES,
    *DRAFT_ROUTES,
    *ORDER_ROUTES,
    *PAYMENT_ROUTES,
    *EVENT_ROUTES,
    *STORE_AND_CUSTOMER_ROUTES,
    *FEED_ROUTES,
    *HOOK_ROUTES,
    *SERVICE_ROUTES,
)

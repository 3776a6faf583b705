"""Every operation of the API, one row each, in the order of the documentation."""

from ordre.api.draft_routes import DRAFT_ROUTES
from ordre.api.event_routes import EVENT_ROUTES
from ordre.api.order_routes import ORDER_ROUTES, STORE_AND_CUSTOMER_ROUTES
from ordre.api.payment_routes import PAYMENT_ROUTES
from ordre.api.route import AnyRoute
from ordre.api.service_routes import SERVICE_ROUTES, TOKEN_ROUTES

OPERATIONS: tuple[AnyRoute, ...] = (
    *TOKEN_ROUTES,
    *DRAFT_ROUTES,
    *ORDER_ROUTES,
    *PAYMENT_ROUTES,
    *EVENT_ROUTES,
    *STORE_AND_CUSTOMER_ROUTES,
    *SERVICE_ROUTES,
)

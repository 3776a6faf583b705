"""One table of all that is served: the operations, and the pages and what tests want beside them."""

from ordre.api.operations import OPERATIONS
from ordre.api.plain_routes import PLAIN_ROUTES
from ordre.api.route import AnyRoute, PlainRoute

ROUTES: tuple[AnyRoute | PlainRoute, ...] = (*OPERATIONS, *PLAIN_ROUTES)

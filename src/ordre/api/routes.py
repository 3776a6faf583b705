"""One table of all that is served: the operations, and the pages and what tests want beside them."""

from ordre.api.document import pages
from ordre.api.handlers import sandbox
from ordre.api.operations.row import AnyRoute, PlainRoute
from ordre.api.operations.table import OPERATIONS

PLAIN_ROUTES = (
    PlainRoute(method="GET", path="/clock", only_with="clock", handler=sandbox.read_clock),
    PlainRoute(method="PUT", path="/clock", only_with="clock", handler=sandbox.move_clock),
    PlainRoute(method="POST", path="/accounts", only_with="ephemeral", handler=sandbox.make_account),
    PlainRoute(method="GET", path="/", handler=pages.home),
    PlainRoute(method="GET", path="/openapi.json", handler=pages.document),
    PlainRoute(method="GET", path="/docs", handler=pages.docs),
    PlainRoute(method="GET", path="/docs/{name}", handler=pages.own),
    PlainRoute(method="GET", path="/docs/assets/{name}", handler=pages.asset),
)
ROUTES: tuple[AnyRoute | PlainRoute, ...] = (*OPERATIONS, *PLAIN_ROUTES)

"""What is served beside the operations: what tests want, and the pages."""

from ordre.api import pages, sandbox
from ordre.api.route import PlainRoute

PLAIN_ROUTES = (
    PlainRoute(method="GET", path="/clock", only_with="clock", handler=sandbox.read_clock),
    PlainRoute(method="PUT", path="/clock", only_with="clock", handler=sandbox.move_clock),
    PlainRoute(method="POST", path="/accounts", only_with="ephemeral", handler=sandbox.make_account),
    PlainRoute(method="GET", path="/", handler=pages.home),
    PlainRoute(method="GET", path="/openapi.json", handler=pages.document),
    PlainRoute(method="GET", path="/docs", handler=pages.docs),
    PlainRoute(method="GET", path="/docs/{name:str}", handler=pages.own),
    PlainRoute(method="GET", path="/docs/assets/{name:str}", handler=pages.asset),
)

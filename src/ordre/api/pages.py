"""The OpenAPI document, and a page to read and try it on, from assets that an installed package carries."""

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ordre.api.openapi import document_text

_POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ordre: the API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="api"></div>
<noscript>The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});\n'


def routes() -> list[BaseRoute]:
    """Return the pages' routes."""
    assets = StaticFiles(directory=str(files("swagger_ui").joinpath("static")))
    return [
        Route("/", _home),
        Route("/openapi.json", _document),
        Route("/docs", _docs),
        Route("/docs/start.js", _start),
        Mount("/docs/assets", assets),
    ]


@cache
def _text() -> str:
    return document_text()


async def _home(_: Request) -> Response:
    return RedirectResponse("/docs")


async def _document(_: Request) -> Response:
    return Response(_text(), media_type="application/json")


async def _docs(_: Request) -> Response:
    return HTMLResponse(_PAGE, headers={"content-security-policy": _POLICY})


async def _start(_: Request) -> Response:
    return Response(_START, media_type="text/javascript")

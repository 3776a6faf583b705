"""The OpenAPI document, and a page to read and try it on: our own few files, and Swagger UI's from an installed package."""

import gzip
from asyncio import to_thread
from collections.abc import Collection
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ordre.api.openapi import document_text

_POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
_HTML, _CSS, _JS = "text/html", "text/css", "text/javascript"
_OWN = {"docs.html": _HTML, "docs.css": _CSS, "docs.js": _JS}
_SWAGGER = {"swagger-ui.css": _CSS, "swagger-ui-bundle.js": _JS}


class Page:
    """One file, compressed once for whoever takes it so, and not sent again to whoever has it."""

    def __init__(self, text: bytes, media_type: str) -> None:
        self._text, self._compressed, self._media_type = text, gzip.compress(text, 9, mtime=0), media_type
        self._tag = f'"{sha256(text).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """Return the answer for a client: whole, compressed, or that it has not changed."""
        headers = {"etag": self._tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if self._tag in request.headers.get("if-none-match", ""):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if self._media_type == _HTML:
            headers["content-security-policy"] = _POLICY
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self._text, headers=headers, media_type=self._media_type)
        headers["content-encoding"] = "gzip"
        return Response(self._compressed, headers=headers, media_type=self._media_type)


def routes() -> list[Route]:
    """Return the pages' routes."""
    return [
        Route("/", _home),
        Route("/openapi.json", _document),
        Route("/docs", _docs),
        Route("/docs/{name:str}", _own),
        Route("/docs/assets/{name:str}", _asset),
    ]


@cache
def document_page() -> Page:
    """Return the OpenAPI document."""
    return Page(document_text().encode(), "application/json")


@cache
def _own_page(name: str) -> Page:
    return Page(
        (files("ordre.api") / "page" / name).read_bytes(), {"html": _HTML, "css": _CSS, "js": _JS}[name.rpartition(".")[2]]
    )


@cache
def _swagger_page(name: str) -> Page:
    return Page((files("swagger_ui") / "static" / name).read_bytes(), _SWAGGER[name])


async def _home(_: Request) -> Response:
    return RedirectResponse("/docs")


async def _document(request: Request) -> Response:
    return (await to_thread(document_page)).answer(request)


async def _docs(request: Request) -> Response:
    return _own_page("docs.html").answer(request)


async def _own(request: Request) -> Response:
    return _own_page(_known(request, ("docs.css", "docs.js"))).answer(request)


async def _asset(request: Request) -> Response:
    return (await to_thread(_swagger_page, _known(request, _SWAGGER))).answer(request)


def _known(request: Request, names: Collection[str]) -> str:
    name: str = request.path_params["name"]
    if name not in names:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return name

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

from ordre.api.document.openapi import document_text
from ordre.api.http.shared import Api

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


@cache
def document_page() -> Page:
    """Return the OpenAPI document."""
    return Page(document_text().encode(), "application/json")


@cache
def _own_page(name: str) -> Page:
    return Page(
        (files("ordre.api.document") / "page" / name).read_bytes(),
        {"html": _HTML, "css": _CSS, "js": _JS}[name.rpartition(".")[2]],
    )


@cache
def _swagger_page(name: str) -> Page:
    return Page((files("swagger_ui") / "static" / name).read_bytes(), _SWAGGER[name])


async def home(_: Api, __: Request) -> Response:
    """Send a browser to the page."""
    return RedirectResponse("/docs")


async def document(_: Api, request: Request) -> Response:
    """Answer the OpenAPI document; it is made when it is first asked for."""
    return (await to_thread(document_page)).answer(request)


async def docs(_: Api, request: Request) -> Response:
    """Answer the page."""
    return _own_page("docs.html").answer(request)


async def own(_: Api, request: Request) -> Response:
    """Answer a file of our own that the page loads."""
    return _own_page(_known(request, ("docs.css", "docs.js"))).answer(request)


async def asset(_: Api, request: Request) -> Response:
    """Answer a file of Swagger UI that the page loads."""
    return (await to_thread(_swagger_page, _known(request, _SWAGGER))).answer(request)


def _known(request: Request, names: Collection[str]) -> str:
    name: str = request.path_params["name"]
    if name not in names:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return name

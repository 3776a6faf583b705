"""Checks an answer against the OpenAPI document: its operation, its status, its schema."""

import json
import re
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator, ValidationError

from ordre.api.document.openapi import document

DOCUMENT: dict[str, Any] = document()
"""Made once: it takes a third of a second."""
_PATTERNS = {
    path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in sorted(DOCUMENT["paths"], key=lambda path: path.count("{"))
}


def check(answer: httpx.Response) -> None:
    """Raise where the answer is not what the document says."""
    answer.read()
    request = answer.request
    assert "x-request-id" in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"
    path = _path_of(request.url.raw_path.decode().partition("?")[0])
    if path is None or request.method.lower() not in DOCUMENT["paths"][path]:
        assert answer.status_code in (200, 204, 307, 404, 405), answer.text
        return
    responses = DOCUMENT["paths"][path][request.method.lower()]["responses"]
    status = str(answer.status_code)
    assert status in responses, f"{request.method} {path} answered {status}, which it does not document: {answer.text}"
    content = _resolved(responses[status]).get("content", {})
    if answer.headers.get("content-type", "") in content:
        return  # what is no JSON
    if not content:
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.content.endswith((b"}\n", b"]\n")), "an answer ends with a newline"
    try:
        _validator(_schema(path, request.method.lower(), status)).validate(answer.json())
    except ValidationError as error:
        where = "/".join(map(str, error.instance_path))
        raise AssertionError(f"{request.method} {path} {status}: {where}: {error.message}") from error


@cache
def _schema(path: str, method: str, status: str) -> str:
    content = _resolved(DOCUMENT["paths"][path][method]["responses"][status])["content"]["application/json"]
    return json.dumps(content["schema"])


@cache
def _validator(schema: str) -> Draft202012Validator:
    """Compiled once for all operations that answer the same."""
    return Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]}, validate_formats=True)


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    """The response, or the shared one that it refers to."""
    name = response.get("$ref", "").removeprefix("#/components/responses/")
    shared: dict[str, Any] = DOCUMENT["components"]["responses"]
    found: dict[str, Any] = shared[name] if name else response
    return found


@cache
def _path_of(path: str) -> str | None:
    return next((found for found, pattern in _PATTERNS.items() if pattern.fullmatch(path)), None)

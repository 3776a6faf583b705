"""Checks an answer against the OpenAPI document: its operation, its status, its schema."""

import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from ordre.api.openapi import document

_DOCUMENT = document()
_PATTERNS = sorted(_DOCUMENT["paths"], key=lambda path: path.count("{"))


def check(answer: httpx.Response) -> None:
    """Raise where the answer is not what the document says."""
    answer.read()
    request = answer.request
    assert "x-request-id" in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"
    path = _path_of(request.url.raw_path.decode().partition("?")[0])
    if path is None or request.method.lower() not in _DOCUMENT["paths"][path]:
        assert answer.status_code in (200, 204, 307, 404, 405), answer.text
        return
    responses = _DOCUMENT["paths"][path][request.method.lower()]["responses"]
    status = str(answer.status_code)
    assert status in responses, f"{request.method} {path} answered {status}, which it does not document: {answer.text}"
    if "content" not in _resolved(responses[status]):
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.content.endswith(b"}\n"), "an answer ends with a newline"
    faults = sorted(_validator(path, request.method.lower(), status).iter_errors(answer.json()), key=str)
    assert not faults, f"{request.method} {path} {status}: {faults[0].json_path}: {faults[0].message}"


@cache
def _validator(path: str, method: str, status: str) -> Draft202012Validator:
    content = _resolved(_DOCUMENT["paths"][path][method]["responses"][status])["content"]["application/json"]
    schema: dict[str, Any] = {**content["schema"], "components": _DOCUMENT["components"]}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _resolved(response: dict[str, Any]) -> dict[str, Any]:
    """The response, or the shared one that it refers to."""
    name = response.get("$ref", "").removeprefix("#/components/responses/")
    shared: dict[str, Any] = _DOCUMENT["components"]["responses"]
    found: dict[str, Any] = shared[name] if name else response
    return found


@cache
def _path_of(path: str) -> str | None:
    for pattern in _PATTERNS:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path):
            return str(pattern)
    return None

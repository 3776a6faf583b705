"""Which endpoint a path and a method mean: a tree of the paths' segments, walked once a request, however many paths there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

TEMPLATE = "ordre.template"
"""Where the scope has the path as the table writes it, such as ``/docs/{name}``."""


@dataclass(slots=True)
class _Node:
    """What the segments so far lead to, and what may follow: a segment by its text, else ``any`` that is not empty."""

    by_text: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    template: str = ""
    names: tuple[str, ...] = ()
    by_method: dict[str, ASGIApp] = field(default_factory=dict)


class Paths:
    """An ASGI application of endpoints, by path and method. A segment that is written out is preferred to a parameter."""

    def __init__(self, endpoints: Mapping[str, Mapping[str, ASGIApp]]) -> None:
        """Take templates, whose parameters are whole segments such as ``{name}``, each with its endpoints by method."""
        self._root = _Node()
        for template, by_method in endpoints.items():
            node, segments = self._root, template.split("/")[1:]
            for segment in segments:
                node = _next(node, segment)
            node.template, node.names = template, tuple(one[1:-1] for one in segments if one.startswith("{"))
            node.by_method = {**({"HEAD": by_method["GET"]} if "GET" in by_method else {}), **by_method}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint with the path's parameters, still quoted, in ``scope``.

        Raises:
            HTTPException: No path is like this (404), or it is not served by this method (405, with those that it is served by).
        """
        node, values = self._found(scope["path"])
        if not node.by_method:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        scope[TEMPLATE], scope["path_params"] = node.template, dict(zip(node.names, values, strict=True))
        endpoint = node.by_method.get(scope["method"])
        if endpoint is None:
            allowed = ", ".join(sorted(node.by_method))
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": allowed})
        await endpoint(scope, receive, send)

    def _found(self, path: str) -> tuple[_Node, list[str]]:
        """Return the node of a path, or one without endpoints, and the values of its parameters."""
        node, values = self._root, list[str]()
        for segment in path.split("/")[1:]:
            following = node.by_text.get(segment)
            if following is None:
                following = node.any if segment else None
                if following is None:
                    return _NOWHERE, values
                values.append(segment)
            node = following
        return node, values


_NOWHERE = _Node()


def _next(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.by_text.setdefault(segment, _Node())
    if node.any is None:
        node.any = _Node()
    return node.any

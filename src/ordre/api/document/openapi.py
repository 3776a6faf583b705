"""The OpenAPI 3.1 document, made from the table of operations and the wire types."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

import msgspec

from ordre import __version__
from ordre.api.document.examples import EXAMPLES, QUERIES, recorded
from ordre.api.document.schemas import REF, components, query_properties
from ordre.api.http.unseen import MOST_CHARACTERS, STRICT
from ordre.api.operations.row import AnyRoute
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import json_text
from ordre.api.wire.queries import MOST_METADATA_FILTERS, ListOf, NoBody

_DESCRIPTION = """Ordre keeps orders and what happened to their payments, line by line. It speaks the Orders API of Dintero:
an integration changes its base URL. Amounts are whole minor units of the order's currency; instants are RFC 3339.

Every write to an order or a draft takes an `Idempotency-Key`, and `If-Match` with the version of its `ETag`."""

_SECTIONS = {
    "authenticate": ("Tokens", "A token for a client's id and secret; every other operation takes it."),
    "draft": ("Drafts", "Orders that are not placed yet: freely edited until they are completed or deleted."),
    "draftitems": ("Items of a draft", "Adding, changing and removing one item."),
    "orderlist": ("Lists", "Orders and drafts, newest first, by any filter and by words."),
    "orders": ("Orders", "Placing, reading, changing and erasing an order, as it is or as it was."),
    "orderitems": ("Items of an order", "How far each item is."),
    "orderstatus": ("Status of an order", "Closing, opening again, and cancelling."),
    "orderauthorizations": ("Authorizations", "Money that was set aside for the order."),
    "ordercaptures": ("Captures", "Authorized money that was taken."),
    "orderrefunds": ("Refunds", "Captured money that was given back."),
    "ordercancellations": ("Cancellations", "Authorized money that was let go without being taken."),
    "ordersessions": ("Payment sessions", "Payments that were started for the order."),
    "orderevents": ("Events", "Every change of the order, and what services report of it."),
    "ordercomments": ("Comments", "Remarks by people."),
    "feed": ("Feed", "Every change of the account, in the order in which they were committed."),
    "storeorder": ("Orders of a store", "The same lists and orders, for one store."),
    "customerorder": ("Orders of a customer", "The same lists and orders, for one customer."),
    "hooks": ("Webhooks", "Receivers that are told of what happens to orders and drafts, and what was sent to them."),
    "service": ("Service", "What clients and operators ask of the server itself."),
}
"""Tag of a route -> the section's name for people, and what is in it, in the order of the page."""

_BY_HANDLER = {route.handler: route for route in OPERATIONS}
_FOLLOWING = {one.handler for route in OPERATIONS for one in route.followed_by}
"""What is linked to from the operations that it follows on, and with a body."""
_FAULTS = {
    "400": "The request is malformed, or refused by the rules; `errors` names each fault",
    "401": "No token, or one that is not valid",
    "403": "The token is for another account, or lacks the scope",
    "404": "There is nothing by that name",
    "405": "The path does not take this method",
    "408": "The body did not come in time",
    "409": "The id is already used for something else",
    "412": "If-Match names another version",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "The Idempotency-Key was sent with another request",
    "429": "Too many requests; `Retry-After` says in how many seconds there is room again",
    "500": "Ordre failed",
    "503": "The store cannot answer now",
}


_TOLD = {
    "Preference-Applied": {
        "description": "`handling=strict`, where the request preferred it",
        "schema": {"type": "string", "const": STRICT},
    },
    "x-ordre-ignored": {
        "description": "On test accounts: the paths of fields that were ignored, with commas between; `...` at the end for more",
        "schema": {"type": "string", "maxLength": MOST_CHARACTERS + 5},
    },
}
"""Headers of what is answered to a write."""
_RATES = {
    "RateLimit-Policy": {
        "description": 'What the account may spend, in units of a request and of 16 KiB: `"account";q=120000;w=30`',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'What is left of it (`r`), and in how many seconds it is whole again (`t`): `"account";r=119998;t=1`',
        "schema": {"type": "string"},
    },
}
"""Headers of what an account is answered, where its budget is limited (draft-ietf-httpapi-ratelimit-headers)."""


def document() -> dict[str, Any]:
    """Return the document as plain values."""
    examples = recorded()
    paths: dict[str, dict[str, Any]] = {}
    for route in OPERATIONS:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, examples.get(route.id, {}))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ordre",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that answered this document"}],
        "tags": [{"name": name, "description": about} for name, about in _SECTIONS.values()],
        "paths": paths,
        "components": {
            "schemas": components(),
            "responses": {status: _fault(status, about) for status, about in _FAULTS.items()},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The token that `POST .../auth/token` answered",
                },
                "client": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A client's id and secret, as `ordre client create` printed them",
                },
            },
        },
    }


def document_text() -> str:
    """Return the document as JSON, two spaces deep, as it is committed."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def _fault(status: str, about: str) -> dict[str, Any]:
    found: dict[str, Any] = {"description": about}
    if status == "400":
        found["headers"] = _TOLD
    if status in ("429", "503"):
        found["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    if status == "429":
        found["headers"] |= _RATES
    return {**found, "content": {"application/json": {"schema": {"$ref": REF.format(name="ErrorBody")}}}}


def _operation(route: AnyRoute, example: dict[str, Any]) -> dict[str, Any]:
    """Return an operation; ``example`` is empty where none is recorded yet."""
    operation: dict[str, Any] = {
        "operationId": route.id,
        "tags": [_SECTIONS[route.tag][0]],
        "summary": route.summary,
        "description": _about(route),
        "parameters": _parameters(route, example.get("path", {})),
        "responses": _responses(route, example),
        "security": _security(route),
    }
    if route.body is not NoBody:
        content: dict[str, Any] = {"schema": {"$ref": REF.format(name=route.body.__name__)}}
        if route.body_optional:
            content["schema"] = {"anyOf": [content["schema"], {"type": "null"}]}
        if route.id in EXAMPLES:
            content["example"] = EXAMPLES[route.id]
        media = {"application/json": content}
        if route.form:
            media["application/x-www-form-urlencoded"] = {"schema": content["schema"]}
        operation["requestBody"] = {"required": not route.body_optional, "content": media}
    return operation


def _about(route: AnyRoute) -> str:
    """Return the description of an operation: the handler's docstring, parameters that OpenAPI cannot express, and scopes."""
    texts = [" ".join(cleandoc(route.handler.__doc__ or "").replace("``", "`").split())]
    if issubclass(route.query, ListOf):
        texts.append(
            f"`metadata.<key>=value` filters by a plain value of the metadata; at most {MOST_METADATA_FILTERS} of these."
        )
    if route.scopes:
        texts.append(f"Scopes, one of: {', '.join(f'`{scope}`' for scope in route.scopes)}.")
    return " ".join(texts)


def _parameters(route: AnyRoute, path: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for part in route.parameters:
        about: dict[str, Any] = {"description": part.about, "schema": part.schema}
        if part.name in path:
            about["example"] = int(path[part.name]) if part.schema["type"] == "integer" else path[part.name]
        found.append({"name": part.name, "in": "path", "required": True, **about})
    properties = query_properties(route.query)
    values = QUERIES.get(route.id, {})
    for name, one in properties.items():
        text = one.pop("description")
        parameter: dict[str, Any] = {"name": name, "in": "query", "description": text, "required": False, "schema": one}
        if name in values:
            parameter["example"] = values[name].split(",") if one["type"] == "array" else _value(str(one["type"]), values[name])
        found.append(parameter)
    if route.writes:
        found += [
            _header("Idempotency-Key", "The same key and request are answered with the first answer; kept 24 hours", "^[ -~]+$"),
            _header(
                "Prefer", "`handling=strict`: what is otherwise ignored is refused. Other preferences are ignored (RFC 7240)"
            ),
            _header("If-Match", 'The version to write on, in quotes, such as `"3"`', r'^(\*|(W/)?"[0-9]{1,15}")$'),
        ]
    return found


def _header(name: str, about: str, pattern: str | None = None) -> dict[str, Any]:
    """Return a header; one without a pattern may have any value."""
    limits = {} if pattern is None else {"minLength": 1, "maxLength": 255, "pattern": pattern}
    schema = {"type": "string", **limits}
    return {"name": name, "in": "header", "description": about, "schema": schema}


def _responses(route: AnyRoute, example: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done" if route.method != "GET" else "Found"}
    if route.answer is not None:
        good["content"] = _content(route, route.answer, example)
    statuses = ["400", "401", "405", "429", "500", "503"]
    if route.scopes:
        statuses += ["403", "404"]
    if route.body is not NoBody:
        statuses += ["408", "413", "415"]
    if route.writes:
        statuses += ["408", "409", "412", "413", "422"]
    faults = {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(set(statuses))}
    if route.scopes:
        good["headers"] = {**(_TOLD if route.writes else {}), **_RATES}
    if links := _links(route):
        good["links"] = links
    found = {"200" if route.answer is not None else "204": good, **faults}
    if route.method == "GET" and route.scopes and not route.streams:
        found["304"] = {"description": "The version that If-None-Match names is the current one"}
    return found


def _content(route: AnyRoute, type_: type[msgspec.Struct], example: dict[str, Any]) -> dict[str, Any]:
    """Return the forms of the answer, by media type."""
    schema: dict[str, Any] = {"$ref": REF.format(name=type_.__name__)}
    if route.or_erased:
        schema = {"anyOf": [schema, {"$ref": REF.format(name="ErasedOrder")}]}
    if route.bare_list:
        schema = {"type": "array", "items": schema}
    answer = {"schema": schema, **({"example": example["answer"]} if example else {})}
    content: dict[str, Any] = {media: {"schema": {"type": "string"}} for media in route.streams} or {"application/json": answer}
    if route.streams and example:
        content[route.streams[0]]["example"] = json_text(example["answer"]) + "\n"
    return content


def _links(route: AnyRoute) -> dict[str, Any]:
    """Return where an answer leads: from what was made to everything that can be done with it."""
    if route.made is None:
        return {}
    made = route.made.parameter.name
    known = {name: f"$request.path.{name}" for name in _names(route)} | {made: f"$response.body#{route.made.at}"}
    links = {
        one.id: _link(one, known)
        for one in OPERATIONS
        if made in _names(one) and known.keys() >= set(_names(one)) and one.handler not in _FOLLOWING
    }
    for one in route.followed_by:
        target = _BY_HANDLER[one.handler]
        links[target.id] = {**_link(target, known), "requestBody": one.body}
    return links


def _link(target: AnyRoute, known: Mapping[str, str]) -> dict[str, Any]:
    return {"operationId": target.id, "parameters": {name: known[name] for name in _names(target)}}


def _names(route: AnyRoute) -> list[str]:
    return [parameter.name for parameter in route.parameters]


def _security(route: AnyRoute) -> list[dict[str, list[str]]]:
    if route.scopes:
        return [{"token": []}]
    return [{"client": []}, {}] if route.access.by_secret else []


def _value(type_: str, text: Any) -> Any:
    """Return an example as its schema has it."""
    return text == "true" if type_ == "boolean" else text

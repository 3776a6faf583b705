"""The schemas of the OpenAPI document, made from the wire types: shared where they are named, with what is read-only marked."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ordre.api.errors import ErrorBody
from ordre.api.routes import ROUTES
from ordre.api.wire.common import Number, published
from ordre.api.wire.queries import METADATA

REF = "#/components/schemas/{name}"

ANSWERED_AS = {
    "NewOrder": ("OrderAnswer",),
    "OrderChange": ("OrderAnswer",),
    "NewItem": ("Item", "OrderItem"),
    "ChangedItem": ("OrderItem",),
    "NewDraft": ("DraftAnswer",),
    "DraftChange": ("DraftAnswer",),
    "NewDraftOrder": ("DraftedOrder",),
    "DraftOrderChange": ("DraftedOrder",),
    "NewOperation": ("Operation",),
    "NewSession": ("Session",),
    "NewEvent": ("ServiceEvent",),
    "NewComment": ("Comment",),
}
"""What a client sends -> what it may be answered as: a property that only the answers have is read-only."""

Schema = dict[str, Any]


def components() -> dict[str, Schema]:
    """Return the schema of every body and answer, by name."""
    types = [type_ for route in ROUTES for type_ in (route.answer, route.body) if type_ is not None]
    unique = list(dict.fromkeys([*types, ErrorBody]))
    _, found = msgspec.json.schema_components(unique, schema_hook=_schema, ref_template=REF)
    for sent, answered in ANSWERED_AS.items():
        _mark(found[sent], [found[name] for name in answered])
    return {name: _portable(one) for name, one in found.items()}


def query_properties(type_: type[msgspec.Struct]) -> dict[str, Schema]:
    """Return the parameters of a query, but for those whose names end in a key of metadata: OpenAPI has no words for them."""
    (schema,), found = msgspec.json.schema_components([type_], schema_hook=_schema)
    properties: dict[str, Schema] = dict(found[type_.__name__].get("properties", {})) if "$ref" in schema else {}
    properties.pop(METADATA.rstrip("."), None)
    return {name: _without_null(_portable(one)) for name, one in properties.items()}


def shared_schemas(document: Schema) -> Schema:
    """Return the document with a schema that has a title standing once, under that name, and referred to elsewhere."""
    shared: dict[str, Schema] = {}
    for holder, name, one in list(_titled(document, ("Currency", "Country"))):
        shared.setdefault(one["title"], one)
        holder[name] = {"$ref": REF.format(name=one["title"])}
    document["components"]["schemas"].update(sorted(shared.items()))
    return document


def _titled(value: Any, titles: tuple[str, ...]) -> Iterator[tuple[Any, Any, Schema]]:
    """Yield where a schema with one of the titles stands: what holds it, under which name, and the schema."""
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(one, dict) and one.get("title") in titles and "enum" in one:
            yield value, name, one
        else:
            yield from _titled(one, titles)


def _portable(value: Any) -> Any:
    """Return a schema with its patterns as they are published."""
    if isinstance(value, list):
        return [_portable(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: published(one) if name == "pattern" and isinstance(one, str) else _portable(one) for name, one in value.items()}


def _mark(sent: Schema, answers: list[Schema]) -> None:
    """Mark what only the answers have as read-only, and say in what is sent that it is ignored there."""
    own: dict[str, None] = {}
    for properties in [answered["properties"] for answered in answers]:
        for name in [name for name in properties if name not in sent["properties"]]:
            properties[name] = {**properties[name], "readOnly": True}
            own[name] = None
    names = ", ".join(f"`{name}`" for name in own)
    sent["description"] = f"{sent.get('description', '')} Read-only, and ignored when sent: {names}.".strip()


def _without_null(schema: Schema) -> Schema:
    """Return a parameter's schema: a query has no null, and leaving a parameter out is its default."""
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return choices[0] if choices else {name: value for name, value in schema.items() if name != "default" or value is not None}


def _schema(type_: type) -> Schema:
    if type_ is Number:
        return {"type": "number"}
    raise NotImplementedError

"""The schemas of the OpenAPI document, made from the wire types: shared where they are named, with what is read-only marked."""

from collections.abc import Iterator
from typing import Any

import msgspec

from ordre.api.document.descriptions import described
from ordre.api.http.errors import ErrorBody
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import Number, Wire, published
from ordre.api.wire.queries import METADATA, NoBody
from ordre.api.wire.readonly import ANSWERED_AS

REF = "#/components/schemas/{name}"
SHARED = ("Currency", "Country")
"""Titles of field types that stand once in the document, and are referred to."""

Schema = dict[str, Any]


def components() -> dict[str, Schema]:
    """Return the schema of every body and answer, by name."""
    types = [type_ for route in OPERATIONS for type_ in (route.answer, route.body) if type_ not in (NoBody, None)]
    unique = list(dict.fromkeys([*types, ErrorBody]))
    _, made = msgspec.json.schema_components(unique, schema_hook=_schema, ref_template=REF)
    types_by_name = {type_.__name__: type_ for type_ in _heirs(Wire)}
    shared: dict[str, Schema] = {}
    found = {name: described(_shared(_portable(one), shared), types_by_name[name]) for name, one in made.items()}
    for sent, answered in ANSWERED_AS.items():
        _mark(found[sent.__name__], [found[one.__name__] for one in answered])
    return {**found, **dict(sorted(shared.items()))}


def query_properties(type_: type[msgspec.Struct]) -> dict[str, Schema]:
    """Return the parameters of a query, but for those whose names end in a key of metadata: OpenAPI has no words for them."""
    (schema,), found = msgspec.json.schema_components([type_], schema_hook=_schema)
    if "$ref" not in schema:
        return {}
    properties: dict[str, Schema] = described(_shared(_portable(found[type_.__name__]), {}), type_).get("properties", {})
    properties.pop(METADATA.rstrip("."), None)
    return {name: _without_null(one) for name, one in properties.items()}


def _shared(value: Any, shared: dict[str, Schema]) -> Any:
    """Return a schema that refers to those that have a title of ``SHARED``, which are added to ``shared`` by that name."""
    if isinstance(value, list):
        return [_shared(one, shared) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("title") in SHARED:
        shared.setdefault(value["title"], value)
        return {"$ref": REF.format(name=value["title"])}
    return {name: _shared(one, shared) for name, one in value.items()}


def _portable(value: Any) -> Any:
    """Return a schema with its patterns as they are published, and a type for every list of words."""
    if isinstance(value, list):
        return [_portable(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("enum"), list) and "type" not in value:
        value = {"type": "string" if isinstance(value["enum"][0], str) else "integer", **value}
    return {name: published(one) if name == "pattern" and isinstance(one, str) else _portable(one) for name, one in value.items()}


def _heirs(type_: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in type_.__subclasses__():
        yield one
        yield from _heirs(one)


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
    rest = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    choices = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return {**choices[0], **rest} if choices else rest


def _schema(type_: type) -> Schema:
    if type_ is Number:
        return {"type": "number"}
    raise NotImplementedError

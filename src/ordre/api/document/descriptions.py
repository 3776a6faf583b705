"""Descriptions of types and fields for the OpenAPI document, read from the docstrings of the wire types."""

import re
from inspect import cleandoc
from typing import Any

import msgspec

_HEADING = "Attributes:"
_ENTRY = re.compile(r"^    (\w+): ", flags=re.MULTILINE)


def described(schema: dict[str, Any], type_: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a type's schema with a description of the type, and one of every property: what it is, then its unit or limit."""
    about, fields = _read(type_)
    properties = {name: _with(one, fields.get(name)) for name, one in schema.get("properties", {}).items()}
    found = {**schema, "properties": properties} if properties else dict(schema)
    found.pop("description", None)
    return {**found, "description": about} if about else found


def _with(schema: dict[str, Any], text: str | None) -> dict[str, Any]:
    """Return a property's schema with this text before what its type says already."""
    texts = [one for one in (text, _unit(schema)) if one]
    return {**schema, "description": ". ".join(texts)} if texts else schema


def _unit(schema: dict[str, Any]) -> str | None:
    """Return the description of the field's type: of the schema itself, or of the one inside a nullable one."""
    found = [one["description"] for one in (schema, *schema.get("anyOf", ())) if "description" in one]
    return found[0] if found else None


def _read(type_: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """Return the descriptions of a type and, by name on the wire, of its fields, from its docstring or a parent's."""
    names = {field.name: field.encode_name for field in msgspec.structs.fields(type_)}
    fields: dict[str, str] = {}
    for one in reversed(type_.__mro__):
        _, _, listed = cleandoc(one.__dict__.get("__doc__") or "").partition(_HEADING)
        _, *entries = _ENTRY.split(listed)
        for name, text in zip(entries[::2], entries[1::2], strict=True):
            fields[names.get(name, name)] = " ".join(text.split())
    about, _, _ = cleandoc(type_.__dict__.get("__doc__") or "").partition(_HEADING)
    return " ".join(about.replace("``", "`").split()), fields

"""The OpenAPI document speaks to people: everything in it says what it is."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract import DOCUMENT
from node import npm
from ordre.api.document.descriptions import described
from ordre.api.http.errors import ErrorDetail
from ordre.api.wire.common import Wire
from ordre.domain.refusals import Refusal

SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS = {one["operationId"]: one for path in DOCUMENT["paths"].values() for one in path.values()}


def heirs(type_: type[Any]) -> Iterator[type[Any]]:
    for one in type_.__subclasses__():
        yield one
        yield from heirs(one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_type_and_property_is_described(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["description"]
    assert "Attributes:" not in schema["description"]
    assert [one for one, property_ in schema.get("properties", {}).items() if not property_.get("description")] == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_and_parameter_is_described(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert [one["name"] for one in operation["parameters"] if not one.get("description")] == []


def test_every_section_is_described_and_named_for_people() -> None:
    assert all(tag["description"] and tag["name"][0].isupper() for tag in DOCUMENT["tags"])
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {tag for one in OPERATIONS.values() for tag in one["tags"]}


def test_amounts_say_their_unit_and_whose_they_are() -> None:
    gross = SCHEMAS["NewItem"]["properties"]["gross_amount"]["description"]
    assert "not one piece" in gross
    assert "Whole minor units" in gross


def test_every_list_of_words_has_a_type() -> None:
    def without_type(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and isinstance(value.get("enum"), list) and "type" not in value:
            yield value
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from without_type(one)

    assert list(without_type(DOCUMENT)) == []


def test_an_error_lists_every_value_of_every_refusal() -> None:
    refusals = [one for one in heirs(Refusal) if one.__module__ == Refusal.__module__ and "details" not in one.__dict__]
    named = {field.name for one in refusals for field in fields(one)}
    listed = {field.encode_name for field in msgspec.structs.fields(ErrorDetail)}
    assert named - listed == set()


def test_no_docstring_describes_a_field_that_is_not_there() -> None:
    for one in heirs(Wire):
        names = {field.name for field in msgspec.structs.fields(one)} | {"event_type"}
        _, _, listed = cleandoc(one.__doc__ or "").partition("Attributes:\n")
        entries = [line.strip().partition(":")[0] for line in listed.splitlines() if line.startswith(" " * 4) and line[4] != " "]
        assert set(entries) <= names, one


def test_a_field_keeps_what_its_type_says() -> None:
    schema = {"properties": {"limit": {"description": "Whole", "type": "integer"}, "other": {"type": "integer"}}}

    class Page(Wire):
        """A page.

        Attributes:
            limit: How many,
                at most
        """

        limit: int
        other: int

    found = described(schema, Page)
    assert found["description"] == "A page."
    assert found["properties"] == {
        "limit": {"description": "How many, at most. Whole", "type": "integer"},
        "other": {"type": "integer"},
    }


@pytest.mark.long
@pytest.mark.slow
def test_redocly_finds_nothing(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(Path(__file__).parent / "redocly", tmp_path / "redocly"))
    (folder / "openapi.json").write_bytes((Path(__file__).parents[1] / "openapi.json").read_bytes())
    npm(folder, "ci", "--no-audit", "--no-fund")
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}
    arguments = ("--", "redocly", "lint", "--extends=recommended-strict", "--format=json", "openapi.json")
    said = npm(folder, "exec", "--offline", *arguments, **quiet)
    assert json.loads(said)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}

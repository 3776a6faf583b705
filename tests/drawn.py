"""Values of the schemas that the OpenAPI document publishes, drawn by chance."""

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contract import DOCUMENT

Schema = dict[str, Any]
MOST_FIELDS = 6
"""Of one object that are drawn at once, beside those that are needed."""
_SCHEMAS: dict[str, Schema] = DOCUMENT["components"]["schemas"]
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False), _TEXT
)
ANYTHING = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=6
)
"""Any JSON."""


def drawn(name: str, *leave_out: str, **instead: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Draw an object of a schema, but for the fields that are left out, or drawn from elsewhere."""
    schema = _SCHEMAS[name]
    properties = {field: one for field, one in schema["properties"].items() if field not in leave_out}
    return _object({**schema, "properties": properties}, instead)


def _object(schema: Schema, instead: dict[str, SearchStrategy[Any]]) -> SearchStrategy[Any]:
    of = {field: instead[field] if field in instead else _value(one) for field, one in schema["properties"].items()}
    needed = [field for field in (*schema.get("required", ()), *instead) if field in of]
    optional = sorted(of.keys() - set(needed))
    chosen = st.lists(st.sampled_from(optional), unique=True, max_size=MOST_FIELDS) if optional else st.just([])
    return chosen.flatmap(lambda names: st.fixed_dictionaries({field: of[field] for field in (*needed, *names)}))


@cache
def _shared(name: str) -> SearchStrategy[Any]:
    return st.deferred(lambda: _value(_SCHEMAS[name]))


def _value(schema: Schema) -> SearchStrategy[Any]:
    if "$ref" in schema:
        return _shared(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return st.one_of([_value(one) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds: dict[str, Callable[[], SearchStrategy[Any]]] = {
        "string": lambda: _text(schema),
        "integer": lambda: st.integers(schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)),
        "number": lambda: st.integers(schema.get("minimum", -(10**12)), 10**12).map(lambda number: number / 1000),
        "boolean": st.booleans,
        "null": st.none,
        "array": lambda: st.lists(_value(schema["items"]), min_size=schema.get("minItems", 0), max_size=2),
        "object": lambda: _object(schema, {}) if "properties" in schema else st.dictionaries(_TEXT, ANYTHING, max_size=3),
    }
    return kinds[schema["type"]]() if "type" in schema else ANYTHING


def _text(schema: Schema) -> SearchStrategy[str]:
    most = schema.get("maxLength", 4_000)
    if "pattern" not in schema:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=schema.get("minLength", 0), max_size=min(most, 12))
    pattern: str = schema["pattern"]
    matching: SearchStrategy[str] = st.from_regex(pattern, fullmatch=True)
    leap = ":60" if schema.get("format") == "date-time" else "\n"  # what checks the answers knows no leap seconds
    return matching.filter(lambda text: len(text) <= most and text.isprintable() and leap not in text)


ZERO = st.just(0)
ITEM = drawn(
    "NewItem",
    "net_amount",
    "related_item",
    gross_amount=st.integers(-(10**9), 10**9),
    line_id=ZERO,
    discount_lines=st.lists(drawn("DiscountLine", amount=ZERO), max_size=2),
    additions=st.lists(drawn("Addition", gross_amount=ZERO), max_size=2),
    tax_lines=st.lists(drawn("TaxLine", amount=ZERO), max_size=2),
)
ITEMS = st.lists(ITEM, min_size=1, max_size=3).map(lambda items: [{**one, "line_id": line} for line, one in enumerate(items, 1)])
EVERY_FIELD = json.loads((files("ordre.conformance") / "every_field.json").read_text(encoding="utf-8"))
FIELDS = drawn("NewOrder", "gross_amount", "net_amount", "order_id", "time_to_live", items=ITEMS)
"""Whole orders, as a client sends them: any field may be there."""

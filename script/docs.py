"""Writes the parts of docs/ that follow from the code, between their markers. With --check it only says what is out of date."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ordre.api.document.openapi import document_text
from ordre.api.http.errors import status_of
from ordre.api.operations.table import OPERATIONS
from ordre.conformance import table
from ordre.conformance.fields import ENUMS, OBJECTS
from ordre.conformance.table import Row
from ordre.domain import hook_refusals, refusals
from ordre.domain.refusals import Refusal
from ordre.settings import Settings, flag_of, rule_of, variable_of

DOCS = Path(__file__).parents[1] / "docs"
SOURCE = DOCS.parent / "src" / "ordre"


def settings_table() -> Iterator[str]:
    """One row a setting."""
    yield "| variable | flag of `ordre serve` | default | allowed | what |"
    yield "|---|---|---|---|---|"
    for one in fields(Settings):
        rule = rule_of(one.name)
        flag = f"`{flag_of(one.name)}`" if rule.flag else ""
        default = f"`{one.default}`" if one.default != "" else "none"
        yield f"| `{variable_of(one.name)}` | {flag} | {default} | {rule.allowed} | {rule.about} |"


def operations_table() -> Iterator[str]:
    """One row an operation."""
    yield "| operation | method and path | scopes, one of |"
    yield "|---|---|---|"
    for route in OPERATIONS:
        scopes = ", ".join(f"`{scope}`" for scope in route.scopes) or "none"
        yield f"| {route.summary} | {route.method} `{route.path.replace('/v1/accounts/{aid}', '')}` | {scopes} |"


def refusals_table() -> Iterator[str]:
    """One row a code."""
    yield "| code | status | when |"
    yield "|---|---|---|"
    for refusal in named_refusals():
        values = {one.name: _sample(one.name, str(one.type)) for one in fields(refusal)}
        example = refusal(**values)
        yield f"| `{refusal.code}` | {status_of([example])} | {example.message} |"


def named_refusals() -> list[type[Refusal]]:
    """Every refusal that has a code, in the order of the source."""
    named = [*vars(refusals).values(), *vars(hook_refusals).values()]
    found = dict.fromkeys(one for one in named if isinstance(one, type) and issubclass(one, Refusal))
    return [one for one in found if isinstance(getattr(one, "code", None), str)]


def _sample(name: str, type_: str) -> Any:
    if name == "reason":
        return "Says what the value must be, and what it is"
    if name == "allowed":
        return ("limit", "status")
    if "int" in type_:
        return _NUMBERS[name]
    return {"currency": "NOK", "kind": "capture", "status": "completed", "path": "", "parameter": "sort"}.get(name, "x")


_NUMBERS = {
    "line_id": 1,
    "limit": 1000,
    "sent": 39900,
    "expected": 39800,
    "amount": 39800,
    "remaining": 12000,
    "captured": 39800,
    "refunded": 12000,
    "live": 12000,
    "reversed": -12000,
    "current_version": 4,
}


def _rows(rows: Iterable[Row], first: str) -> Iterator[str]:
    yield f"| {first} | | evidence | what to know |"
    yield "|---|---|---|---|"
    for row in rows:
        name = (
            row.name.replace(" ", " `", 1) + "`" if row.name.startswith(("GET ", "POST ", "PUT ", "DELETE ")) else f"`{row.name}`"
        )
        yield f"| {name} | {row.verdict} | {row.evidence} | {row.why} |"


def compared_operations() -> Iterator[str]:
    """One row an operation, beside the original."""
    yield from _rows(table.OPERATIONS, "operation")


def compared_parameters() -> Iterator[str]:
    """One row a query parameter."""
    yield "| of | parameter | | evidence | what to know |"
    yield "|---|---|---|---|---|"
    for of, rows in table.PARAMETERS.items():
        for row in rows:
            yield f"| {of} | `{row.name}` | {row.verdict} | {row.evidence} | {row.why} |"


def compared_headers() -> Iterator[str]:
    """One row a header."""
    yield from _rows(table.REQUEST_HEADERS, "sent")
    yield ""
    yield from _rows(table.RESPONSE_HEADERS, "answered")


def compared_fields() -> Iterator[str]:
    """One row for fields of an object that are alike."""
    yield "| object | fields | | evidence | what to know |"
    yield "|---|---|---|---|---|"
    for one in OBJECTS:
        for group in one.groups:
            names = ", ".join(f"`{name}`" for name in group.fields)
            yield f"| {one.name} | {names} | {group.verdict} | {group.evidence} | {group.why} |"


def compared_enums() -> Iterator[str]:
    """One row an enum."""
    yield "| field | values | | evidence | what to know |"
    yield "|---|---|---|---|---|"
    for one in ENUMS:
        values = ", ".join(f"`{value}`" for value in one.values.split())
        yield f"| {one.name} | {values} | {one.verdict} | {one.evidence} | {one.why} |"


def compared_behaviour() -> Iterator[str]:
    """One row for each thing that no schema says."""
    yield "| behaviour | | evidence | what to know |"
    yield "|---|---|---|---|"
    for row in table.BEHAVIOUR:
        yield f"| {row.name} | {row.verdict} | {row.evidence} | {row.why} |"


ROOMS = ("domain", "application", "auth", "api", "db", "client", "conformance", "backup", "bench", "cli", "")
"""The folders of the package from the ground up; last, what stands beside them."""


def tree() -> Iterator[str]:
    """Every module, with the first sentence of its docstring."""
    yield "```"
    yield "src/ordre/"
    for room in ROOMS:
        yield from _modules(SOURCE / room, 1) if room else _beside()
    yield "```"


def _modules(folder: Path, depth: int) -> Iterator[str]:
    yield _entry(f"{folder.name}/", folder / "__init__.py", depth)
    for inner in sorted(one.parent for one in folder.glob("*/__init__.py")):
        yield from _modules(inner, depth + 1)
    for module in sorted(folder.glob("[!_]*.py")):
        yield _entry(module.name, module, depth + 1)


def _beside() -> Iterator[str]:
    for module in sorted(SOURCE.glob("*.py")):
        if module.name != "__init__.py":
            yield _entry(module.name, module, 1)


def _entry(name: str, module: Path, depth: int) -> str:
    said = (ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").partition("\n")[0].partition(". ")[0]
    return f"{'  ' * depth}{name:<{26 - 2 * depth}}{said.rstrip('.')}"


PARTS = {
    "tree": tree,
    "compared_operations": compared_operations,
    "compared_parameters": compared_parameters,
    "compared_headers": compared_headers,
    "compared_fields": compared_fields,
    "compared_enums": compared_enums,
    "compared_behaviour": compared_behaviour,
    "settings": settings_table,
    "operations": operations_table,
    "refusals": refusals_table,
}


def written(text: str) -> str:
    """Return a page with its parts written anew."""

    def part(match: re.Match[str]) -> str:
        lines = "\n".join(PARTS[match[1]]())
        return f"<!-- made by script/docs.py: {match[1]} -->\n{lines}\n<!-- end -->"

    return re.sub(r"<!-- made by script/docs\.py: (\w+) -->\n.*?<!-- end -->", part, text, flags=re.DOTALL)


def unmarked() -> Iterator[str]:
    """Say which blocks of shell and Python tell neither which test executes them nor why none does."""
    folders = (DOCS.parent, DOCS, DOCS / "decisions", DOCS.parent / "examples", DOCS.parent / "tests")
    for page in sorted(page for folder in folders for page in folder.glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.match(r"```(sh|bash|console|python|py)\b", line):
                mark = re.fullmatch(r"<!-- (?:not executed: .+|executed by (tests/\S+\.py)(?:: (.+))?) -->", lines[number - 1])
                if mark is None or not _executes(mark[1], mark[2]):
                    place = f"{page.relative_to(DOCS.parent)}:{number + 1}"
                    yield f"{place}: say before the block which test executes it, or why none does"


def _executes(test: str | None, name: str | None) -> bool:
    """Whether the test is there and speaks of the block by its name."""
    if test is None:
        return True
    file = DOCS.parent / test
    return file.exists() and (name is None or name in file.read_text(encoding="utf-8"))


def main() -> int:
    """Write, or check."""
    pages = {page: written(page.read_text(encoding="utf-8")) for page in sorted(DOCS.rglob("*.md"))}
    pages[DOCS.parent / "openapi.json"] = document_text()
    old = [page for page, text in pages.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for page in old:
            print(f"{page.relative_to(DOCS.parent)} is out of date: run .venv/bin/python script/docs.py")
        blocks = list(unmarked())
        print(*blocks, sep="\n", end="\n" if blocks else "")
        return 1 if old or blocks else 0
    for page in old:
        page.write_text(pages[page], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

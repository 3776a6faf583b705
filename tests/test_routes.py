"""The tables of the API: rows say what their functions take, and mypy compares the two where it can."""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from ordre.api.http.failures import ANSWERS
from ordre.api.http.paths import TEMPLATE, Paths
from ordre.api.operations.row import PARAMETERS, AnyRoute, PlainRoute
from ordre.api.operations.table import OPERATIONS
from ordre.api.routes import ROUTES
from ordre.settings import Settings

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "src/ordre/api/operations/orders.py"


def twice(values: Iterable[object]) -> list[object]:
    return [value for value, times in Counter(values).items() if times > 1]


@pytest.mark.parametrize("route", OPERATIONS, ids=[route.id for route in OPERATIONS])
def test_a_row_says_what_its_handler_takes(route: AnyRoute) -> None:
    _, body, query = signature(route.handler).parameters.values()
    assert (body.annotation, query.annotation) == (route.body, route.query)


def test_an_id_a_path_with_its_method_and_a_handler_have_one_row() -> None:
    assert twice(route.id for route in OPERATIONS) == []
    assert twice((route.method, route.path) for route in ROUTES) == []
    assert twice(route.handler for route in ROUTES) == []


def test_what_a_row_names_in_a_path_is_there() -> None:
    for route in OPERATIONS:
        assert route.completes is None or route.completes in route.parameters
        assert route.made is None or any(route.made.parameter in other.parameters for other in OPERATIONS)
    assert {one.name for route in OPERATIONS for one in route.parameters} == PARAMETERS.keys()


def test_what_changes_something_is_no_get() -> None:
    """Subscriptions are no orders: they have no versions, and no fact keeps the request that made one."""
    for route in OPERATIONS:
        of_orders = bool(route.scopes) and "/shopping/" in route.path
        assert route.writes == (route.method != "GET" and of_orders), route.id


def test_what_a_row_is_served_with_is_a_setting() -> None:
    needed = {route.only_with for route in ROUTES if isinstance(route, PlainRoute)} - {None}
    assert needed == {"clock", "ephemeral"}
    assert not any(getattr(Settings(), name) for name in needed if name)


def asked(method: str, path: str) -> tuple[str, dict[str, str]] | tuple[int, str]:
    """The template and the parameters that a request is answered by, or the status and the methods of a refusal."""

    async def answer(_scope: Scope, _receive: Receive, _send: Send) -> None:
        """Answer nothing."""

    async def never(*_: object) -> Any:
        raise AssertionError

    by_path: dict[str, dict[str, ASGIApp]] = {}
    for route in ROUTES:
        by_path.setdefault(route.path, {})[route.method] = answer
    scope = {"type": "http", "method": method, "path": path}
    try:
        asyncio.run(Paths(by_path)(scope, never, never))
    except HTTPException as error:
        return error.status_code, (error.headers or {}).get("allow", "")
    return scope[TEMPLATE], scope["path_params"]  # type: ignore[return-value]  # of a scope anything may be said


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES])
def test_each_path_leads_to_its_row(route: AnyRoute | PlainRoute) -> None:
    names = re.findall(r"{(\w+)}", route.path)
    path = route.path.format(**{name: f"a%2F{name}" for name in names})
    assert asked(route.method, path) == (route.path, {name: f"a%2F{name}" for name in names})
    if route.path != "/":
        assert asked(route.method, f"{path}/") == (404, "")


def test_what_no_row_has_is_refused() -> None:
    assert asked("HEAD", "/health") == asked("GET", "/health") == ("/health", {})
    assert asked("POST", "/health") == asked("HEALTH", "/health") == (405, "GET, HEAD")
    for path in ("", "//", "/healthy", "/v1", "/v1/accounts//shopping/orders", "//health", "/docs/assets"):
        assert asked("GET", path) == (404, ""), path


@pytest.mark.parametrize("type_", ANSWERS)
def test_a_failure_is_answered_by_what_takes_its_type(type_: type[Exception]) -> None:
    error, _ = signature(ANSWERS[type_]).parameters.values()
    assert error.annotation is type_


@pytest.mark.long
@pytest.mark.slow
def test_mypy_refuses_a_row_whose_handler_takes_something_else(tmp_path: Path) -> None:
    table = TABLE.read_text(encoding="utf-8")
    for right, wrong in (("body=NewOrder,", "body=OrderChange,"), ("query=OrderThen,", "query=Between,")):
        assert table.count(right) == 1
        table = table.replace(right, wrong)
    spoilt = tmp_path / "spoilt.py"
    spoilt.write_text(table, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", f"--cache-dir={tmp_path}", "--follow-imports=silent"]
    command += ["--shadow-file", str(TABLE), str(spoilt), str(TABLE)]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.stdout.count('Argument "handler" to "Route" has incompatible type') == 2, answer.stdout + answer.stderr
    assert "Found 2 errors" in answer.stdout

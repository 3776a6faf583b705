"""The examples of the documentation are what a running server answers, operation by operation, in one run through all of them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract import DOCUMENT, check
from example_run import CLOCK, Run
from ordre.api.document.examples import recorded
from ordre.api.operations.table import OPERATIONS
from ordre.pytest import running


@pytest.fixture(scope="module")
def answered() -> Iterator[dict[str, Any]]:
    with (
        running(CLOCK, ORDRE_HOOK_POLL_SECONDS="0") as ordre,
        httpx.Client(base_url=ordre.url, timeout=30, event_hooks={"response": [check]}) as http,
    ):
        yield Run(http, ordre.account_id, ordre.client_id, ordre.client_secret).every_operation()


@pytest.mark.parametrize("operation", [route.id for route in OPERATIONS])
def test_the_example_is_what_is_answered(answered: dict[str, Any], operation: str) -> None:
    assert recorded()[operation] == answered[operation], "run script/examples.py, then script/docs.py"


def test_every_operation_shows_an_example() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            named = f"{operation['operationId']} ({method} {path})"
            if "204" not in operation["responses"]:
                answers = operation["responses"]["200"]["content"]
                answered = answers.get("application/json") or answers["application/x-ndjson"]
                assert "example" in answered, (
                    f"call {named} in tests/example_run.py, then run script/examples.py and script/docs.py"
                )
            if "requestBody" in operation:
                sent = operation["requestBody"]["content"]["application/json"]
                assert "example" in sent, f"give {named} a body in src/ordre/api/document/examples.py"
            for parameter in operation["parameters"]:
                assert parameter["in"] != "path" or "example" in parameter, (method, path, parameter["name"])


def test_no_list_is_empty() -> None:
    listing = [route.id for route in OPERATIONS if route.summary.startswith("List")]
    assert len(listing) == 12
    for operation in listing:
        answer = recorded()[operation]["answer"]
        assert answer if isinstance(answer, list) else next(iter(answer.values())), operation

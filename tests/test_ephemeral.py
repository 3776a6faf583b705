"""A server in memory for the tests of others: its clock, and the fixture of the plugin."""

import json
import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from commands import ending, run
from in_memory import send
from ordre.pytest import START, RunningOrdre
from service import ORDRE, Service, items
from throwaway import free_port

pytestmark = pytest.mark.slow

pytest_plugins = ("pytester",)


def answers(ordre: RunningOrdre) -> bool:
    try:
        return httpx.get(f"{ordre.url}/health").status_code == 200
    except httpx.TransportError:
        return False


def test_what_happens_happens_by_its_clock(ordre: RunningOrdre) -> None:
    ordre.move_clock("2026-03-01T12:00:00+01:00")
    first = send(ordre, "POST", "/orders", {"currency": "NOK", "items": items(5), "time_to_live": 86400}).json()
    assert first["created_at"].startswith("2026-03-01T11:00:00.")
    assert first["time_to_live_expires_at"].startswith("2026-03-02T11:00:00.")
    second = send(ordre, "POST", "/orders", {"currency": "NOK", "items": items(5)}).json()
    assert second["created_at"] > first["created_at"]
    assert [order["id"] for order in send(ordre, "GET", "/orders").json()["orders"]][:2] == [second["id"], first["id"]]
    ordre.move_clock("2026-04-01T00:00:00Z")
    closed = send(ordre, "POST", f"/orders/{second['id']}/close").json()
    assert closed["closed_at"].startswith("2026-04-01T00:00:00.")
    assert send(ordre, "GET", f"/orders/{first['id']}").json()["deleted_at"].startswith("2026-04-01T00:00:00.")
    assert httpx.get(f"{ordre.url}/clock").json()["now"].startswith("2026-04-01")


def test_each_test_has_an_account_of_its_own_and_the_clock_at_its_start(ordre: RunningOrdre) -> None:
    assert send(ordre, "GET", "/orders").json() == {"orders": []}
    assert httpx.get(f"{ordre.url}/clock").json()["now"].startswith(START[:19])
    other = ordre.new_account()
    send(other, "POST", "/orders", {"currency": "NOK", "items": items(5)})
    assert other.account_id != ordre.account_id
    assert send(ordre, "GET", "/orders").json() == {"orders": []}
    assert len(send(other, "GET", "/orders").json()["orders"]) == 1


def test_a_failure_shows_what_the_server_logged_meanwhile(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_before(ordre):
            httpx.get(ordre.api_url + "/shopping/orders/before")

        def test_it(ordre):
            httpx.get(ordre.api_url + "/shopping/draft_orders/x")
            assert False
        """
    )
    said = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    said.assert_outcomes(passed=1, failed=1)
    (_, logged) = str(said.stdout).split("Ordre's log")
    assert "draft_orders/{id}" in logged
    assert "orders/{order_id}" not in logged


def test_accounts_for_the_asking_are_had_in_memory_alone(service: Service) -> None:
    assert httpx.post(f"{service.url}/accounts").status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("{}", None),
        ("x", None),
        ('{"now": 5}', None),
        ('{"now": "2026-01-01T00:00:00Z", "advance": "P1D"}', None),
        ('{"now": "noon"}', "now"),
        ('{"advance": "1 day"}', "advance"),
        ('{"advance": "P1D\\n"}', "advance"),
        ('{"advance": "P9999Y"}', "advance"),
    ],
)
def test_a_clock_is_moved_to_an_instant_or_by_a_duration(ordre: RunningOrdre, body: str, path: str | None) -> None:
    answer = httpx.put(f"{ordre.url}/clock", content=body)
    (fault,) = answer.json()["error"]["errors"]
    assert (answer.status_code, fault.get("path")) == (400, path)
    assert "such as" in fault["message"] or "year 10000" in fault["message"]


@pytest.mark.parametrize(
    ("duration", "end"),
    [
        ("P1D", "2026-02-01T12:00:00.000Z"),
        ("P1M", "2026-02-28T12:00:00.000Z"),
        ("P1Y", "2027-01-31T12:00:00.000Z"),
        ("P2W", "2026-02-14T12:00:00.000Z"),
        ("PT90M", "2026-01-31T13:30:00.000Z"),
        ("P1Y2M3DT4H5M6.7S", "2027-04-03T16:05:06.700Z"),
    ],
)
def test_a_clock_moves_by_a_duration(ordre: RunningOrdre, duration: str, end: str) -> None:
    ordre.move_clock("2026-01-31T12:00:00Z")
    ordre.advance_clock(duration)
    assert httpx.get(f"{ordre.url}/clock").json() == {"now": end}


def test_it_starts_at_once_prints_a_client_and_leaves_nothing() -> None:
    port, started = free_port(), time.monotonic()
    command = [ORDRE, "serve", "--ephemeral", "--port", str(port)]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)) as process:
        assert process.stdout is not None
        ordre = RunningOrdre(**json.loads(process.stdout.readline()), log=Path(os.devnull))
        assert time.monotonic() - started < 10
        assert ordre.url == f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 10
        while not answers(ordre):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert send(ordre, "GET", "/orders").json() == {"orders": []}
        assert httpx.get(f"{ordre.url}/clock").status_code == 404, "a clock that runs is not moved"


def test_a_clock_goes_with_a_server_in_memory_alone() -> None:
    assert "in memory only" in run("serve", "--clock", START, "--database", "sqlite:////tmp/x.sqlite", status=1)
    assert "an instant such as" in run("serve", "--ephemeral", "--clock", "noon", status=1)
    assert "one process" in run("serve", "--ephemeral", "--workers", "2", status=1)


def test_every_test_may_take_a_token(ordre: RunningOrdre) -> None:
    assert len({ordre.token() for _ in range(70)}) == 70

"""`ordre bench`: short runs against real servers on both engines, what it refuses, and that it leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from commands import ending, run, run_json
from database import new_database
from service import ORDRE
from throwaway import Cluster

SECONDS = 60
SHORT = ("--clients", "1,3", "--rounds", "2", "--seconds", "0.2", "--facts", "5,20", "--lines", "2")
FIGURES = ("rate", "p50_ms", "p99_ms", "server_us", "generator_share", "others_share")
UNSAFE: dict[str, Any] = {"ORDRE_UNSAFE_STORAGE": "allow"}
"""The PostgreSQL of the tests does not sync."""


def measured(folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of a short run, as JSON."""
    file = folder / "report.json"
    printed = run("bench", *arguments, "--json", str(file), **UNSAFE)
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert all(re.search(rf"\b{one['database']}\b", printed) for one in found["databases"])
    return found


def medians_of(report: dict[str, Any], scenario: str, figure: str) -> list[float]:
    return [one[figure]["median"] for one in report["results"] if one["scenario"] == scenario]


@pytest.mark.slow
def test_every_scenario_on_both_engines_in_turns(cluster: Cluster, tmp_path: Path) -> None:
    scenarios = ("life-cycle", "create", "read", "capture", "list", "mixed", "hot-order", "accounts", "long-orders")
    report = measured(tmp_path, *scenarios, "--database", "sqlite", "--database", cluster.database(), *SHORT)
    assert report["format"] == 1
    assert {"date", "ordre", "commit", "python", "processors", "sync_us"} <= report["machine"].keys()
    assert [(one["database"], one["durable"]) for one in report["databases"]] == [("SQLite", True), ("PostgreSQL", False)]
    keys = [(one["scenario"], one["clients"], one["facts"]) for one in report["results"] if one["database"] == "SQLite"]
    by_clients = [(scenario, clients, None) for scenario in scenarios[:5] for clients in (1, 3)]
    at_the_middle = [(scenario, 3, None) for scenario in scenarios[5:8]]
    long = [(f"long-orders: {call}", 4, facts) for facts in (5, 20) for call in ("capture", "events")]
    assert keys == by_clients + at_the_middle + long
    for one in report["results"]:
        assert one["rounds"] == 2
        for figure in FIGURES:
            assert 0 <= one[figure]["least"] <= one[figure]["median"] <= one[figure]["most"], (one, figure)
        assert (one["database_us"] is None) == (one["database"] == "SQLite"), one
        assert (one["order_bytes"] is None) == (one["scenario"] not in ("life-cycle", "create"))
        assert one["p50_ms"]["median"] <= one["p99_ms"]["median"]
        assert one["generator_share"]["median"] < 1
    assert min(medians_of(report, "life-cycle", "server_us")) > max(medians_of(report, "read", "server_us"))


@pytest.mark.slow
def test_a_run_says_what_it_cannot_be_believed_in(cluster: Cluster) -> None:
    done = subprocess.run(
        [ORDRE, "bench", "read", "--database", cluster.database(), *SHORT],
        env={**os.environ, **UNSAFE},
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert "PostgreSQL may lose what it acknowledged (fsync or the like is off): its figures are too good." in done.stderr
    assert re.search(r"^Ordre \S+ .*\d+ processors? .*Linux.*CPython \S+, PostgreSQL \S+;", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_database_with_other_accounts_is_refused(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = new_database(request, engine, tmp_path_factory)
    if engine == "postgres":
        run("migrate", database=database)
    run("account", "create", "P12345678", "--name", "Shop", database=database)
    before = run_json("account", "list", database=database)
    said = run("bench", "read", "--database", database, status=1, **UNSAFE)
    assert "holds accounts that no benchmark made (P12345678)" in said
    assert "--among-others" in said
    assert run_json("account", "list", database=database) == before
    run("bench", "read", "--database", database, "--among-others", *SHORT, **UNSAFE)
    made = [one for one in run_json("account", "list", database=database) if one not in before]
    assert {one["name"] for one in made} == {"ordre bench"}
    run("verify", database=database)


@pytest.mark.slow
def test_a_bench_database_is_taken_again(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'bench.sqlite'}"
    for _ in range(2):
        run("bench", "create", "long-orders", "--database", database, *SHORT)
    assert "differences" in run("verify", database=database)
    assert len(run_json("account", "list", database=database)) == 2


def test_the_database_of_the_environment_is_left_alone(tmp_path: Path) -> None:
    there = tmp_path / "served.sqlite"
    run("bench", "read", *SHORT, database=f"sqlite:///{there}")
    assert not there.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--clients", "0,4"), "--clients is '0,4'; it must be numbers from 1 to 128 with commas between, such as 1,10"),
        (("--clients", "some"), "--clients is 'some'"),
        (("--seconds", "0"), "--seconds is 0; it must be more than 0"),
        (("--database", "memory:"), "memory: keeps nothing that could be measured"),
        (("--database", "nothing"), "sqlite:///path or postgresql://user@host/name"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    printed = run("bench", "read", *arguments, status=1)
    assert said in printed
    assert printed.count("\n") == 1


def test_a_server_that_does_not_start_is_told_with_its_reason(cluster: Cluster) -> None:
    said = run("bench", "read", "--database", cluster.database(), status=1)
    assert "the server did not start" in said
    assert "fsync=off" in said


def below(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    pairs = list(zip(map(int, listed[::2]), map(int, listed[1::2]), strict=True))
    found = [pid]
    for one in found:
        found += [child for child, parent in pairs if parent == one]
    return found[1:]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    """Neither a process nor a file, and it ends with one line."""
    command = [ORDRE, "bench", "read", "--rounds", "1000", "--workers", "2", "--generators", "2"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with ending(
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
    ) as process:
        deadline = time.monotonic() + SECONDS
        log = ""
        while "shopping/orders" not in log and time.monotonic() < deadline:
            time.sleep(0.1)
            log = "".join(one.read_text(errors="replace") for one in tmp_path.glob("ordre-bench-*/server-*.log"))
        started = below(process.pid)
        assert len(started) >= 5, "a server with two processes, and two generators"
        os.killpg(process.pid, number)
        out, error = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, error) == (130, "", "ordre: interrupted\n")
    deadline = time.monotonic() + SECONDS  # what Python keeps books with ends once it sees that nobody is there
    while (left := [pid for pid in started if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert list(tmp_path.iterdir()) == []

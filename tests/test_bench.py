"""`ordre bench`: short runs against real servers on both engines, what it refuses, and that it leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from commands import ending, run, run_json
from database import new_database, sql
from ordre.bench.charts import Line, Panel, Point, chart
from ordre.bench.page import BEGIN
from service import ORDRE
from throwaway import Cluster

SECONDS = 60
ROOT = Path(__file__).parents[1]
SHORT = ("--clients", "1,3", "--rounds", "2", "--seconds", "0.6", "--facts", "5,20", "--lines", "2")
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
@pytest.mark.long
def test_every_scenario_on_both_engines_in_turns(cluster: Cluster, tmp_path: Path) -> None:
    scenarios = ("life-cycle", "create", "read", "capture", "list", "mixed", "hot-order", "accounts", "long-orders")
    report = measured(tmp_path, *scenarios, "--database", "sqlite", "--database", cluster.database(), *SHORT)
    assert report["format"] == 1
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    named = [*report, *report["machine"], *report["databases"][0], *report["results"][0]]
    assert [name for name in named if f"`{name}`" not in page] == []
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
@pytest.mark.long
def test_lists_and_yardsticks_on_both_engines(cluster: Cluster, tmp_path: Path) -> None:
    databases = ("--database", "sqlite", "--database", cluster.database())
    report = measured(tmp_path, "lists", "yardsticks", *databases, *SHORT, "--orders", "40,120")
    lists = [one for one in report["results"] if one["scenario"] == "lists"]
    assert {one["orders"] for one in lists} == {40, 120}
    assert {"newest", "oldest", "a customer", "search: e-mail"} <= {one["call"] for one in lists}
    assert all(one["server_us"] is None for one in lists)
    others = [(one["scenario"], one["database"], one["clients"]) for one in report["results"] if one not in lists]
    assert others == [
        ("empty application", "none", 1),
        ("empty application", "none", 3),
        ("bare statement", "SQLite", 1),
        ("bare statement", "PostgreSQL", 3),
    ]
    bare = [one for one in report["results"] if one["scenario"] == "bare statement"]
    assert all(0 < one["p50_ms"]["median"] <= one["p99_ms"]["median"] for one in bare)
    assert bare[1]["database_us"]["median"] > 0


@pytest.mark.long
@pytest.mark.slow
def test_the_bare_statement_without_pgbench(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    report = measured(tmp_path, "yardsticks", "--database", cluster.database(), *SHORT)
    assert [one["call"] for one in report["results"] if one["scenario"] == "bare statement"] == ["asyncpg"]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_orders_that_are_filled_in_are_good(
    engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Twice: into an empty database, and beside as many orders as are there already, with the indexes in place."""
    database = new_database(request, engine, tmp_path_factory)
    before: list[str] = []
    for orders in (2_500, 300):
        said = run("bench", "--seed", str(orders), "--database", database)
        account = re.findall(r"account_id: +(\S+)", said)[0]
        printed = run("order", "list", account, "--limit", "100", "--json", database=database)
        assert len(json.loads(printed)["orders"]) == 100
        schema = sorted(schema_of(database))
        assert not before or schema == before
        before = schema
    verified = run_json("verify", database=database)
    assert (verified["orders"], verified["differences"]) == (2_800, [])
    assert verified["facts"] > 2_800 * 2
    assert statuses_of(database) >= {"open", "closed", "cancelled"}


def schema_of(database: str) -> list[str]:
    """The indexes, constraints and policies that a database has."""
    if database.startswith("sqlite"):
        return [str(row) for row in sql(database, "select name, sql from sqlite_master where name not like 'sqlite_stat%'")]
    found = sql(database, "select indexdef from pg_indexes where schemaname = 'public'")
    found += sql(database, "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint")
    found += sql(database, "select relname, relrowsecurity, relforcerowsecurity from pg_class where relkind = 'r'")
    return [str(row) for row in found]


def statuses_of(database: str) -> set[str]:
    return {row[0] for row in sql(database, "select distinct status from orders")}


@pytest.mark.long
@pytest.mark.slow
def test_a_filling_that_is_interrupted_leaves_the_database_as_it_was(cluster: Cluster) -> None:
    database = cluster.database()
    run("migrate", database=database)
    schema = schema_of(database)
    command = [ORDRE, "bench", "--seed", "2000000", "--database", database]
    with ending(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    ) as process:
        copying = "select 1 from pg_stat_activity where application_name = 'ordre bench' and query like 'COPY%'"
        deadline = time.monotonic() + SECONDS
        while not sql(database, copying) and time.monotonic() < deadline:
            time.sleep(0.05)
        started = below(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, error) == (130, "", "ordre: interrupted\n")
    assert left_of(started) == []
    assert sql(database, "select count(*) from orders") == [(0,)]
    assert schema_of(database) == schema


@pytest.mark.slow
@pytest.mark.long
def test_the_page_is_written_by_the_command(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    page.write_text(text, encoding="utf-8")
    scenarios = ("life-cycle", "read", "long-orders", "lists", "yardsticks")
    for _ in range(2):  # the second takes the place of the first
        run("bench", *scenarios, *SHORT, "--orders", "40,120", "--page", str(page))
    written = page.read_text(encoding="utf-8")
    assert written.partition(BEGIN)[0] == text.partition(BEGIN)[0]
    assert written.count("| life cycle of six calls | SQLite | 1 |") == 1
    assert re.search(r"^Ordre \S+ .*CPython", written, flags=re.MULTILINE)
    names = re.findall(r"!\[.+?\]\((pictures/performance-\S+\.svg)\)", written)
    assert len(names) == 4
    for name in names:
        drawn = ET.parse(tmp_path / name).getroot()  # noqa: S314 - our own
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        assert drawn.findall(".//{*}polyline")
        svg = (tmp_path / name).read_text(encoding="utf-8")
        assert "prefers-color-scheme: dark" in svg
        assert "nan" not in svg


def test_a_page_without_a_place_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert "has no part to write into" in run("bench", "--page", str(page), status=1)
    page.write_text("# Performance\n", encoding="utf-8")
    assert f"a line {BEGIN}" in run("bench", "--page", str(page), status=1)


def test_charts_hold_every_value_within_their_frame() -> None:
    points = tuple(Point(x=x, y=y, least=y * 0.9, most=y * 1.3) for x, y in ((1, 0.02), (8, 77.0), (128, 4321.0)))
    for log in (False, True):
        panel = Panel(title="a & b", lines=(Line(name="x", points=points),), log=log)
        drawn = ET.fromstring(chart("A < B", "clients", [panel]))  # noqa: S314 - as above
        places = [float(one) for line in drawn.findall(".//{*}polyline") for one in re.findall(r"[\d.]+", line.attrib["points"])]
        assert len(places) == 6
        assert all(46 <= x <= 300 for x in places[::2])
        assert places[::2] == sorted(places[::2])
        assert all(30 <= y <= 180 for y in places[1::2])
        assert places[1::2] == sorted(places[1::2], reverse=True)


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.slow
def test_a_bench_database_is_taken_again(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'bench.sqlite'}"
    for _ in range(2):
        run("bench", "create", "long-orders", "--database", database, *SHORT)
    assert "differences" in run("verify", database=database)
    assert len(run_json("account", "list", database=database)) == 2


@pytest.mark.slow
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
        (("--seed", "10"), "--seed fills a database and measures nothing"),
        (("--database", "nothing"), "sqlite:///path or postgresql://user@host/name"),
    ],
)
def test_what_cannot_be_measured_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    printed = run("bench", "read", *arguments, status=1)
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.slow
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


def left_of(started: list[int]) -> list[int]:
    """Those processes that do not end: what Python keeps books with does once it sees that nobody is there."""
    deadline = time.monotonic() + SECONDS
    while (left := [pid for pid in started if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_seeding_wants_a_database_that_stays() -> None:
    assert "--seed goes with --database" in run("bench", "--seed", "10", status=1)
    assert "--seed is 0; it must be 1 or more" in run("bench", "--seed", "0", "--database", "postgresql://x@y/z", status=1)


@pytest.mark.long
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
    assert left_of(started) == []
    assert list(tmp_path.iterdir()) == []

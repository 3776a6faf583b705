"""`ordre bench`."""

import json as jsons
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ordre.bench.options import SCENARIOS, Options, Scenario
from ordre.cli.notices import print_warning, progress
from ordre.cli.options import Switch
from ordre.cli.output import print_rows
from ordre.settings import BadSetting

if TYPE_CHECKING:
    from ordre.bench.run import Report

Numbers = Annotated[str | None, Parameter(show_default=False)]


def bench(
    *scenario: Scenario,
    database: list[str] | None = None,
    quick: Switch = False,
    clients: Numbers = None,
    rounds: int | None = None,
    seconds: float | None = None,
    facts: Numbers = None,
    orders: Numbers = None,
    lines: int | None = None,
    workers: int = 1,
    generators: int = 1,
    among_others: Switch = False,
    json: Path | None = None,
) -> None:
    """Measure what requests cost here: against `ordre serve`, which it starts by itself, over real HTTP, durable.

    About two minutes for each database. Without --database it measures on a throwaway SQLite file; ORDRE_DATABASE is not read.
    Nothing else should use the machine, nor the PostgreSQL server, meanwhile. docs/performance.md says how to read the results.

    Args:
        scenario: What to measure: life-cycle, create, read, capture, list, mixed, hot-order, accounts, long-orders, lists,
            yardsticks [default: all]
        database: `sqlite` for a throwaway file, or a database URL: an empty database, or one that only benchmarks have filled.
            Several are measured in turns.
        quick: About 15 seconds for each database: to see that it works, not to compare.
        clients: Numbers of clients, such as 1,16,128 [default: 1,8,32,128]
        rounds: How often everything is measured; the median counts [default: 3]
        seconds: How long one measurement takes [default: 0.8]
        facts: Lengths of long orders [default: 10,100,1000,10000]
        orders: Sizes of accounts whose lists are measured [default: 1000,10000,100000]
        lines: Lines of an order; four are about 2.8 kB [default: 4]
        workers: Server processes.
        generators: Processes that send requests.
        among_others: Also on a database with accounts that no benchmark made. Its orders stay there.
        json: Write all results to this file.
    """
    given: dict[str, Any] = {
        "scenarios": scenario or SCENARIOS,
        "clients": _numbers("--clients", clients, 128),
        "rounds": rounds,
        "seconds": seconds,
        "facts": _numbers("--facts", facts, 100_000),
        "orders": _numbers("--orders", orders, 100_000_000),
        "lines": lines,
        "workers": workers,
        "generators": generators,
        "among_others": among_others,
    }
    for name in ("rounds", "seconds", "lines", "workers", "generators"):
        value = given[name]
        if value is not None and value <= 0:
            raise BadSetting(f"--{name} is {value:g}; it must be more than 0")
    options = Options().quick() if quick else Options()
    report = _measured(database or ["sqlite"], replace(options, **{name: one for name, one in given.items() if one is not None}))
    _print(report)
    if json is not None:
        json.write_text(jsons.dumps(report.json(), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _numbers(flag: str, text: str | None, most: int) -> tuple[int, ...] | None:
    """Return the numbers of a flag, in order; None where it is not given."""
    if text is None:
        return None
    parts = [one.strip() for one in text.split(",")]
    if not all(one.isascii() and one.isdecimal() and 1 <= int(one) <= most for one in parts):
        raise BadSetting(f"{flag} is {text!r}; it must be numbers from 1 to {most:,} with commas between, such as 1,10")
    return tuple(sorted({int(one) for one in parts}))


def _measured(databases: list[str], options: Options) -> "Report":
    from ordre.bench.run import run  # noqa: PLC0415 - help and completion need nothing of what it loads

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what it started is ended
    with progress(quiet=False) as shown:
        task = shown.add_task("Starting", total=None)

        def told(what: str, done: int, of: int) -> None:
            shown.update(task, description=what, completed=done, total=of)

        return run(databases, options, told)


def _print(report: "Report") -> None:
    from ordre.bench import tables  # noqa: PLC0415 - as above

    print(f"{tables.heading(report)}\n")
    print_rows(tables.rows(report.results), json=False, right=tables.NUMBERS)
    for remark in tables.remarks(report):
        print_warning(remark)

"""`ordre bench`."""

import json as jsons
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ordre.bench.options import MOST_CLIENTS, SCENARIOS, THROWAWAY, Options, Scenario
from ordre.cli.notices import print_warning, progress
from ordre.cli.options import Switch
from ordre.cli.output import print_fields, print_rows
from ordre.settings import BadSetting

if TYPE_CHECKING:
    from ordre.bench.fill import Told
    from ordre.bench.run import Report

_MOST_FACTS, _MOST_ORDERS = 100_000, 100_000_000


def _about(text: str) -> Parameter:
    return Parameter(help=text, show_default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How it is measured: flags that change the defaults. Several numbers stand in one text, with commas between."""

    clients: Annotated[str | None, _about("Numbers of clients, such as 1,16,128 [default: 1,8,32,128]")] = None
    rounds: Annotated[int | None, _about("How often everything is measured; the median counts [default: 3]")] = None
    seconds: Annotated[float | None, _about("How long one measurement takes [default: 0.5]")] = None
    facts: Annotated[str | None, _about("Lengths of long orders [default: 10,100,1000,10000]")] = None
    orders: Annotated[str | None, _about("Sizes of accounts whose lists are measured [default: 1000,5000,25000]")] = None
    lines: Annotated[int | None, _about("Lines of an order; four are about 2.8 kB [default: 4]")] = None
    workers: Annotated[int | None, _about("Server processes [default: 1]")] = None
    generators: Annotated[int | None, _about("Processes that send requests [default: 1]")] = None

    def options(self, options: Options) -> Options:
        """Return options with what these flags change.

        Raises:
            BadSetting: A value does not fit.
        """
        given: dict[str, Any] = {
            **asdict(self),
            "clients": _numbers("--clients", self.clients, MOST_CLIENTS),
            "facts": _numbers("--facts", self.facts, _MOST_FACTS),
            "orders": _numbers("--orders", self.orders, _MOST_ORDERS),
        }
        for name in ("rounds", "seconds", "lines", "workers", "generators"):
            if given[name] is not None and given[name] <= 0:
                raise BadSetting(f"--{name} is {given[name]:g}; it must be more than 0")
        return replace(options, **{name: one for name, one in given.items() if one is not None})


def bench(
    *scenario: Scenario,
    database: Annotated[list[str] | None, Parameter(negative="")] = None,
    quick: Switch = False,
    how: Annotated[How, Parameter(name="*")] | None = None,
    among_others: Switch = False,
    seed: int | None = None,
    json: Path | None = None,
    page: Path | None = None,
) -> None:
    """Measure what requests cost here: against `ordre serve`, which it starts by itself, over real HTTP, durable.

    About two minutes for each database. Without --database it measures on a throwaway SQLite file; ORDRE_DATABASE is not read.
    Nothing else should use the machine, nor the PostgreSQL server, meanwhile. docs/performance.md says how to read the results.

    Args:
        scenario: What to measure [default: all]
        database: `sqlite` for a throwaway file, or a database URL: an empty database, or one that only benchmarks have filled.
            Several are measured in turns.
        quick: About 15 seconds for each database: to see that it works, not to compare.
        among_others: Also on a database with accounts that no benchmark made. Its orders stay there.
        seed: Measure nothing: fill each database with so many orders of a new account, which stay there. `ordre verify` finds
            them good.
        json: Write all results to this file.
        page: Write tables into this Markdown file, between the marks that it has for them, and pictures beside it.
    """
    if seed is not None:
        _fill(database or [], seed, among_others=among_others, measures=bool(scenario or quick or how or json or page))
        return
    from ordre.bench.page import check_page, write_page  # noqa: PLC0415 - help and completion need nothing of what it loads

    if page is not None:
        check_page(page)
    options = replace(Options(), scenarios=scenario or SCENARIOS, among_others=among_others)
    report = _measured(database or [THROWAWAY], (how or How()).options(options.quick() if quick else options))
    _print(report)
    if json is not None:
        json.write_text(jsons.dumps(report.json(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if page is not None:
        print("wrote", *write_page(page, report))


def _fill(databases: list[str], orders: int, *, among_others: bool, measures: bool) -> None:
    if measures:
        raise BadSetting("--seed fills a database and measures nothing; `ordre bench lists --orders N` does both")
    if not databases or THROWAWAY in databases:
        raise BadSetting("--seed goes with --database: the URL of a database that stays")
    if orders < 1:
        raise BadSetting(f"--seed is {orders}; it must be 1 or more")
    from ordre.bench.databases import named  # noqa: PLC0415 - help and completion need nothing of what it loads
    from ordre.bench.fill import fill  # noqa: PLC0415 - as above

    rows = []
    with _telling() as told:
        for one in named(databases, Path(), 1):
            one.prepare(among_others=among_others)
            made = fill(one, orders, told)
            rows.append({"database": one.label, **asdict(made), "a second": f"{orders / made.seconds:,.0f}"})
    for row in rows:
        print_fields({**row, "seconds": f"{row['seconds']:.1f}"}, json=False)


@contextmanager
def _telling() -> "Iterator[Told]":
    """Yield what is told how far it is; SIGTERM ends it as Ctrl-C does, so that what it started is ended, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with progress(quiet=False) as shown:
        task = shown.add_task("Starting", total=None)
        yield lambda what, done, of: shown.update(task, description=what, completed=done, total=of)


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

    with _telling() as told:
        return run(databases, options, told)


def _print(report: "Report") -> None:
    from ordre.bench import tables  # noqa: PLC0415 - as above

    print(f"{tables.heading(report)}\n")
    print_rows(tables.rows(report.results), json=False, right=tables.NUMBERS)
    for remark in tables.remarks(report):
        print_warning(remark)

"""The pictures of a report: rates and latencies over clients, cost over history, latencies of lists over size."""

from collections.abc import Callable, Iterator, Sequence

from ordre.bench.charts import Line, Panel, Point, chart
from ordre.bench.results import Figure, Key, Result
from ordre.bench.tables import TITLES

_BY_CLIENTS = ("life-cycle", "create", "read", "capture", "list")
_Of = Callable[[Result], Figure | None]
_X = Callable[[Key], int | None]


def pictures(results: Sequence[Result]) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each picture's file, what it shows, and its SVG."""
    for name, about, x, panels in (
        ("rates", "Requests a second (of life cycles: six calls) over clients", "clients", list(_rates(results))),
        ("latencies", "Milliseconds of a request over clients, p50 and p99", "clients", list(_latencies(results))),
        ("history", "CPU microseconds of a request over the facts of its order", "facts", list(_history(results))),
        ("lists", "Milliseconds of a list of 20 over the orders of its account, p50 and p99", "orders", list(_lists(results))),
    ):
        if panels:
            yield f"performance-{name}.svg", about, chart(about, x, panels)


def _rates(results: Sequence[Result]) -> Iterator[Panel]:
    for scenario in _BY_CLIENTS:
        lines = _lines(results, scenario, _clients, {"": lambda one: one.rate})
        if lines:
            yield Panel(title=f"{TITLES[scenario]}, a second", lines=lines)


def _latencies(results: Sequence[Result]) -> Iterator[Panel]:
    for scenario in _BY_CLIENTS:
        lines = _lines(results, scenario, _clients, {" p50": lambda one: one.p50_ms, " p99": lambda one: one.p99_ms})
        if lines:
            yield Panel(title=f"{TITLES[scenario]}, ms", lines=lines, log=True)


def _history(results: Sequence[Result]) -> Iterator[Panel]:
    for scenario in ("long-orders: capture", "long-orders: events"):
        of: dict[str, _Of] = {" server": lambda one: one.server_us, " database": lambda one: one.database_us}
        lines = _lines(results, scenario, lambda key: key.facts, of)
        if lines:
            yield Panel(title=f"{TITLES[scenario]}, us", lines=lines)


def _lists(results: Sequence[Result]) -> Iterator[Panel]:
    for call in dict.fromkeys(one.key.call for one in results if one.key.scenario == "lists"):
        of: dict[str, _Of] = {" p50": lambda one: one.p50_ms, " p99": lambda one: one.p99_ms}
        lines = _lines([one for one in results if one.key.call == call], "lists", lambda key: key.orders, of)
        yield Panel(title=f"{call}, ms", lines=lines, log=True)


def _clients(key: Key) -> int:
    return key.clients


def _lines(results: Sequence[Result], scenario: str, x: _X, figures: dict[str, _Of]) -> tuple[Line, ...]:
    """Return a line for each figure on each database; the second figure is dashed."""
    databases = list(dict.fromkeys(one.key.database for one in results if one.key.scenario == scenario))
    found = []
    for colour, database in enumerate(databases):
        chosen = [one for one in results if one.key.scenario == scenario and one.key.database == database]
        for place, (name, of) in enumerate(figures.items()):
            points = tuple(_points(chosen, x, of))
            if points:
                found.append(Line(name=f"{database}{name}", points=points, colour=colour, dashed=place > 0))
    return tuple(found)


def _points(results: Sequence[Result], x: _X, of: _Of) -> Iterator[Point]:
    for one in results:
        at, figure = x(one.key), of(one)
        if at is not None and figure is not None:
            yield Point(x=at, y=figure.median, least=figure.least, most=figure.most)

"""Which tests run, in which order and for how long: the whole, the fast lane (`--fast`) and the deep one (`--deep`).

- The whole is every test, with bounds on what could go on for ever: it is what a change must pass.
- `--fast` leaves out PostgreSQL and what is marked `slow`.
- `--deep` runs what is marked `deep`, each until its share of `--seconds` is over: `deep(2)` has two shares.
- What is marked `once` runs on SQLite in the whole, and on PostgreSQL in the deep lane; what is marked `long`, in the deep lane
  alone. Neither goes on there: it runs one time.
"""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

SECONDS = 900.0
LATE = 300
"""Seconds after which a test of the deep lane that goes on beyond its end fails. Others have `timeout` of pyproject.toml."""
USED = 0.6
"""How much of the time the shares make up: the rest is for what begins and ends, and for what is there for its engine."""
APART = (
    "tests/test_schemathesis.py",
    "tests/test_crash.py",
    "tests/test_deliveries.py",
    "tests/test_bench.py",
    "tests/http/test_machine.py",
    "tests/domain/test_many_orders.py",
    "tests/domain/test_order_machine.py",
)
"""Files of long tests, which share nothing: they come first, and each test is dealt out alone."""
ENDS = pytest.StashKey[float]()
SEED = pytest.StashKey[int]()
SHARES = pytest.StashKey[float]()


class Effort:
    """How long a test that could go on for ever goes on: one round, or in the deep lane until its time is over."""

    def __init__(self, seconds: float = 0, last: float = 0, first: int = 0) -> None:
        self._seconds, self._last, self._first = seconds, last, first
        self.deep = seconds > 0

    @property
    def seconds(self) -> str:
        """How many whole seconds are left, for somebody who is told how long to take; at least one."""
        return str(max(1, int(min(self._seconds, self._last - time.time()))))

    def rounds(self, most: int = 1) -> Iterator[int]:
        """Yield 0, 1, ...: ``most`` of them; in the deep lane those from `--seed` on while there is time for one more."""
        longest, ends = 0.0, min(time.time() + self._seconds, self._last)
        for number in count(self._first):
            done = number - self._first
            if (done > 0 if self.deep else done >= most) and time.time() + longest > ends:
                return
            begun = time.time()
            yield number
            longest = max(longest, time.time() - begun)


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("ordre", "lanes of Ordre's tests")
    group.addoption("--fast", action="store_true", help="leave out PostgreSQL and what is marked slow")
    group.addoption("--deep", action="store_true", help="run what is marked deep alone, for --seconds in all")
    group.addoption("--seed", type=int, help="where the deep lane begins to draw; another one each time by default")
    group.addoption("--seconds", type=float, default=SECONDS, help=f"how long the deep lane goes on; {SECONDS:.0f} by default")


def name_of(config: pytest.Config) -> str:
    """The lane that runs whole, or nothing where something was selected."""
    option = config.option
    selected = (
        option.keyword
        or option.markexpr
        or getattr(option, "lf", False)
        or config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    )
    if selected or option.collectonly:
        return ""
    return "fast" if option.fast else "deep" if option.deep else "whole"


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not in the lane; put what takes longest first."""
    if config.option.fast and config.option.deep:
        raise pytest.UsageError("--fast or --deep, not both")
    runs = {item: _runs(config, item) for item in items}
    wanted = [item for item, does in runs.items() if does]
    config.hook.pytest_deselected(items=[item for item, does in runs.items() if not does])
    if config.option.deep:
        for item in wanted:
            item.add_marker(pytest.mark.timeout(config.option.seconds + LATE))
    items[:] = sorted(wanted, key=lambda item: (_file(item.nodeid) not in APART, item.get_closest_marker("slow") is None))
    config.stash[SHARES] = sum(_share(item) for item in items)


def _runs(config: pytest.Config, item: pytest.Item) -> bool:
    if config.option.deep:
        return item.get_closest_marker("deep") is not None or _is_deep_alone(item)
    if not config.option.fast:
        return name_of(config) != "whole" or not _is_deep_alone(item)
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return (
        item.get_closest_marker("slow") is None
        and "postgres" not in _parameters(item)
        and not {"cluster", "own_cluster"} & set(fixtures)
    )


def _is_deep_alone(item: pytest.Item) -> bool:
    if item.get_closest_marker("long") is not None:
        return True
    mark = item.get_closest_marker("deep")
    alone = "postgres" if item.get_closest_marker("once") else mark and mark.kwargs.get("alone")
    return alone in _parameters(item)


def _parameters(item: pytest.Item) -> list[Any]:
    callspec = getattr(item, "callspec", None)
    return list(callspec.params.values()) if callspec else []


def _share(item: pytest.Item) -> float:
    mark = item.get_closest_marker("deep")
    return float(mark.args[0]) if mark and mark.args else 1.0 if mark else 0.0


def effort_of(item: pytest.Item, workers: int) -> Effort:
    config = item.config
    if not config.option.deep:
        return Effort()
    seconds = config.option.seconds * USED * workers * _share(item) / config.stash[SHARES]
    return Effort(seconds, config.stash[ENDS], config.stash[SEED])


def scope_of(nodeid: str) -> str:
    """What runs in one process, one test after another: a file's tests on one engine."""
    if _file(nodeid) in APART:
        return nodeid
    engine = next((name for name in ("sqlite", "postgres") if f"[{name}" in nodeid or f"-{name}" in nodeid), "")
    return f"{_file(nodeid)} {engine}"


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]

"""Says how far the tests are: each file as it is done, what took long, and what is running when nothing else is said."""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from lanes import SEED

Status = tuple[str, str, str | tuple[str, Mapping[str, bool]]]
LONG = 10.0
SILENT = 20.0
USUALLY = {"whole": "up to 6 minutes", "fast": "about a minute"}
"""On two cores that do nothing else."""


class Progress:
    """Prints a line where the dots would be."""

    def __init__(self, config: pytest.Config, lane: str) -> None:
        self._config, self._lane = config, lane
        self._times = Path(config.rootpath) / ".cache" / "lanes.json"
        self._started = self._spoke = time.monotonic()
        self._left: Counter[str] = Counter()
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._running: dict[str, float] = {}
        self._total = self._done = 0
        self._over = threading.Event()
        self._lock = threading.Lock()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._collected(ids)

    def _collected(self, ids: list[str]) -> None:
        if self._total or not ids:
            return
        self._total = len(ids)
        self._left.update(_file(one) for one in ids)
        processes = self._config.getoption("numprocesses", None) or 1
        self._say(f"{self._total} tests, {processes} at once. {self._estimate()}".strip())
        threading.Thread(target=self._watch, daemon=True).start()

    def _estimate(self) -> str:
        if self._config.option.deep:
            seconds, seed = self._config.option.seconds, self._config.stash[SEED]
            return f"They end after about {_clock(seconds)}; --seed {seed} draws the same again."
        if self._times.exists() and (took := json.loads(self._times.read_text(encoding="utf-8")).get(self._lane)):
            return f"The last such run took {_clock(took)}."
        usually = USUALLY.get(self._lane)
        return f"They take {usually} on two cores." if usually else ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        took = time.monotonic() - self._running.pop(nodeid, time.monotonic())
        file = _file(nodeid)
        self._done += 1
        self._left[file] -= 1
        self._seconds[file] += took
        if not self._left[file]:
            outcomes = ", ".join(f"{number} {outcome}" for outcome, number in self._outcomes[file].items())
            self._say_at(f"{file}: {outcomes} in {self._seconds[file]:.0f} s")
        elif took > LONG:
            self._say_at(f"{nodeid}: {took:.0f} s")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> Generator[None, Status, Status]:
        """Count it, and leave nothing to print for it."""
        category, letter, word = yield
        if isinstance(report, pytest.CollectReport):
            return category, letter, word
        if category:
            self._outcomes[_file(report.nodeid)][category] += 1
        return category, "", word if report.failed else ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._say_at(f"{report.nodeid} FAILED{'' if report.when == 'call' else f' at its {report.when}'}")

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._over.set()
        if self._lane and exitstatus == pytest.ExitCode.OK:
            times = json.loads(self._times.read_text(encoding="utf-8")) if self._times.exists() else {}
            self._times.parent.mkdir(exist_ok=True)
            times[self._lane] = time.monotonic() - self._started
            self._times.write_text(json.dumps(times), encoding="utf-8")

    def _watch(self) -> None:
        while not self._over.wait(1):
            if time.monotonic() - self._spoke > SILENT:
                now = time.monotonic()
                running = ", ".join(f"{one} ({now - since:.0f} s)" for one, since in list(self._running.items()))
                self._say_at(f"running: {running}")

    def _say_at(self, text: str) -> None:
        self._say(f"{self._done / (self._total or 1):4.0%} {_clock(time.monotonic() - self._started):>6}  {text}")

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        with self._lock:
            self._spoke = time.monotonic()
            if reporter is not None:
                reporter.ensure_newline()
                reporter.write_line(text)
                reporter.flush()


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"

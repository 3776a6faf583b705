"""Round after round: every case on every database in turns, and the yardsticks among them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ordre.bench.failures import BenchFailed
from ordre.bench.fill import Told
from ordre.bench.loads import Served
from ordre.bench.measured import Measured
from ordre.bench.options import Options
from ordre.bench.requests import ANYBODY, Cycle, Script
from ordre.bench.results import Key, Sample, sample
from ordre.bench.scenarios import Case, cases
from ordre.bench.servers import Server
from ordre.bench.sites import Site
from ordre.bench.yardsticks import MOST_CONNECTIONS, bare_statement

NO_DATABASE = "none"
"""Stands for the database of a yardstick that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One measurement, and what people are told of it."""

    about: str
    measure: Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Measures every case on every site, so many rounds. ``empty`` is the empty application, where yardsticks are wanted."""

    sites: Sequence[Site]
    empty: Server | None
    options: Options
    processors: int
    folder: Path
    told: Told
    _samples: dict[Key, list[Sample]] = field(default_factory=dict)

    def samples(self) -> dict[Key, list[Sample]]:
        """Measure; return the samples of all rounds.

        Raises:
            BenchFailed: A request was not answered as it should be.
        """
        steps = list(self._steps())
        total = len(steps) * self.options.rounds
        for number in range(self.options.rounds):
            for place, step in enumerate(steps):
                self.told(step.about, number * len(steps) + place, total)
                step.measure()
        self.told("measured", total, total)
        return self._samples

    def _steps(self) -> Iterator[_Step]:
        """Yield the measurements of a round."""
        for case in cases(self.options):
            for site in self.sites:
                about = f"{case.scenario} on {site.database.label}, {case.clients} clients"
                yield _Step(about=about, measure=partial(self._measure, case, site))
        if self.empty is None:
            return
        for clients in self.options.clients:
            yield _Step(about=f"empty application, {clients} clients", measure=partial(self._measure_empty, self.empty, clients))
        for site in self.sites:
            yield _Step(about=f"bare statement on {site.database.label}", measure=partial(self._measure_statement, site))

    def _measure(self, case: Case, site: Site) -> None:
        scripts = case.scripts(site)
        site.server.forget_log()
        before = site.database.size() if case.makes else 0
        seconds = self.options.seconds * case.times
        measured = site.generators.measure(site.served, scripts, self.options.warm, seconds)
        made = measured.sent["create"]
        order_bytes = (site.database.size() - before) / made if case.makes and made else None
        for call in _calls(scripts) if case.apart else [""]:
            key = Key(
                scenario=case.scenario,
                database=site.database.label,
                clients=case.clients,
                call=call,
                facts=case.facts,
                orders=case.orders,
            )
            self._keep(key, measured, case.calls, order_bytes)

    def _measure_empty(self, empty: Server, clients: int) -> None:
        request = ANYBODY.create(self.options.lines)
        scripts = [Script(cycles=(Cycle(requests=(request,)),)) for _ in range(clients)]
        served = Served(port=empty.port, server=empty.pid)
        measured = self.sites[0].generators.measure(served, scripts, self.options.warm, self.options.seconds)
        self._keep(Key(scenario="empty application", database=NO_DATABASE, clients=clients), measured)

    def _measure_statement(self, site: Site) -> None:
        connections = 1 if site.database.file is not None else min(self.options.middle, MOST_CONNECTIONS)
        name, measured = bare_statement(site.database, site.facts.lead, connections, self.options.seconds, self.folder)
        key = Key(scenario="bare statement", database=site.database.label, clients=connections, call=name)
        self._samples.setdefault(key, []).append(sample(measured, self.processors))

    def _keep(self, key: Key, measured: Measured, calls: int = 1, order_bytes: float | None = None) -> None:
        if not measured.requests:
            raise BenchFailed(f"{key.scenario}: no request was answered in {measured.seconds:g} s; see --seconds")
        made = sample(measured, self.processors, calls, key.call, order_bytes)
        self._samples.setdefault(key, []).append(made)


def _calls(scripts: Sequence[Script]) -> list[str]:
    """Return every kind of call that scripts make, in their order."""
    return list(dict.fromkeys(request.call for script in scripts for cycle in script.cycles for request in cycle.requests))

"""Runs a benchmark: starts a server on each database, and measures every case on each of them in turns, round after round."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ordre.bench import servers
from ordre.bench.databases import named
from ordre.bench.failures import BenchFailed
from ordre.bench.loads import Generators
from ordre.bench.machine import Machine, machine
from ordre.bench.measured import Measured
from ordre.bench.options import Options
from ordre.bench.requests import Shop
from ordre.bench.results import Key, Result, Sample, result, sample
from ordre.bench.scenarios import Case, cases
from ordre.bench.sites import Site

FORMAT = 1
"""Of the report in JSON; it grows with every change that a reader would notice."""
Told = Callable[[str, int, int], None]
"""Is told what is done now, how much is done, and of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results of a benchmark, with what is needed to read them. ``order_bytes`` are of the body that makes an order."""

    machine: Machine
    options: Options
    databases: Sequence[dict[str, Any]]
    order_bytes: int
    results: Sequence[Result] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """Return it as an object for JSON."""
        return {
            "format": FORMAT,
            "machine": asdict(self.machine),
            "options": asdict(self.options),
            "databases": list(self.databases),
            "order_bytes": self.order_bytes,
            "results": [one.json() for one in self.results],
        }


def run(urls: Sequence[str], options: Options, told: Told) -> Report:
    """Measure on databases, by their URLs; ``databases.THROWAWAY`` is a file for this run alone.

    Raises:
        BenchFailed: A database holds what no benchmark made, or a request was not answered as it should be.
        StoreUnavailable: A database cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="ordre-bench-") as name, ExitStack() as ends:
        folder = Path(name)
        there = machine(folder)
        generators = ends.enter_context(Generators(options.generators))
        sites = []
        for number, database in enumerate(named(urls, folder, options.workers)):
            facts = database.prepare(among_others=options.among_others)
            server = ends.enter_context(servers.ordre(database.settings, folder / f"server-{number}.log"))
            sites.append(Site(database=database, facts=facts, server=server, generators=generators, options=options))
        samples = _Running(sites, options, there.processors, told).samples()
        return Report(
            machine=there,
            options=options,
            databases=[
                {"database": site.database.label, "version": site.facts.version, "durable": site.facts.durable} for site in sites
            ],
            order_bytes=len(Shop(account_id="", client_id="", token="").create(options.lines).of(b"").partition(b"\r\n\r\n")[2]),
            results=[result(key, found) for key, found in samples.items()],
        )


class _Running:
    """Measures every case on every site, so many rounds."""

    def __init__(self, sites: Sequence[Site], options: Options, processors: int, told: Told) -> None:
        self._sites, self._options, self._processors, self._told = sites, options, processors, told
        self._samples: dict[Key, list[Sample]] = {}
        self._done = 0

    def samples(self) -> dict[Key, list[Sample]]:
        """Measure; return the samples of all rounds."""
        wanted = list(cases(self._options))
        total = len(wanted) * len(self._sites) * self._options.rounds
        for _ in range(self._options.rounds):
            for case in wanted:
                for site in self._sites:
                    self._told(f"{case.scenario} on {site.database.label}, {case.clients} clients", self._done, total)
                    self._measure(case, site)
                    self._done += 1
        self._told("done", total, total)
        return self._samples

    def _measure(self, case: Case, site: Site) -> None:
        scripts = case.scripts(site)
        site.server.forget_log()
        before = site.database.size() if case.makes else 0
        measured = site.generators.measure(site.served, scripts, self._options.warm, self._options.seconds)
        made = measured.sent / case.calls
        order_bytes = (site.database.size() - before) / made if case.makes and made else None
        if not measured.requests:
            raise BenchFailed(f"{case.scenario}: no request was answered in {self._options.seconds:g} s; see --seconds")
        for call in sorted(measured.times) if case.apart else [""]:
            key = Key(
                scenario=case.scenario,
                database=site.database.label,
                clients=case.clients,
                call=call,
                facts=case.facts,
                orders=case.orders,
            )
            self._keep(key, measured, case.calls, call, order_bytes)

    def _keep(self, key: Key, measured: Measured, calls: int, call: str, order_bytes: float | None) -> None:
        made = sample(measured, self._processors, calls, call, order_bytes)
        self._samples.setdefault(key, []).append(made)

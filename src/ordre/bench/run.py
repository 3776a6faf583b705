"""Runs a benchmark: starts a server on each database, and measures every case on each of them in turns, round after round."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ordre.bench import servers
from ordre.bench.databases import named
from ordre.bench.fill import Told
from ordre.bench.loads import Generators
from ordre.bench.machine import Machine, machine
from ordre.bench.options import Options
from ordre.bench.requests import ANYBODY, NAME_CHARACTERS
from ordre.bench.results import Result, result
from ordre.bench.rounds import Rounds
from ordre.bench.sites import Site

FORMAT = 1
"""Of the report in JSON; it grows with every change that a reader would notice."""


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
    """Measure on databases, by their URLs; ``options.THROWAWAY`` is a file for this run alone.

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
            sites.append(Site(database=database, facts=facts, server=server, generators=generators, options=options, told=told))
        empty = None
        if "yardsticks" in options.scenarios:
            empty = ends.enter_context(servers.empty(folder / "empty.log"))
        running = Rounds(sites=sites, empty=empty, options=options, processors=there.processors, folder=folder, told=told)
        return Report(
            machine=there,
            options=options,
            databases=[
                {"database": site.database.label, "version": site.facts.version, "durable": site.facts.durable} for site in sites
            ],
            order_bytes=len(ANYBODY.create(options.lines).of(b"").partition(b"\r\n\r\n")[2]) + NAME_CHARACTERS,
            results=[result(key, found) for key, found in running.samples().items()],
        )

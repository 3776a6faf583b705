"""What was measured, as figures: of one measurement, and of all rounds together as a median with the least and the most."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from ordre.bench.measured import Measured

_MICROSECONDS = 1e6
_MILLISECONDS = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a result is of."""

    scenario: str
    database: str
    clients: int
    call: str = ""
    facts: int | None = None
    orders: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The figures of one measurement; those that were not measured are None.

    ``rate`` a second; ``p50_ms`` and ``p99_ms`` of one request; CPU microseconds of one of what the rate counts: ``server_us`` in
    all server processes, ``database_us`` in all of PostgreSQL's. Shares are of the whole machine: 1 is all of it;
    ``others_share`` is what none of these took.
    """

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float | None = None
    database_us: float | None = None
    generator_share: float | None = None
    others_share: float | None = None
    order_bytes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure over all rounds."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result: what it is of, and each figure over all rounds; None where it was not measured."""

    key: Key
    rounds: int
    requests: int
    rate: Figure
    p50_ms: Figure
    p99_ms: Figure
    server_us: Figure | None
    database_us: Figure | None
    generator_share: Figure | None
    others_share: Figure | None
    order_bytes: Figure | None

    def json(self) -> dict[str, Any]:
        """Return it as one flat object for JSON."""
        whole = asdict(self)
        return {**whole.pop("key"), **whole}


def sample(measured: Measured, processors: int, calls: int = 1, call: str = "", order_bytes: float | None = None) -> Sample:
    """Return the figures of a measurement in which so many ``calls`` count as one; of one kind of call, where one is named."""
    times = sorted(measured.times.get(call, ())) if call else sorted(one for found in measured.times.values() for one in found)
    units = measured.requests / calls
    of_machine = measured.seconds * processors
    known = (measured.server_cpu or 0.0) + (measured.database_cpu or 0.0) + measured.generator_cpu
    others = None if measured.machine_cpu is None else min(max((measured.machine_cpu - known) / of_machine, 0.0), 1.0)
    return Sample(
        requests=len(times),
        rate=len(times) / calls / measured.seconds,
        p50_ms=percentile(times, 0.5) * _MILLISECONDS,
        p99_ms=percentile(times, 0.99) * _MILLISECONDS,
        server_us=None if call else _each(measured.server_cpu, units),  # of one kind of call among others, nobody knows it
        database_us=None if call else _each(measured.database_cpu, units),
        generator_share=measured.generator_cpu / of_machine,
        others_share=others,
        order_bytes=order_bytes,
    )


def percentile(times: Sequence[float], share: float) -> float:
    """Return the time within which this share of sorted times ended; NaN where there is none."""
    return times[max(math.ceil(len(times) * share) - 1, 0)] if times else math.nan


def _each(seconds: float | None, units: float) -> float | None:
    return None if seconds is None or not units else seconds / units * _MICROSECONDS


def result(key: Key, samples: Sequence[Sample]) -> Result:
    """Return the result of all rounds."""
    return Result(
        key=key,
        rounds=len(samples),
        requests=sum(one.requests for one in samples),
        rate=_over([one.rate for one in samples]),
        p50_ms=_over([one.p50_ms for one in samples]),
        p99_ms=_over([one.p99_ms for one in samples]),
        server_us=_figure(one.server_us for one in samples),
        database_us=_figure(one.database_us for one in samples),
        generator_share=_figure(one.generator_share for one in samples),
        others_share=_figure(one.others_share for one in samples),
        order_bytes=_figure(one.order_bytes for one in samples),
    )


def _over(found: Sequence[float]) -> Figure:
    return Figure(median=median(found), least=min(found), most=max(found))


def _figure(values: Iterable[float | None]) -> Figure | None:
    found = [value for value in values if value is not None]
    return _over(found) if found else None

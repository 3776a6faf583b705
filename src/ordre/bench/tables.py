"""The results as rows for people, and what has to be said beside them."""

from collections.abc import Iterator, Sequence

from ordre.bench.results import Figure, Key, Result
from ordre.bench.run import Report

_MUCH_FOR_GENERATOR = 0.25
_MUCH_FOR_OTHERS = 0.1
_NOT_MEASURED = "not measured"
NUMBERS = ("a second", "least to most", "p50 ms", "p99 ms", "server us", "database us", "generator", "bytes an order")
"""Columns that are aligned to the right."""
TITLES = {
    "life-cycle": "life cycle of six calls",
    "create": "create",
    "read": "read",
    "capture": "capture",
    "list": "list of 20",
    "mixed": "mixed",
    "hot-order": "capture, one hot order",
    "accounts": "many accounts",
    "long-orders: capture": "capture, long order",
    "long-orders: events": "page of events, long order",
    "lists": "list",
    "empty application": "yardstick: empty application",
    "bare statement": "yardstick: bare statement",
}


def title(key: Key) -> str:
    """Return the subject of a result, in words."""
    of = f", {key.facts:,} facts" if key.facts is not None else f", {key.orders:,} orders" if key.orders is not None else ""
    return f"{TITLES[key.scenario]}{': ' + key.call if key.call else ''}{of}"


def rows(results: Sequence[Result]) -> list[dict[str, str]]:
    """Return a row for each result."""
    return [
        {
            "what": title(one.key),
            "database": one.key.database,
            "clients": f"{one.key.clients}",
            **_rate(one),
            "p50 ms": number(one.p50_ms.median),
            "p99 ms": number(one.p99_ms.median),
            "server us": _measured(one.server_us, is_there=one.key.scenario != "lists" and not _is_bare_postgres(one.key)),
            "database us": _measured(
                one.database_us, is_there=one.key.scenario != "lists" and one.key.database.startswith("PostgreSQL")
            ),
            "generator": "-" if one.generator_share is None else f"{one.generator_share.median:.0%}",
            "bytes an order": "-" if one.order_bytes is None else number(one.order_bytes.median),
        }
        for one in results
    ]


def _rate(one: Result) -> dict[str, str]:
    """Return the columns of the rate: of one list among others that a client asks for, it says nothing."""
    if one.key.scenario == "lists":
        return {"a second": "-", "least to most": "-"}
    return {"a second": number(one.rate.median), "least to most": f"{number(one.rate.least)} to {number(one.rate.most)}"}


def number(value: float) -> str:
    """Return a number with three digits or more, and no more after the point than that needs."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"  # noqa: PLR2004 - see above


def _measured(figure: Figure | None, *, is_there: bool) -> str:
    return "-" if not is_there else _NOT_MEASURED if figure is None else number(figure.median)


def _is_bare_postgres(key: Key) -> bool:
    return key.scenario == "bare statement" and key.database.startswith("PostgreSQL")


def remarks(report: Report) -> Iterator[str]:
    """Yield what somebody must know before he believes the figures."""
    for one in report.databases:
        if not one["durable"]:
            yield f"{one['database']} may lose what it acknowledged (fsync or the like is off): its figures are too good."
    heavy = [one for one in report.results if one.generator_share and one.generator_share.median > _MUCH_FOR_GENERATOR]
    if heavy:
        worst = max(heavy, key=lambda one: one.generator_share.median if one.generator_share else 0.0)
        share = worst.generator_share.median if worst.generator_share else 0.0
        yield (
            f"The generator took more than a quarter of the machine in {len(heavy)} of {len(report.results)} results, most in"
            f" {title(worst.key)} ({share:.0%}): there the server could do more than the rate says."
        )
    shares = [one.others_share.most for one in report.results if one.others_share is not None]
    if shares and max(shares) > _MUCH_FOR_OTHERS:
        yield (
            f"Up to {max(shares):.0%} of the machine went to other programs meanwhile: rates and latencies are theirs, too;"
            " compare the CPU time of a request."
        )
    if any(one.server_us is None for one in report.results if one.key.scenario not in ("lists", "bare statement")):
        yield "CPU time was not measured: this system has no /proc."


def heading(report: Report) -> str:
    """Return where and when it was measured, as a sentence."""
    there = report.machine
    memory = "" if there.memory_gib is None else f", {there.memory_gib:g} GiB"
    databases = ", ".join(dict.fromkeys(str(one["version"]) for one in report.databases))
    processes = "1 server process" if report.options.workers == 1 else f"{report.options.workers} server processes"
    commit = f" ({there.commit})" if there.commit else ""
    return (
        f"Ordre {there.ordre}{commit}, {there.date}: {there.processors} processors ({there.processor}){memory}, {there.system},"
        f" {there.python}, {databases}; a page is safe on disk after {there.sync_us:g} us."
        f" Orders of {report.order_bytes:,} bytes, {processes}, {report.options.rounds} rounds of"
        f" {report.options.seconds:g} s each."
    )

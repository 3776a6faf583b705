"""Writes a report into a page: its tables between two marks, its pictures into the folder beside it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ordre.bench import tables
from ordre.bench.failures import BenchFailed
from ordre.bench.pictures import pictures
from ordre.bench.results import Result
from ordre.bench.run import Report

BEGIN, END = "<!-- made by ordre bench -->", "<!-- end -->"
_FOLDER = "pictures"
_PART = re.compile(f"{BEGIN}\n.*?{END}", re.DOTALL)
_SECTIONS = (
    ("Calls", ("life-cycle", "create", "read", "capture", "list", "mixed", "hot-order", "accounts")),
    ("Long orders", ("long-orders: capture", "long-orders: events")),
    ("Lists", ("lists",)),
    ("Yardsticks", ("empty application", "bare statement")),
)


def check_page(page: Path) -> None:
    """Check that a page can take a report, before anything is measured.

    Raises:
        BenchFailed: It is not there, or has no marks.
    """
    if not page.is_file() or not _PART.search(page.read_text(encoding="utf-8")):
        raise BenchFailed(f"{page} has no part to write into: a line {BEGIN}, and a line {END} below it")


def write_page(page: Path, report: Report) -> list[Path]:
    """Write a report into a page and its pictures into the folder `pictures` beside it; return the files that were written."""
    folder = page.parent / _FOLDER
    folder.mkdir(exist_ok=True)
    drawn = list(pictures(report.results))
    for name, _, svg in drawn:
        (folder / name).write_text(svg, encoding="utf-8")
    shown = {name.removeprefix("performance-").removesuffix(".svg"): f"![{about}]({_FOLDER}/{name})" for name, about, _ in drawn}
    made = "\n".join([BEGIN, *_lines(report, shown), END])
    page.write_text(_PART.sub(lambda _: made, page.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    return [page, *(folder / name for name, _, _ in drawn)]


def _lines(report: Report, shown: dict[str, str]) -> Iterator[str]:
    yield tables.heading(report)
    for remark in tables.remarks(report):
        yield f"\n**{remark}**"
    beside = {"Calls": ("rates", "latencies"), "Long orders": ("history",), "Lists": ("lists",)}
    for title, scenarios in _SECTIONS:
        results = [one for one in report.results if one.key.scenario in scenarios]
        if results:
            yield f"\n### {title}\n"
            yield from (f"{shown[name]}\n" for name in beside.get(title, ()) if name in shown)
            yield from _table(results)


def _table(results: Sequence[Result]) -> Iterator[str]:
    rows = tables.rows(results)
    columns = [name for name in rows[0] if any(row[name] != "-" for row in rows)]
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---:' if name in tables.NUMBERS else '---' for name in columns)}|"
    for row in rows:
        yield f"| {' | '.join(row[name] for name in columns)} |"

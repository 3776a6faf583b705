"""`ordre import`."""

import asyncio
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from ordre.api.wire.common import encode
from ordre.cli.notices import print_warning, progress
from ordre.cli.options import By, Database, Json, Switch, settings_with, system_user
from ordre.cli.output import counted, json_text, print_rows
from ordre.moving.bringing import Result
from ordre.moving.run import Chunk, Report, Wishes, chunks, lines_of, run
from ordre.moving.tables import mapper_of
from ordre.settings import BadSetting, Settings

_SHOWN = 10
"""Refused lines that are printed where no file takes them."""


def import_orders(
    file: Path,
    *,
    account: str,
    mapping: Path | None = None,
    dry_run: Switch = False,
    refused: Path | None = None,
    strict: Switch = False,
    by: By = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Bring orders into an account: lines of JSON, each an order as the API answers it, with all that happened to it.

    Every step is decided by the rules anew. What is there already is compared and counted, so the same command again goes on
    where it was interrupted. It ends with 1 where a line was refused.

    Args:
        file: The file, such as `ordre export` writes, or of answers of the API.
        account: The account, such as T12345678.
        mapping: The file is CSV, and this file, in TOML, says which column is which field: see docs/move.md.
        dry_run: Write nothing, and say what would become of each line.
        refused: Write each refused line with its reasons to this file, as lines of JSON. What it held before is lost.
        strict: Refuse an order that would differ in anything from what its line says, instead of naming the differences.
    """
    settings, report = settings_with(database=database), Report()
    if not file.is_file():
        raise BadSetting(f"there is no file {file}")
    if refused is not None and refused.exists() and refused.samefile(file):
        raise BadSetting("--refused names the file that is read")
    wishes = Wishes(account_id=account, dry=dry_run, strict=strict, by=by or system_user())
    with ExitStack() as opened:
        taken = None if refused is None else opened.enter_context(_private(refused))
        size = file.stat().st_size
        found = lines_of(file) if mapping is None else mapper_of(mapping).lines(file)
        asyncio.run(_run(settings, wishes, chunks(found), size, report, taken, quiet=json))
    _print(report, dry=dry_run, json=json)
    if report.fates["refused"]:
        sys.exit(1)


async def _run(
    settings: Settings,
    wishes: Wishes,
    work: Iterable[Chunk],
    size: int,
    report: Report,
    taken: BinaryIO | None,
    *,
    quiet: bool,
) -> None:
    """Bring the lines of a file of this size in, and show how far it is."""
    printed = 0
    with progress(quiet=quiet) as shown:
        task = shown.add_task("Checking" if wishes.dry else "Importing", total=size)
        async for results, end in run(settings, wishes, work):
            for result in results:
                report.add(result)
                if result.fate != "refused":
                    continue
                if taken is not None:
                    taken.write(encode(_refusal(result)) + b"\n")
                elif not quiet and printed < _SHOWN:
                    printed += 1
                    print_warning(_sentence(result))
            shown.update(task, completed=end)


def _private(path: Path) -> BinaryIO:
    """Open a file that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb")


def _refusal(result: Result) -> dict[str, Any]:
    """Return a refused line as it is written for people and programs."""
    reasons = [{"code": one.code, "message": one.message, **({"path": one.path} if one.path else {})} for one in result.reasons]
    text = result.line.text.decode(errors="replace")
    return {"line": result.line.number, "order_id": result.order_id, "errors": reasons, "text": text}


def _sentence(result: Result) -> str:
    first = result.reasons[0]
    more = f" (and {len(result.reasons) - 1} more)" if len(result.reasons) > 1 else ""
    named = "" if result.order_id is None else f" (order {result.order_id})"
    return f"line {result.line.number}{named}: {f'{first.path}: ' if first.path else ''}{first.message}{more}"


def _print(report: Report, *, dry: bool, json: bool) -> None:
    counts = {name: report.fates[name] for name in ("imported", "there", "refused")}
    rows = [
        {"differs": path, "orders": count, "first": first, "line says": said, "order says": becomes}
        for path, (count, first, said, becomes) in sorted(report.differences.items())
    ]
    if json:
        print(json_text({"dry_run": dry, **counts, "differences": rows}))
        return
    done = "would be imported" if dry else "imported"
    there = f"{report.fates['there']:,} were there already"
    print(f"{counted(counts['imported'], 'order')} {done}, {there}, {report.fates['refused']:,} refused")
    if rows:
        print_rows(rows, json=False, right=("orders",))

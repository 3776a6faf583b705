"""`ordre verify`."""

import sys
from dataclasses import asdict
from pathlib import Path

from ordre import audit
from ordre.cli.notices import progress
from ordre.cli.options import Database, Json, Switch, now, settings_with
from ordre.cli.output import counted, json_text
from ordre.settings import BadSetting, Settings


def verify(
    *,
    account: str | None = None,
    order: str | None = None,
    root: Path | None = None,
    proof: Path | None = None,
    processes: int | None = None,
    empty_ok: Switch = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Compute every order anew from its facts and compare; exit with 1 where the stored order differs, or where there is none.

    Nothing is changed: an SQLite file is opened for reading alone.

    Args:
        account: Only this account's orders.
        order: Only this order of the account, by its order_id, id or number.
        root: With --account: where nothing differs, write the hash over all its orders, signed, to this file.
        proof: With --account and --order: where nothing differs, write the order and the proof that it is under that hash.
        processes: Number of processes that verify [default: one a processor].
        empty_ok: Exit with 0 also where there are no orders.
    """
    settings = settings_with(database=database)
    if (order or root) and account is None:
        raise BadSetting("--order and --root go with --account")
    if proof and order is None:
        raise BadSetting("--proof goes with --order")
    report = _report(settings, account, order, processes, quiet=json)
    if json:
        found = [asdict(one) for one in report.differences]
        print(json_text({"orders": report.orders, "facts": report.facts, "differences": found}))
    else:
        for one in report.differences:
            print(one)
        counts = ((report.orders, "order"), (report.facts, "fact"), (len(report.differences), "difference"))
        print(", ".join(counted(number, noun) for number, noun in counts))
    if report.differences:
        sys.exit(1)
    if report.orders == 0 and not empty_ok:
        raise BadSetting("nothing was verified: there are no orders; add --empty-ok if that is as it should be")
    if root and account:
        _write(root, audit.signed_root(settings, account, report, now()), quiet=json)
    if proof and account and order:
        _write(proof, audit.proof(settings, account, order, now()), quiet=json)


def _write(file: Path, value: object, *, quiet: bool) -> None:
    file.write_text(json_text(value) + "\n", encoding="utf-8")
    if not quiet:
        print(f"wrote {file}")


def _report(settings: Settings, account: str | None, order: str | None, processes: int | None, *, quiet: bool) -> audit.Report:
    if order is not None and account is not None:
        return audit.verify_one(settings, account, order)
    with progress(quiet=quiet) as shown:
        task = shown.add_task("Verifying", total=None)
        return audit.verify(
            settings, account, processes or audit.processors(), lambda done, of: shown.update(task, completed=done, total=of)
        )

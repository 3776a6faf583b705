"""`ordre verify`."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

from ordre import audit
from ordre.auth.roots import public_keys
from ordre.cli.notices import print_warning, progress
from ordre.cli.options import Database, Json, Switch, now, settings_with
from ordre.cli.output import counted, json_text
from ordre.kept import INSIDE, KeptFile, check_signed, line_of, read_kept
from ordre.settings import BadSetting, Settings


def verify(
    *,
    account: str | None = None,
    order: str | None = None,
    since: Path | None = None,
    keys: Path | None = None,
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
        since: A file of roots kept elsewhere, by --root or `ordre witness`: name what is gone or changed since.
        keys: With --since: a file of the public keys that its roots are signed with [default: the key in ORDRE_ROOT_KEY, or else
            those of the database].
        root: With --account: if nothing differs, write the signed hash over all its orders to this file, which must be new.
        proof: With --account and --order: if nothing in the account differs, write the order and the proof that it is under
            that hash, to this file, which must be new. All orders of the account are verified for it.
        processes: Number of processes that verify [default: one per processor].
        empty_ok: Exit with 0 even if there are no orders.
    """
    settings = settings_with(database=database)
    _check_flags(account, order, since, keys, root, proof)
    kept = _kept(settings, since, keys, account)
    if order is not None and account is not None and proof is None and root is None:
        report = audit.verify_one(settings, account, order)
    else:
        wishes = audit.Wishes(kept=kept.accounts, root=root is not None, proof=order if proof else None, at=now())
        report = _verified(settings, account, processes, wishes, quiet=json)
    _print(report, kept, json=json)
    if report.differences:
        sys.exit(1)
    if report.orders == 0 and not empty_ok:
        raise BadSetting("nothing was verified: there are no orders; add --empty-ok if that is as it should be")
    if root and report.root:
        _write(root, line_of(report.root), quiet=json)
    if proof and report.proof:
        _write(proof, json_text(report.proof).encode() + b"\n", quiet=json)
    if (root or proof) and not settings.own_root_key():
        print_warning(INSIDE)


def _check_flags(
    account: str | None, order: str | None, since: Path | None, keys: Path | None, root: Path | None, proof: Path | None
) -> None:
    if (order or root) and not account:
        raise BadSetting("--order and --root go with --account")
    if proof and not order:
        raise BadSetting("--proof goes with --order")
    if since and order and not proof:
        raise BadSetting("--since is about all orders of an account: leave --order out")
    if keys and not since:
        raise BadSetting("--keys goes with --since")
    for file in (root, proof):
        _check_new(file)


def _check_new(file: Path | None) -> None:
    if file is not None and file.exists():
        raise BadSetting(f"{file} already exists, and is never overwritten: name another file")


def _kept(settings: Settings, since: Path | None, keys: Path | None, account: str | None) -> KeptFile:
    """Read a file of kept roots, of one account or of all, and check that it is whole and signed."""
    if since is None:
        return KeptFile()
    try:
        given = public_keys(keys.read_bytes()) if keys else None
        kept = read_kept(since, since.read_bytes())
    except (OSError, ValueError) as error:
        raise BadSetting(f"a file cannot be read: {error}") from error
    check_signed(since, kept, audit.known_keys(settings) if given is None else given)
    for number in kept.torn:
        print_warning(f"{since}, line {number} is incomplete, as after a power failure, and is skipped")
    if account is not None:
        kept.accounts = {name: state for name, state in kept.accounts.items() if name == account}
        if not kept.accounts:
            raise BadSetting(f"{since} holds no root of {account}")
    return kept


def _print(report: audit.Report, kept: KeptFile, *, json: bool) -> None:
    if json:
        found = [asdict(one) for one in report.differences]
        print(json_text({"orders": report.orders, "facts": report.facts, "differences": found, "roots": kept.lines}))
        return
    for one in report.differences:
        print(one)
    counts = [(report.orders, "order"), (report.facts, "fact"), (len(report.differences), "difference")]
    print(", ".join(counted(number, noun) for number, noun in counts))
    if kept.lines:
        print(f"compared with {counted(kept.lines, 'kept root')}")


def _write(file: Path, content: bytes, *, quiet: bool) -> None:
    """Write a file that is not there yet, to stay."""
    try:
        with file.open("xb") as made:
            made.write(content)
            made.flush()
            os.fsync(made.fileno())
    except FileExistsError:
        _check_new(file)
        raise
    if not quiet:
        print(f"wrote {file}")


def _verified(
    settings: Settings, account: str | None, processes: int | None, wishes: audit.Wishes, *, quiet: bool
) -> audit.Report:
    with progress(quiet=quiet) as shown:
        task = shown.add_task("Verifying", total=None)
        return audit.verify(
            settings,
            account,
            processes or audit.processors(),
            lambda done, of: shown.update(task, completed=done, total=of),
            wishes,
        )

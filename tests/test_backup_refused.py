"""A backup that is torn or was changed is refused, and so is a database that it does not fit. What was begun leaves nothing."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from backups import backed_up, contents, restored
from commands import run, run_json
from database import new_database, sql
from ordre.application.directory import SigningKey
from ordre.application.troubles import StoreUnavailable
from ordre.auth.roots import sign, signed_root
from ordre.auth.tokens import new_signing_key
from ordre.backup.file import BadBackup
from ordre.backup.keys import locked

pytestmark = [pytest.mark.slow, pytest.mark.once]

Lines = list[Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the demo."""
    folder = tmp_path_factory.mktemp("demo")
    run("demo", database=f"sqlite:///{folder / 'demo.sqlite'}")
    backed_up(f"sqlite:///{folder / 'demo.sqlite'}", folder / "demo.backup")
    return folder / "demo.backup"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "target.sqlite"


def refused(target: Path, file: Path) -> str:
    """Restore in vain; return why."""
    with pytest.raises(BadBackup) as caught:
        restored(f"sqlite:///{target}", file)
    assert list(target.parent.glob("*")) == [], "nothing half restored is left"
    return str(caught.value)


@pytest.mark.parametrize("part", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_torn(demo: Path, target: Path, tmp_path: Path, part: float) -> None:
    whole = demo.read_bytes()
    (tmp_path / "torn").write_bytes(whole[: int(len(whole) * part)])
    assert ("incomplete" if part > 0.001 else "not a backup") in refused(target, tmp_path / "torn")


@pytest.mark.parametrize("part", [0.1, 0.35, 0.6, 0.85, 0.9999])
def test_a_byte_is_another(demo: Path, target: Path, tmp_path: Path, part: float) -> None:
    changed = bytearray(demo.read_bytes())
    changed[int(len(changed) * part)] ^= 0x10
    (tmp_path / "changed").write_bytes(changed)
    assert refused(target, tmp_path / "changed")


@pytest.mark.parametrize(
    "content", [b"", b"orders", gzip.compress(b"", mtime=0), gzip.compress(b"{}\n", mtime=0), b"SQLite format 3\x00" * 9]
)
def test_no_backup(target: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    assert "not a backup that `ordre backup` wrote" in refused(target, tmp_path / "other")


def section(lines: Lines, table: str) -> int:
    """Where a table begins."""
    return next(place for place, line in enumerate(lines) if isinstance(line, dict) and line.get("name") == table)


def another_amount(lines: Lines) -> None:
    row = next(row for row in lines[section(lines, "facts") + 1 :] if "1" in row[7])  # the first that is not packed
    row[7] = row[7].replace("1", "2")


def another_secret(lines: Lines) -> None:
    lines[section(lines, "clients") + 1][4] = sha256(b"mine").hexdigest()


def without_an_order(lines: Lines) -> None:
    del lines[section(lines, "orders") + 1]


def twice_an_order(lines: Lines) -> None:
    place = section(lines, "orders") + 1
    lines.insert(place, lines[place])


def another_hash(lines: Lines) -> None:
    lines[section(lines, "orders") + 1][-1] = "0" * 64


def without_a_table(lines: Lines) -> None:
    first, last = section(lines, "idempotency"), section(lines, "order_terms")
    del lines[first:last]


def another_table(lines: Lines) -> None:
    lines[section(lines, "idempotency")]["name"] = "idempotency; drop table orders"


def another_column(lines: Lines) -> None:
    lines[section(lines, "idempotency")]["columns"][0] = "x"


def another_type(lines: Lines) -> None:
    lines[section(lines, "accounts") + 1][2] = "soon"


def too_many_values(lines: Lines) -> None:
    lines[section(lines, "accounts") + 1].append(1)


def without_a_root(lines: Lines) -> None:
    del lines[-2]


def another_root(lines: Lines) -> None:
    lines[-2]["root"] = "0" * 64


def more_rows_than_there_are(lines: Lines) -> None:
    lines[-1]["rows"]["facts"] += 1


def two_headers(lines: Lines) -> None:
    lines.insert(1, lines[0])


CHANGES: list[Callable[[Lines], None]] = [
    another_amount,
    another_secret,
    without_an_order,
    twice_an_order,
    another_hash,
    without_a_table,
    another_table,
    another_column,
    another_type,
    too_many_values,
    without_a_root,
    another_root,
    more_rows_than_there_are,
    two_headers,
]


def text_of(line: Any) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def changed(demo: Path, change: Callable[[Lines], None], *, hashed: bool = False, key: SigningKey | None = None) -> bytes:
    """Return a backup that was changed by somebody who makes the hash fit (``hashed``), and signs with a key of his own."""
    lines = [json.loads(line) for line in gzip.decompress(demo.read_bytes()).splitlines()]
    change(lines)
    if key is not None:
        lines[section(lines, "signing_keys") + 1][:2] = [key.kid, locked(key.jwk, key.kid, None)]
        for root in (line for line in lines if isinstance(line, dict) and line["type"] == "root"):
            root.update(signed_root(key, root["account_id"], root["orders"], root["root"], root["at"]))
    before = b"".join(text_of(line) + b"\n" for line in lines[:-1])
    if hashed:
        lines[-1]["sha256"] = sha256(before).hexdigest()
    if key is not None:
        lines[-1]["signature"] = sign(key, {name: lines[-1][name] for name in ("rows", "sha256")})
    return gzip.compress(before + text_of(lines[-1]) + b"\n")


@pytest.mark.parametrize("change", [another_amount, another_secret])
def test_changed(demo: Path, target: Path, tmp_path: Path, change: Callable[[Lines], None]) -> None:
    (tmp_path / "changed").write_bytes(changed(demo, change))
    assert "its lines are not those that its end was made of" in refused(target, tmp_path / "changed")


@pytest.mark.parametrize("change", CHANGES)
def test_changed_so_that_the_hash_fits(demo: Path, target: Path, tmp_path: Path, change: Callable[[Lines], None]) -> None:
    (tmp_path / "changed").write_bytes(changed(demo, change, hashed=True))
    assert refused(target, tmp_path / "changed")


@pytest.mark.parametrize(
    "change", [one for one in CHANGES if one not in (another_secret, without_an_order, another_hash, another_root)]
)
def test_changed_and_signed_anew(demo: Path, target: Path, tmp_path: Path, change: Callable[[Lines], None]) -> None:
    """What its orders do not prove by themselves. Who has a key that the restored database is to trust can make accounts."""
    (tmp_path / "changed").write_bytes(changed(demo, change, hashed=True, key=new_signing_key(1)))
    assert refused(target, tmp_path / "changed")


def test_the_forger_of_these_tests_writes_good_files(demo: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(changed(demo, lambda _: None, hashed=True, key=new_signing_key(1)))
    assert restored(f"sqlite:///{target}", tmp_path / "same").differing.places == 0


def test_something_behind_the_end(demo: Path, target: Path, tmp_path: Path) -> None:
    text = gzip.decompress(demo.read_bytes())
    for more in (gzip.compress(text + b"[1]\n"), demo.read_bytes() + gzip.compress(b"[1]\n"), demo.read_bytes() + b"more"):
        (tmp_path / "more").write_bytes(more)
        assert "changed" in refused(target, tmp_path / "more")


def header(**fields: Any) -> Callable[[Lines], None]:
    return lambda lines: lines[0].update(fields)


def test_of_a_newer_version(demo: Path, target: Path, tmp_path: Path) -> None:
    (tmp_path / "newer").write_bytes(changed(demo, header(format=2, ordre="9.0"), hashed=True))
    assert "use Ordre 9.0" in refused(target, tmp_path / "newer")
    step = {"number": 99, "name": "0099_later", "digest": "x"}
    (tmp_path / "newer").write_bytes(changed(demo, lambda lines: lines[0]["schema"].append(step), hashed=True))
    with pytest.raises(StoreUnavailable, match="0099_later"):
        restored(f"sqlite:///{target}", tmp_path / "newer")
    assert not target.exists()


def test_the_wrong_passphrase(demo: Path, target: Path, own_database: str) -> None:
    with pytest.raises(BadBackup, match="not the one that the backup was made with"):
        restored(own_database, demo, passphrase="another")
    with pytest.raises(BadBackup):
        restored(f"sqlite:///{target}", demo, passphrase="another")
    assert not target.exists()
    assert restored(own_database, demo).differing.places == 0, "it was left empty"


def test_a_database_that_is_not_empty(demo: Path, own_database: str) -> None:
    run("migrate", database=own_database)
    run("account", "create", "T99999999", "--name", "Shop", database=own_database)
    before = contents(own_database)
    with pytest.raises(BadBackup, match="not empty: it has rows in the table accounts"):
        restored(own_database, demo)
    assert contents(own_database) == before


def test_a_database_that_was_migrated_and_is_empty(demo: Path, own_database: str, tmp_path: Path) -> None:
    run("migrate", database=own_database)
    (tmp_path / "older").write_bytes(changed(demo, lambda lines: lines[0]["schema"].pop(), hashed=True))
    with pytest.raises(BadBackup, match="of an older schema"):
        restored(own_database, tmp_path / "older")
    assert restored(own_database, demo).migrated == []
    assert run_json("verify", database=own_database)["orders"] == 51


def test_orders_that_differ_from_their_facts(demo: Path, tmp_path: Path, target: Path) -> None:
    database = f"sqlite:///{demo.with_name('demo.sqlite')}"
    other = tmp_path / "differs.sqlite"
    restored(f"sqlite:///{other}", demo)
    sql(f"sqlite:///{other}", "update orders set net_amount = net_amount + 1 where rowid = 1")
    backed_up(f"sqlite:///{other}", tmp_path / "file")
    assert "1 difference between what is stored and what was written" in refused(target, tmp_path / "file")
    done = restored(f"sqlite:///{target}", tmp_path / "file", differences=True)
    assert done.differing.places == 1
    assert "the column net_amount" in str(done.differing)
    assert contents(f"sqlite:///{target}")["orders"] == contents(f"sqlite:///{other}")["orders"] != contents(database)["orders"]


@pytest.mark.long
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_killed_in_the_middle(
    demo: Path, engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = new_database(request, engine, tmp_path_factory)
    for what in ("Restoring", "Verifying"):
        script = (
            "import os, signal, sys; sys.path[:0] = sys.argv[3:]\n"
            "from pathlib import Path; from backups import restored\n"
            f"told = lambda what, *_: os.kill(os.getpid(), signal.SIGKILL) if what == {what!r} else None\n"
            "restored(sys.argv[1], Path(sys.argv[2]), told=told)\n"
        )
        done = subprocess.run([sys.executable, "-c", script, database, str(demo), *sys.path], capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        run("migrate", database=database)
        assert not any(rows for table, rows in contents(database).items() if table != "acts"), "but for migrations"
    assert restored(database, demo).differing.places == 0


def test_interrupted(demo: Path, target: Path, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        restored(f"sqlite:///{target}", demo, told=interrupt)
    assert list(target.parent.glob("*")) == []


def said(*arguments: str, database: str | None = None, status: int = 0) -> str:
    """What the command prints, on one line."""
    return " ".join(run(*arguments, database=database, status=status).split())


def test_what_cannot_be_written_or_read_is_said(demo: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{demo.with_name('demo.sqlite')}"
    free = ("--without-keys",)
    assert "No such file" in said("backup", str(tmp_path / "none" / "file"), *free, database=database, status=1)
    assert "is not a backup: name another file" in said(
        "backup", str(demo.with_name("demo.sqlite")), *free, database=database, status=1
    )
    assert "is not a backup" in said("backup", str(tmp_path), *free, database=database, status=1)
    assert "No such file" in said("restore", str(tmp_path / "none"), database=f"sqlite:///{tmp_path}/x.sqlite", status=1)
    assert "there is no database" in said(
        "backup", str(tmp_path / "a"), *free, database=f"sqlite:///{tmp_path}/x.sqlite", status=1
    )
    assert "memory" in said("backup", str(tmp_path / "a"), *free, database="memory:", status=1)
    assert list(tmp_path.iterdir()) == []
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    assert "nothing of Ordre" in said("backup", str(tmp_path / "a"), *free, database=f"sqlite:///{empty}", status=1)
    assert empty.stat().st_size == 0
    assert [one.name for one in tmp_path.iterdir()] == ["empty.sqlite"]


def test_the_passphrase_is_asked_for_in_a_sentence(demo: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{demo.with_name('demo.sqlite')}"
    assert "--without-keys" in said("backup", str(tmp_path / "a"), database=database, status=1)
    assert "--passphrase-file" in said("restore", str(demo), "--check", status=1)
    (tmp_path / "empty").touch()
    for name, reason in (("empty", "is empty"), ("none", "cannot be read")):
        text = said("backup", str(tmp_path / "a"), "--passphrase-file", str(tmp_path / name), database=database, status=1)
        assert reason in text
    assert not (tmp_path / "a").exists()

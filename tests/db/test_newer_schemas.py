"""Which schema a version serves: its own, and a newer one that says that this version may."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import httpx
import pytest

from commands import line, run
from ordre.db.schema import Applied, Engine, applied_from, migrations, pending
from service import Service, children

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "src" / "ordre"
SECONDS = 180
NEWEST = migrations("sqlite")[-1].number


def applied(*more: Applied) -> list[Applied]:
    ours = [
        Applied(number=one.number, name=one.name, digest=one.digest, compatible_with=one.compatible_with)
        for one in migrations("sqlite")
    ]
    return [*ours, *more]


def newer(number: int, compatible_with: int) -> Applied:
    return Applied(number=number, name=f"{number:04d}_newer", digest="of a newer version", compatible_with=compatible_with)


def test_a_newer_schema_is_served_where_every_step_says_so() -> None:
    assert pending(applied(newer(NEWEST + 1, NEWEST), newer(NEWEST + 2, NEWEST - 1)), "sqlite") == []
    with pytest.raises(ValueError, match=f"{NEWEST + 2:04d}_newer.* run the newer version, or restore a backup"):
        pending(applied(newer(NEWEST + 1, NEWEST), newer(NEWEST + 2, NEWEST + 1)), "sqlite")


def test_a_step_that_was_changed_is_noticed() -> None:
    changed = [newer(1, 1), *applied()[1:]]
    with pytest.raises(ValueError, match="holds migration 1 of another version"):
        pending(changed, "sqlite")
    missing = [one for one in applied() if one.number != 3]
    assert [one.number for one in pending(missing, "sqlite")] == [3]


def test_a_row_of_before_is_compatible_with_itself_alone() -> None:
    old, silent, new = applied_from([(1, "a", "x", 0), (2, "b", "y", 0, None), (3, "c", "z", 0, 1)])
    assert (old.compatible_with, silent.compatible_with, new.compatible_with) == (1, 2, 1)


def test_migrations_are_numbered_without_a_gap_or_a_twin() -> None:
    assert [one.number for one in migrations("sqlite")] == list(range(1, NEWEST + 1))


def test_no_text_of_a_migration_holds_what_ends_a_statement_or_begins_a_comment() -> None:
    """A file is cut at every `;` and `--`: inside quotes, that would leave a quote on its own."""
    for engine in get_args(Engine):
        assert [one.name for one in migrations(engine) if any(text.count("'") % 2 for text in one.statements)] == []


def test_every_migration_says_what_it_is_compatible_with() -> None:
    for one in sorted((SOURCE / "db" / "migrations").glob("*.sql")):
        number = int(one.name[:4])
        said = re.findall(r"^-- compatible-with: (\d+)$", one.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert len(said) == (number >= 7), f"{one.name}: say `-- compatible-with: N`, see docs/decisions"
        assert all(7 <= int(compatible) <= number for compatible in said)


Migrate = Callable[[str, int], None]


@pytest.fixture
def migrate_by_newer(tmp_path: Path) -> Migrate:
    """Migrates a database with a newer version of Ordre: this one, and a step more."""

    def migrate(database: str, compatible_with: int) -> None:
        shutil.copytree(SOURCE, tmp_path / "ordre")
        (tmp_path / "ordre" / "db" / "migrations" / f"{NEWEST + 1:04d}_newer.sql").write_text(
            f"-- compatible-with: {compatible_with}\n\n"
            "alter table orders add column newer text;\nalter table facts add column newer bigint;\n"
            "create table newer (account_id key_text primary key);\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-m", "ordre", "migrate", "--database", database]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (done.returncode, done.stdout) == (0, f"applied {NEWEST + 1:04d}_newer\n"), done.stderr

    return migrate


@pytest.mark.long
def test_a_running_server_survives_a_newer_schema(own_database: str, migrate_by_newer: Migrate) -> None:
    """Between `migrate` and the roll-out, a worker that dies comes back, and serves."""
    service = Service(own_database, "--workers", "2")
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    try:
        while line(service.process.stderr)["event"] != "listening":
            pass
        with service.shop() as shop:
            before = shop.order(100)
            migrate_by_newer(own_database, NEWEST)
            assert shop.get(f"/orders/{before['id']}") == before
            old = children(service.process.pid)
            for victim in old:
                os.kill(victim, signal.SIGKILL)
                while (said := line(service.process.stderr))["event"] != "worker_died":
                    pass
                assert said["pid"] == victim
            wait_for(lambda: httpx.get(f"{service.url}/health/ready", timeout=5).status_code == 200)
            assert not set(old) & set(children(service.process.pid))
        with service.shop() as shop:
            made = shop.paid(100, 200)
            assert shop.get(f"/orders/{made['id']}")["payment_status"] == "paid"
    finally:
        service.process.send_signal(signal.SIGINT)
        service.process.communicate(timeout=SECONDS)
    assert run("migrate", database=own_database) == "the schema is up to date\n"
    assert "0 differences" in run("verify", database=own_database)


@pytest.mark.long
def test_an_incompatible_schema_is_refused_with_what_to_do(own_database: str, migrate_by_newer: Migrate) -> None:
    service = Service(own_database, "--workers", "2")
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    said = f"migrated by a newer version of Ordre ({NEWEST + 1:04d}_newer) and this version cannot serve it any more"
    try:
        migrate_by_newer(own_database, NEWEST + 1)
        answer = httpx.get(f"{service.url}/health/ready")
        assert (answer.status_code, answer.json()["error"]["errors"][0]["code"]) == (503, "store_unavailable")
        assert "of another version of Ordre" in answer.text
        assert httpx.get(f"{service.url}/health/live").status_code == 200
        os.kill(children(service.process.pid)[0], signal.SIGKILL)
        _, log = service.process.communicate(timeout=SECONDS)
        assert said in log
        assert service.process.returncode == 1
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.communicate()
    for command in ("serve", "migrate", "verify"):
        assert said in run(command, database=own_database, status=1)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)

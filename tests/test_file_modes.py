"""The files of an SQLite database are their owner's alone, whatever the umask, also those that the library makes."""

import os
import subprocess
from pathlib import Path

import pytest

from commands import run
from ordre.bootstrap import readable_by_others
from ordre.settings import Settings
from service import Service

pytestmark = pytest.mark.slow


def modes(folder: Path) -> dict[str, int]:
    return {one.name: one.stat().st_mode & 0o777 for one in [folder, *folder.iterdir()]}


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_what_a_server_makes_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        service = Service(f"sqlite:///{tmp_path / 'above' / 'data' / 'ordre.sqlite'}")
        service.start()
    finally:
        os.umask(before)
    try:
        with service.shop() as shop:
            shop.delete(f"/orders/{shop.order(5)['id']}")
            made = modes(tmp_path / "above" / "data")
        assert made == {"data": 0o700, "ordre.sqlite": 0o600, "ordre.sqlite-wal": 0o600, "ordre.sqlite-shm": 0o600}
        assert (tmp_path / "above").stat().st_mode & 0o777 == 0o777 & ~umask, "only the folder of the database is ours"
    finally:
        service.stop()
    run("worker", "--once", database=service.database)
    assert modes(tmp_path / "above" / "data") == {"data": 0o700, "ordre.sqlite": 0o600}


@pytest.mark.parametrize("command", [("migrate",), ("account", "create", "T12345678", "--name", "Shop"), ("demo",)])
def test_so_is_what_any_other_command_makes(tmp_path: Path, command: tuple[str, ...]) -> None:
    run(*command, database=f"sqlite:///{tmp_path / 'data' / 'ordre.sqlite'}")
    assert modes(tmp_path / "data") == {"data": 0o700, "ordre.sqlite": 0o600}


def test_files_of_before_are_named_and_left_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    file = folder / "ordre.sqlite"
    file.touch(mode=0o644)
    file.chmod(0o644)
    service = Service(f"sqlite:///{file}")
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    service.process.terminate()
    _, log = service.process.communicate(timeout=30)
    said = " ".join(log.split())
    assert "others on this machine may read" in said
    assert modes(folder) == {"data": 0o755, "ordre.sqlite": 0o644}
    assert readable_by_others(Settings(database=service.database)) == [file]
    folder.chmod(0o700)
    assert readable_by_others(Settings(database=service.database)) == [], "nobody comes to it"

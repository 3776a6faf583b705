"""A small disk of its own for a database, to be filled: a real one where this machine lets one be mounted.

Elsewhere, what comes nearest: SQLite's process may write no file any further; PostgreSQL says of everything that takes room what
it would say of a full disk.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from database import sql
from service import Service
from throwaway import Cluster

MEGABYTES = 64


class Disk:
    """``fill`` it, and ``make_room`` again. ``measured`` says that its room can be asked for."""

    measured = False

    def fill(self, service: Service) -> None:
        raise NotImplementedError

    def make_room(self, service: Service) -> None:
        raise NotImplementedError


class Mounted(Disk):
    """A file system in memory."""

    measured = True

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, service: Service) -> None:  # noqa: ARG002 - it is the disk that is full
        with self._filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"\0" * 65_536):
                    pass
            except OSError:
                pass

    def make_room(self, service: Service) -> None:  # noqa: ARG002 - as above
        self._filler.unlink()


class Limited(Disk):
    """A process that may make no file larger than a kilobyte."""

    def fill(self, service: Service) -> None:
        self._limit(service, 1024)

    def make_room(self, service: Service) -> None:
        self._limit(service, resource.RLIM_INFINITY)

    def _limit(self, service: Service, most: int) -> None:
        assert service.process is not None
        _, hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (most, hard))


class Refusing(Disk):
    """A PostgreSQL that says that its disk is full, to whoever adds a fact or makes a table."""

    def fill(self, service: Service) -> None:
        full = "begin raise exception 'could not extend file' using errcode = '53100'; end"
        sql(service.database, f"create or replace function full_row() returns trigger language plpgsql as $$ {full} $$")
        sql(service.database, "create trigger full_disk before insert on facts for each row execute function full_row()")
        sql(service.database, f"create or replace function full_table() returns event_trigger language plpgsql as $$ {full} $$")
        when = "when tag in ('CREATE TABLE AS', 'CREATE TABLE')"
        sql(service.database, f"create event trigger full_disk on ddl_command_start {when} execute function full_table()")

    def make_room(self, service: Service) -> None:
        sql(service.database, "drop event trigger full_disk")
        sql(service.database, "drop trigger full_disk on facts")


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[bool]:
    """Mount a small file system, where this machine lets us; tell whether it did."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,{options}", "tmpfs", str(folder)]
    may = os.geteuid() == 0 and shutil.which("mount") is not None
    did = may and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield did
    finally:
        if did:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def sqlite_disk(folder: Path) -> Iterator[tuple[str, Disk]]:
    """A database on a small disk, and the disk."""
    with mounted(folder, "mode=700") as did:
        yield f"sqlite:///{folder}/ordre.sqlite", Mounted(folder) if did else Limited()


@contextmanager
def postgres_disk(cluster: Cluster) -> Iterator[tuple[str, Disk]]:
    """A database on a small disk, and the disk."""
    folder = cluster.folder / "small"
    folder.mkdir()
    database = cluster.database()
    owner = cluster.data.stat()
    with mounted(folder, f"mode=700,uid={owner.st_uid},gid={owner.st_gid}") as did:
        if did:
            template = database.replace(database.rpartition("/")[2], "postgres")
            sql(template, f"create tablespace small location '{folder}'")
            sql(template, f"alter database {database.rpartition('/')[2]} set tablespace small")
        yield database, Mounted(folder) if did else Refusing()
        cluster.kill()

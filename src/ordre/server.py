"""Serving: a socket, one process or several that share it, and what is said once they answer."""

import asyncio
import errno
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType

import msgspec
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from ordre import __version__, bootstrap, logs
from ordre.allowed import networks_in
from ordre.api.http.watch import allow_connections
from ordre.application.troubles import StoreUnavailable
from ordre.served import Application, Guest, app
from ordre.settings import Settings, current, environment_of, variable_of
from ordre.stopping import shut

_BACKLOG = 2048
_GRACE_SECONDS = 30
_WORKER_SECONDS = 30
"""How long a server process may take to start, where all are replaced one by one (SIGHUP)."""


class CannotListen(Exception):  # noqa: N818 - it is named for the state it tells of
    """No socket could be opened where the settings say."""


def serve_until_interrupted(settings: Settings, guest: Guest | None = None) -> bool:
    """Serve until interrupted; requests in flight finish. Return whether it could start, and no process failed since.

    The socket is opened before anything else: a second server on the same port must not touch the database of the first.

    Raises:
        CannotListen: The port is taken, or there is no such address.
        StoreUnavailable: The database cannot be reached, or its schema is not the one this version needs.
    """
    sockets = listen(settings.host, settings.port)
    try:
        settings = replace(settings, port=sockets[0].getsockname()[1])
        if not settings.ephemeral:
            asyncio.run(_check(settings))
        return _run(settings, sockets, guest)
    finally:
        for one in sockets:
            one.close()


def listen(host: str, port: int) -> list[socket.socket]:
    """Open a socket on every address of a host; port 0 is one that is free, the same for all of them.

    Raises:
        CannotListen: The port is taken, or there is no such address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(f"cannot listen on {host}: no address is known by this name") from error
    sockets: list[socket.socket] = []
    for family, kind, protocol, _, (address, *rest) in dict.fromkeys(found):
        wanted = sockets[0].getsockname()[1] if sockets else port
        try:
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, wanted, *rest[1:]))
            one.listen(_BACKLOG)
            one.set_inheritable(True)
        except OSError as error:
            for opened in sockets:
                opened.close()
            raise CannotListen(f"cannot listen on {_place(host, wanted)}: {_why(error)}") from error
    return sockets


def _why(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another program uses this port; stop it, or choose another port with --port"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have this address; choose another with --host"
        case errno.EACCES:
            return "ports below 1024 need special rights; choose another with --port"
        case _:
            return os.strerror(error.errno) if error.errno else str(error)


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _check(settings: Settings) -> None:
    """Check that the store works, and warn of unsafe configurations."""
    async with bootstrap.opened(settings) as store:
        unsafe = ", ".join(await store.unsafe())
        if unsafe and settings.unsafe_storage == "refuse":
            raise StoreUnavailable(_lossy(unsafe))
        role = await store.unbound()
        encrypted = await bootstrap.seal_keys(store, settings)
    for file in bootstrap.readable_by_others(settings):
        logs.warning("file_readable_by_others", reason=f"others on this machine may read {file}: run `chmod 600 {file}`")
    if encrypted:
        logs.info("keys_encrypted", keys=encrypted)
    if unsafe:
        logs.warning("unsafe_storage", reason=_lossy(unsafe))
    if role is not None:
        reason = f"the database role {role} is not bound by row-level security; see docs/operate.md"
        logs.warning("role_not_bound", reason=reason)


def _lossy(unsafe: str) -> str:
    return (
        f"the database is set to {unsafe}, and may lose what was acknowledged when its machine stops: set it to on, or"
        f" {variable_of('unsafe_storage')}=allow"
    )


class _Config(uvicorn.Config):
    """uvicorn's configuration, whose log is ours, in each process."""

    def configure_logging(self) -> None:
        """Send every line of this process the way of ours."""
        super().configure_logging()
        settings = current()
        logs.configure(settings.log_level, settings.log_format, at_once=settings.ephemeral)


class _Server(uvicorn.Server):
    """One process that calls a function once it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


class _Supervisor(Multiprocess):
    """Several processes, and a function that is called once all of them answer. A process that dies is replaced, and logged."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], ready: Callable[[], None], drain_seconds: float
    ) -> None:
        super().__init__(config, sockets)
        self._ready, self._drain_seconds = ready, drain_seconds
        self._told_at = float("-inf")
        self.failed = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._told)

    def _told(self, number: int, _frame: FrameType | None) -> None:
        """Accept no new connections, unless the processes go on serving for a while: they may have got the signal, too."""
        self.signal_queue.append(number)
        self._told_at = time.monotonic()
        if self._drain_seconds == 0:
            shut(self.sockets)

    def terminate_all(self) -> None:
        """Stop all processes. None of their waiting connections may be left unanswered."""
        super().terminate_all()
        while time.monotonic() < self._told_at + self._drain_seconds and any(one.process.is_alive() for one in self.processes):
            time.sleep(0.05)
        shut(self.sockets)
        for one in self.sockets:
            one.close()

    def init_processes(self) -> None:
        """Start them all, and wait until they answer."""
        with bootstrap.without_ctrl_c():
            super().init_processes()
        while not all(process.is_ready(timeout=1) for process in self.processes):
            self.handle_signals()
            self.keep_subprocess_alive()
            if self.should_exit.wait(0.05):
                return
        self._ready()

    def keep_subprocess_alive(self) -> None:
        """Replace those that died; but give up where one could not start, since the next one could not either.

        uvicorn also asks each whether it answers, and waits for that long after a process that ends while it starts.
        """
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.process.is_alive():
                continue
            process.kill()  # closes its pipes
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                self.failed = True
                self.should_exit.set()
                return
            logs.warning("worker_died", pid=process.pid, exit_code=process.exitcode)
            self.processes[place] = Process(self.config, self.sockets)
            with bootstrap.without_ctrl_c():
                self.processes[place].start()


def _supervised(supervisor: _Supervisor) -> bool:
    """Run until told to stop, and leave no process behind, whatever happens here; return whether none failed to start."""
    try:
        supervisor.run()
    finally:
        for process in supervisor.processes:
            if process.process.is_alive():
                process.process.terminate()
                process.join()
    return not supervisor.failed


def _run(settings: Settings, sockets: list[socket.socket], guest: Guest | None) -> bool:
    os.environ.update(environment_of(settings))
    allow_connections()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn stops in order, then sends itself what it was sent
    url = f"http://{_place(settings.host, settings.port)}"
    several = settings.workers > 1
    application = None if several else Application(settings, sockets, guest)
    config = _Config(
        application or partial(app, sockets),
        factory=several,
        http="ordre.api.http.connection:Connection",
        workers=settings.workers,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_worker_healthcheck=_WORKER_SECONDS,
        lifespan="on",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=networks_in(settings.trusted_proxies),
    )

    def ready() -> None:
        logs.info("listening", url=url, version=__version__, workers=settings.workers, pid=os.getpid())
        if application is not None and application.greeting:
            print(msgspec.json.encode({"url": url, **application.greeting}).decode(), flush=True)  # noqa: T201 - for a program

    started = True
    try:
        if application is None:
            started = _supervised(_Supervisor(config, sockets, ready, settings.drain_seconds))
        else:
            _Server(config, ready).run(sockets)
    except KeyboardInterrupt:
        pass
    except SystemExit as end:  # uvicorn's: the application did not start, and the log says why
        started = not end.code
    if started:
        logs.info("stopped")
    return started

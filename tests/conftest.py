import gc
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

import lanes
from database import ENGINES, new_database
from progress import Progress
from service import Directory, Service, Shop, serving
from throwaway import Cluster, joined, remove_joined

SHARED = pytest.StashKey[Path]()
"""A folder of all processes of this run."""
RAN: list[dict[str, Any]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    lanes.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes seconds, or has a server of its own; not in the fast lane")
    config.addinivalue_line("markers", "long: in the deep lane alone, one time")
    config.addinivalue_line("markers", "once: in the whole on SQLite, in the deep lane on PostgreSQL")
    config.addinivalue_line(
        "markers",
        "deep(share, alone): in the deep lane goes on until its share of the time is over; on the engine `alone`, there only",
    )
    given = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[SHARED] = Path(given["shared"])
        config.stash[lanes.ENDS], config.stash[lanes.SEED] = given["ends"], given["seed"]
        return
    config.stash[SHARED] = Path(tempfile.mkdtemp(prefix="ordre-tests-"))
    config.stash[lanes.ENDS] = time.time() + config.option.seconds
    config.stash[lanes.SEED] = config.option.seed if config.option.seed is not None else int(time.time())
    if config.option.verbose < 0 and not config.option.collectonly:
        config.pluginmanager.register(Progress(config, lanes.name_of(config)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process what all share."""
    stash = node.config.stash
    node.workerinput |= {"shared": str(stash[SHARED]), "ends": stash[lanes.ENDS], "seed": stash[lanes.SEED]}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - it need not be there for a run in one process

    class ByFileAndEngine(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return lanes.scope_of(nodeid)

    config.option.loadscopereorder = False
    return ByFileAndEngine(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lanes.select(config, items)


def pytest_collection(session: pytest.Session) -> None:
    """Collect without looking for garbage: nearly all that is made stays."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what became of each test and what it counted, for `script/promises.py`."""
    if report.when == "call" or report.outcome != "passed":
        RAN.append({"test": report.nodeid, "outcome": report.outcome, "figures": report.user_properties})


def pytest_sessionfinish(session: pytest.Session) -> None:
    lane = lanes.name_of(session.config)
    if hasattr(session.config, "workerinput") or lane not in ("whole", "deep"):
        return
    folder = Path(session.config.rootpath) / ".cache"
    folder.mkdir(exist_ok=True)
    (folder / ("tests.json" if lane == "whole" else "deep.json")).write_text(json.dumps(RAN, indent=1), encoding="utf-8")


def pytest_unconfigure(config: pytest.Config) -> None:
    if SHARED in config.stash and not hasattr(config, "workerinput"):
        remove_joined(config.stash[SHARED])
        shutil.rmtree(config.stash[SHARED])


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The PostgreSQL of all tests, in whatever process; nobody stops it."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return joined(request.config.stash[SHARED], worker)


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that the test may stop."""
    made = Cluster()
    yield made
    made.remove()


class Servers:
    """The server of each engine: started when it is first needed, and kept while others are used."""

    def __init__(self) -> None:
        self._ends = ExitStack()
        self._started: dict[str, Service] = {}
        self.databases: dict[str, str] = {}

    def on(self, database: str) -> Service:
        if database not in self._started:
            made = self._ends.enter_context(serving(database))
            made.directory = self._ends.enter_context(closing(Directory(database)))
            self._started[database] = made
        return self._started[database]

    def stop(self) -> None:
        self._ends.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.stop()


@pytest.fixture(scope="session", params=ENGINES)
def database(request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of each engine, for the whole session."""
    engine = str(request.param)
    if engine not in servers.databases:
        servers.databases[engine] = new_database(request, engine, tmp_path_factory)
    return servers.databases[engine]


@pytest.fixture(params=ENGINES)
def own_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new database of each engine, for one test alone."""
    return new_database(request, str(request.param), tmp_path_factory)


@pytest.fixture(scope="session")
def service(database: str, servers: Servers) -> Service:
    """A running server on each engine."""
    return servers.on(database)


@pytest.fixture
def shop(service: Service) -> Iterator[Shop]:
    """A new account of the running server, with a client that may do everything."""
    with service.shop() as made:
        yield made


@pytest.fixture
def logged(own_database: str, tmp_path: Path) -> Iterator[tuple[Service, Path]]:
    """A server that tells its log everything, and leaves expiry to the worker."""
    log, environment = tmp_path / "log", {**os.environ, "ORDRE_LOG_LEVEL": "debug", "ORDRE_TIDY_SECONDS": "0"}
    service = Service(own_database, environment=environment)
    with log.open("wb") as file:
        service.start(log=file.fileno())
    yield service, log
    service.stop()


@pytest.fixture
def effort(request: pytest.FixtureRequest) -> lanes.Effort:
    """How long a test that could go on for ever goes on."""
    workers = getattr(request.config, "workerinput", {}).get("workercount", 1)
    return lanes.effort_of(request.node, workers)

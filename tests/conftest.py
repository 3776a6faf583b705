import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from database import ENGINES, new_database
from service import Service, Shop, serving
from throwaway import Cluster

RAN: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what became of each test and what it counted, for `script/promises.py`."""
    if report.when == "call" or report.outcome != "passed":
        RAN.append({"test": report.nodeid, "outcome": report.outcome, "figures": report.user_properties})


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = Path(session.config.rootpath) / ".cache"
    folder.mkdir(exist_ok=True)
    (folder / "tests.json").write_text(json.dumps(RAN, indent=1), encoding="utf-8")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new database of each engine, for the whole session."""
    return new_database(request, str(request.param), tmp_path_factory)


@pytest.fixture(params=ENGINES)
def own_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new database of each engine, for one test alone."""
    return new_database(request, str(request.param), tmp_path_factory)


@pytest.fixture(scope="session")
def service(database: str) -> Iterator[Service]:
    """A running server on each engine."""
    with serving(database) as made:
        yield made


@pytest.fixture
def shop(service: Service) -> Iterator[Shop]:
    """A new account of the running server, with a client that may do everything."""
    with service.shop() as made:
        yield made


@pytest.fixture
def logged(own_database: str, tmp_path: Path) -> Iterator[tuple[Service, Path]]:
    """A server that tells its log everything, and leaves what time brings to the worker."""
    log, environment = tmp_path / "log", {**os.environ, "ORDRE_LOG_LEVEL": "debug", "ORDRE_TIDY_SECONDS": "0"}
    service = Service(own_database, environment=environment)
    with log.open("wb") as file:
        service.start(log=file.fileno())
    yield service, log
    service.stop()

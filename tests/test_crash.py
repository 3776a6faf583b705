"""C3: an answer of success means durable, through kill -9 of the server and of PostgreSQL. Deep runs go on for longer."""

from collections import Counter
from collections.abc import Callable

import pytest

from crash import crash
from lanes import Effort
from service import ORDRE, Service
from throwaway import Cluster

ROUNDS, DEEP_ROUNDS = 4, 8
"""Kills of one server, whose orders hold all that its clients did meanwhile."""


pytestmark = [pytest.mark.slow, pytest.mark.deep(2)]


def test_the_server_is_killed(own_database: str, effort: Effort, record_property: Callable[[str, object], None]) -> None:
    service = Service(own_database, "--workers", "1")
    counted = killed(service, effort, None)
    record_property("kills of the server", counted["kills"])
    record_property("acknowledged writes", counted["acknowledged"])


def test_postgresql_is_killed(own_cluster: Cluster, effort: Effort, record_property: Callable[[str, object], None]) -> None:
    service = Service(own_cluster.database())
    service.program = [ORDRE]  # it starts once: as an operator starts it
    counted = killed(service, effort, own_cluster)
    record_property("kills of PostgreSQL", counted["kills"])
    record_property("acknowledged writes", counted["acknowledged"])


def killed(service: Service, effort: Effort, cluster: Cluster | None) -> Counter[str]:
    counted = Counter[str]()
    service.start()
    try:
        rounds = DEEP_ROUNDS if effort.deep else ROUNDS
        for seed in effort.rounds():
            counted += crash(service, rounds, seed=seed, cluster=cluster) + Counter(kills=rounds)
    finally:
        service.stop()
    assert counted["acknowledged"] > 20 * counted["kills"]
    return counted

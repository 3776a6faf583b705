"""C3: an answer of success means durable, through kill -9 of the server and of PostgreSQL. `script/crash-test` runs more."""

from collections.abc import Callable

from crash import crash
from service import Service
from throwaway import Cluster

ROUNDS = 8


def test_the_server_is_killed(own_database: str, record_property: Callable[[str, object], None]) -> None:
    service = Service(own_database, "--workers", "1")
    service.start()
    try:
        counted = crash(service, ROUNDS, seed=1)
        assert counted["acknowledged"] > 20 * ROUNDS
        record_property("kills of the server", ROUNDS)
        record_property("acknowledged writes", counted["acknowledged"])
    finally:
        service.stop()


def test_postgresql_is_killed(record_property: Callable[[str, object], None]) -> None:
    cluster = Cluster()
    service = Service(cluster.database())
    service.start()
    try:
        counted = crash(service, ROUNDS, seed=2, cluster=cluster)
        assert counted["acknowledged"] > 20 * ROUNDS
        record_property("kills of PostgreSQL", ROUNDS)
        record_property("acknowledged writes", counted["acknowledged"])
    finally:
        service.stop()
        cluster.remove()

"""C3: an answer of success means durable, through kill -9 of the server and of PostgreSQL. `script/crash-test` runs more."""

from crash import crash
from service import Service
from throwaway import Cluster

ROUNDS = 8


def test_the_server_is_killed(own_database: str) -> None:
    service = Service(own_database, "--workers", "1")
    service.start()
    try:
        counted = crash(service, ROUNDS, seed=1)
        assert counted["acknowledged"] > 20 * ROUNDS
    finally:
        service.stop()


def test_postgresql_is_killed() -> None:
    cluster = Cluster()
    service = Service(cluster.database())
    service.start()
    try:
        counted = crash(service, ROUNDS, seed=2, cluster=cluster)
        assert counted["acknowledged"] > 20 * ROUNDS
    finally:
        service.stop()
        cluster.remove()

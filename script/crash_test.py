"""Many rounds of tests/crash.py on both engines, and of killing PostgreSQL; prints what was counted."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from crash import crash
from service import ORDRE, Service
from throwaway import Cluster

BLOCK = 10
"""Rounds on one set of orders, which hold no more than so many operations."""


def main() -> None:
    """Run the rounds, in blocks."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())  # noqa: PLR2004 - the second argument
    print(f"{rounds} rounds of each, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster()
        try:
            run("server on SQLite", f"sqlite:///{folder}/ordre.sqlite", rounds, seed, None)
            run("server on PostgreSQL", cluster.database(), rounds, seed, None)
            run("PostgreSQL", cluster.database(), rounds, seed, cluster)
        finally:
            cluster.remove()


def run(what: str, database: str, rounds: int, seed: int, cluster: Cluster | None) -> None:
    """Kill one thing for so many rounds."""
    service = Service(database)
    service.program = [ORDRE]
    service.start()
    try:
        for done in range(0, rounds, BLOCK):
            counted = crash(service, min(BLOCK, rounds - done), seed + done, cluster)
            print(f"killed {what}: {done + min(BLOCK, rounds - done)} rounds, {dict(counted)}", flush=True)
    finally:
        service.stop()


if __name__ == "__main__":
    main()

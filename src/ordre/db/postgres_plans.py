"""Which plans PostgreSQL keeps: those of batches, since planning took longer than the work, and none of lists."""

from time import monotonic
from weakref import WeakKeyDictionary

from ordre.db.postgres_pool import Connection

PLANNED_ONCE = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
"""The settings of the connections of batches. By these an index leads to each row, however large the tables are."""
PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan", "jit": "off"}
"""Those of the connections on which lists are read: what is the right index depends on what is asked for, and how deep it is."""
FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0


class Plans:
    """Drops the plans of connections, ever more rarely: which index is the right one cannot be told of a table that is empty.

    PostgreSQL looks at the size of a table when it plans, whether or not it has statistics. Since the time between two plans
    doubles, the tables have seldom more than doubled since.
    """

    def __init__(self) -> None:
        self._due: WeakKeyDictionary[Connection, tuple[float, float]] = WeakKeyDictionary()

    async def renew(self, connection: Connection) -> None:
        """Let the connection plan anew where it is time to."""
        now = monotonic()
        due, pause = self._due.get(connection, (None, FIRST_SECONDS))
        if due is not None and now < due:
            return
        if due is not None:
            await connection.execute("discard plans")
        self._due[connection] = (now + pause, min(2 * pause, MOST_SECONDS))

"""The pool of connections to PostgreSQL: who waits is served in order, and no connection is lost or handed on half used."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from ordre.db.postgres_pool import Connection, Pool
from throwaway import Cluster

SECONDS = 20.0


def trying(cluster: Cluster, test: Callable[[Pool], Awaitable[None]], size: int = 1, seconds: float = SECONDS) -> None:
    database = cluster.database()

    async def connected() -> Connection:
        connection: Connection = await asyncpg.connect(database)
        return connection

    async def running() -> None:
        pool = Pool(connected, size, seconds)
        await test(pool)
        await pool.close()

    asyncio.run(running())


async def process_of(pool: Pool) -> int:
    async with pool.lent() as connection:
        process: int = await connection.fetchval("select pg_backend_pid()")
        return process


def test_who_waits_is_served_in_the_order_of_coming(cluster: Cluster) -> None:
    served = []

    async def one(pool: Pool, name: int, times: int) -> None:
        for _ in range(times):
            async with pool.lent() as connection:
                served.append(name)
                await connection.fetchval("select 1")

    async def test(pool: Pool) -> None:
        """Whoever comes again at once does not go before those who wait."""
        await asyncio.gather(*(one(pool, name, 3) for name in range(4)))

    trying(cluster, test)
    assert served == [0, 1, 2, 3] * 3


def test_who_waits_in_vain_is_told_and_holds_up_nobody(cluster: Cluster) -> None:
    async def test(pool: Pool) -> None:
        async with pool.lent():
            with pytest.raises(TimeoutError):
                await process_of(pool)
        assert await process_of(pool)

    trying(cluster, test, seconds=0.05)


@pytest.mark.parametrize("handed", [True, False], ids=["when it was handed over", "before"])
def test_who_is_cancelled_while_he_waits_leaves_the_connection_to_the_next(cluster: Cluster, *, handed: bool) -> None:
    async def test(pool: Pool) -> None:
        async with pool.lent():
            waiting = [asyncio.create_task(process_of(pool)) for _ in range(2)]
            await asyncio.sleep(0)
            if not handed:
                waiting[0].cancel()
        waiting[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
        assert await waiting[1]

    trying(cluster, test)


@pytest.mark.parametrize("how", ["closed", "in a transaction", "cancelled"])
def test_no_connection_is_handed_on_half_used(cluster: Cluster, how: str) -> None:
    async def test(pool: Pool) -> None:
        async with pool.lent() as connection:
            before = await connection.fetchval("select pg_backend_pid()")
            if how == "closed":
                await connection.close()
            elif how == "in a transaction":
                await connection.execute("begin")
            else:
                sleeping = asyncio.create_task(connection.execute("select pg_sleep(30)"))
                await asyncio.sleep(0.05)
                sleeping.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sleeping
        assert (await process_of(pool) == before) is (how == "cancelled")

    trying(cluster, test)


def test_a_connection_that_cannot_be_made_leaves_its_place(cluster: Cluster) -> None:
    tries = []

    async def failing() -> Connection:
        tries.append(1)
        raise OSError

    async def running() -> None:
        pool = Pool(failing, 1, SECONDS)
        done = await asyncio.gather(*(process_of(pool) for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in done] == [OSError] * 3

    asyncio.run(running())
    assert len(tries) == 3


def test_who_comes_after_the_end_is_refused(cluster: Cluster) -> None:
    async def test(pool: Pool) -> None:
        assert await process_of(pool)
        await pool.close()
        with pytest.raises(asyncpg.InterfaceError):
            await process_of(pool)

    trying(cluster, test)

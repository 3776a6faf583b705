"""One timer for the deadlines of all requests: each is ended when its own time is over, and no other."""

import asyncio
import time

import pytest

from ordre.api.http.deadline import Deadline

SECONDS = 0.05


def test_each_has_its_own_time() -> None:
    async def run() -> None:
        deadline, ended = Deadline(SECONDS), list[tuple[int, bool]]()

        async def one(number: int, seconds: float) -> None:
            started = time.monotonic()
            with pytest.raises(TimeoutError), deadline:
                await asyncio.sleep(seconds)
            ended.append((number, time.monotonic() - started >= SECONDS - 0.01))

        async def quick() -> None:
            with deadline:
                await asyncio.sleep(0)

        late = [asyncio.create_task(one(0, 9))]
        await asyncio.sleep(SECONDS / 2)
        await asyncio.gather(*(quick() for _ in range(10)))
        late += [asyncio.create_task(one(1, 9))]
        await asyncio.gather(*late)
        assert ended == [(0, True), (1, True)]
        await asyncio.gather(quick(), one(2, 9))  # the timer is set anew

    asyncio.run(run())


def test_one_inside_another() -> None:
    async def run(outer: float, inner: float) -> str:
        try:
            with Deadline(outer):
                try:
                    with Deadline(inner):
                        await asyncio.sleep(9)
                except TimeoutError:
                    await asyncio.sleep(0)
                    return "inner"
        except TimeoutError:
            return "outer"
        return "none"

    assert asyncio.run(run(9, SECONDS)) == "inner"
    assert asyncio.run(run(SECONDS, 9)) == "outer"


def test_who_is_cancelled_by_others_is_not_late() -> None:
    async def run() -> None:
        async def waiting() -> None:
            with Deadline(9):
                await asyncio.sleep(9)

        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

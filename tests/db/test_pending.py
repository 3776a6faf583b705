"""What waits to be done: withdrawn while nobody has begun, told afterwards, at whatever moment its caller gives up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ordre.application.troubles import StoreUnavailable
from ordre.db import pending
from ordre.db.pending import Pending


async def ended(waiting: Pending, *steps: Callable[[asyncio.Task[Any]], object], steps_of_the_loop: int = 1) -> Any:
    """Wait for an outcome with a limit of time that is over at once, while the steps are done; return it or what is raised."""

    async def limited() -> Any:
        async with asyncio.timeout(None) as limit:
            limits.append(limit)
            return await waiting.outcome()

    limits: list[asyncio.Timeout] = []
    task = asyncio.ensure_future(limited())
    await asyncio.sleep(0)
    for step in steps:
        if step is over:
            limits[0].reschedule(asyncio.get_running_loop().time())
            for _ in range(steps_of_the_loop):
                await asyncio.sleep(0)
        else:
            step(task)
    ended_with = list(await asyncio.gather(task, return_exceptions=True))
    return ended_with[0]


def over(_: object) -> None:
    """The caller's time is over."""


def test_what_nobody_has_begun_is_withdrawn() -> None:
    async def running() -> None:
        waiting = Pending("job")
        assert isinstance(await ended(waiting, over), TimeoutError)
        assert not waiting.take()
        waiting.tell("late")

    asyncio.run(running())


@pytest.mark.parametrize("result", ["done", ValueError("refused")])
@pytest.mark.parametrize("first", ["told", "over"])
@pytest.mark.parametrize("between", [0, 1, 2, 3])
def test_what_is_begun_is_told_whatever_comes_first(result: Any, first: str, between: int) -> None:
    async def running() -> None:
        waiting = Pending("job")
        assert waiting.take()
        steps = [lambda _: waiting.tell(result), over]
        ordered = steps if first == "told" else reversed(steps)
        assert await ended(waiting, *ordered, steps_of_the_loop=between) is result

    asyncio.run(running())


@pytest.mark.parametrize("between", [0, 1, 2, 3])
def test_what_is_given_back_is_withdrawn_by_a_caller_whose_time_is_over(between: int) -> None:
    async def running() -> None:
        waiting = Pending("job")
        assert waiting.take()
        giving = lambda _: waiting.give_back()  # noqa: E731 - a step
        assert isinstance(await ended(waiting, over, giving, steps_of_the_loop=between), TimeoutError)
        assert not waiting.take()
        again = Pending("job")
        assert again.take()
        assert again.give_back()
        assert again.take()
        again.tell("done")
        assert await again.outcome() == "done"

    asyncio.run(running())


def test_what_is_not_told_in_time_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "SETTLE_SECONDS", 0.01)

    async def running() -> None:
        waiting = Pending("job")
        assert waiting.take()
        error = await ended(waiting, over)
        assert isinstance(error, StoreUnavailable)
        assert error.unsure
        waiting.tell("late")

    asyncio.run(running())


def test_a_reader_that_gives_up_does_not_wait() -> None:
    async def running() -> None:
        reading = Pending("job")
        task = asyncio.ensure_future(reading.result())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not reading.take()

    asyncio.run(running())

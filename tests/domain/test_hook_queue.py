"""What waits to be sent to a receiver, in whatever order it is answered: in order per order, and nothing is forgotten."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ordre.application.feed import FeedEntry
from ordre.application.hooks import Delivery, DeliveryState, ping_at
from ordre.webhooks.queue import Queue


def delivery(position: int, subject: str, due_at: int = 0) -> Delivery:
    entry = FeedEntry(position=position, id=subject, version=position, kind="updated", at=0, by="client", hash="")
    return Delivery(
        id=f"d{position}", event="shopping_order_update", entry=entry, state=DeliveryState.WAITING, created_at=0, due_at=due_at
    )


@given(
    st.lists(st.sampled_from("abc"), max_size=20),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["done", "later", "reload"])), max_size=60),
)
def test_each_goes_in_order_and_none_is_lost(subjects: list[str], answers: list[tuple[int, str]]) -> None:
    waiting = {one.id: one for one in (delivery(position, subject) for position, subject in enumerate(subjects, 1))}
    queue, away, done = Queue(), list[Delivery](), dict[str, list[int]]()
    queue.add(waiting.values())
    for at, (place, what) in enumerate([*answers, *[(0, "done")] * 200], 1):
        while (one := queue.next(at)) is not None:
            assert one.entry is not None
            assert one.entry.id not in {other.entry.id for other in away if other.entry}
            away.append(one)
        if what == "reload":
            queue.reload(sorted(waiting.values(), key=lambda one: one.position))
        elif away:
            one = away.pop(place % len(away))
            if what == "later":
                waiting[one.id] = one = replace(one, due_at=at + 3, attempts=one.attempts + 1)
            else:
                del waiting[one.id]
                done.setdefault(subjects[one.position - 1], []).append(one.position)
                one = replace(one, due_at=None, state=DeliveryState.DELIVERED)
            queue.came_back(one)
    assert (waiting, away, len(queue)) == ({}, [], 0)
    assert all(positions == sorted(positions) for positions in done.values())
    assert sum(map(len, done.values())) == len(subjects)


def test_of_those_that_may_go_the_earliest_event_goes_first() -> None:
    queue = Queue()
    queue.add([delivery(1, "a", due_at=50), delivery(2, "b"), delivery(3, "c"), delivery(4, "a")])
    assert [one.position for _ in range(4) if (one := queue.next(10)) is not None] == [2, 3]
    assert queue.due_at == 50
    queue.add([delivery(5, "d")])
    assert [one.position for _ in range(4) if (one := queue.next(60)) is not None] == [1, 5]


def test_pings_wait_for_nobody() -> None:
    queue = Queue()
    queue.add([ping_at("p1", 0, 0), ping_at("p2", 0, 0)])
    assert {one.id for _ in range(2) if (one := queue.next(0)) is not None} == {"p1", "p2"}

"""Writers while something goes wrong; what each was told, and afterwards whether it is so.

What was told no is not there, what was told yes is there once, and of what nobody can tell one of both is so. Sent again under
its key, everything is there, once.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from service import Shop, items, operation

NOTHING, UNKNOWN, RECORDED = "nothing was recorded", "not known whether this was recorded", "this was recorded"
Word = Literal["yes", "no", "unknown"]
WRITERS = 8
AMOUNT = 1_000_000
BESIDE = 6
"""Orders that all write to."""
ONCE = 15
"""Drafts that are completed, and orders that are erased: each once."""
PAUSE_SECONDS = 0.02
"""Between two writes of one writer, so that what is written stays little."""
SETTLED_SECONDS = 0.3
"""After which nothing that was told no comes late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write: ``key`` is its key for idempotency, and what it is found by.

    ``makes`` says that it makes an order of that name; ``erases`` is the order that it erases.
    """

    key: str
    method: str
    path: str
    body: Any
    makes: bool = False
    erases: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody was told of a write: in a word, and as he read it."""

    write: Write
    word: Word
    text: str
    seconds: float


def word_of(answer: httpx.Response) -> Word:
    """What an answer says became of a write.

    Raises:
        AssertionError: It says nothing of that.
    """
    if answer.status_code == 200:
        return "yes"
    assert answer.status_code == 503, f"{answer.status_code}: {answer.text}"
    message = answer.json()["error"]["message"]
    if UNKNOWN in message:
        return "unknown"
    if NOTHING in message:
        return "no"
    assert RECORDED in message, message
    return "yes"


class Writers:
    """Several at once, on orders that all share, and on orders and drafts of which each is one writer's alone."""

    def __init__(self, shop: Shop, seed: str) -> None:
        self.shop, self.told, self._seed = shop, list[Told](), seed
        self.orders = [shop.order(AMOUNT)["id"] for _ in range(BESIDE)]
        for id_ in self.orders:
            shop.post(f"/orders/{id_}/authorizations", operation((1, AMOUNT)))
        self._erased = [shop.order(5)["id"] for _ in range(ONCE)]
        self._drafts = [self._drafted(f"{seed}-completed-{number}") for number in range(ONCE)]

    def _drafted(self, key: str) -> tuple[str, str]:
        sketch = {"order": {"currency": "NOK", "items": items(5), "order_id": key}}
        return self.shop.post("/draft_orders", sketch)["id"], key

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let them write until the end."""
        stopping = threading.Event()
        with ThreadPoolExecutor(WRITERS) as pool:
            working = [pool.submit(self._write, number, stopping) for number in range(WRITERS)]
            try:
                yield
            finally:
                stopping.set()
        for one in working:
            one.result()

    def _write(self, writer: int, stopping: threading.Event) -> None:
        drawn, number = random.Random(f"{self._seed}-{writer}"), 0
        while not stopping.is_set():
            number += 1
            write = self._drawn(drawn, f"{self._seed}-{writer}-{number}")
            began = time.monotonic()
            answer = self._send(write)
            took = time.monotonic() - began
            self.told.append(Told(write=write, word=word_of(answer), text=answer.text, seconds=took))
            time.sleep(PAUSE_SECONDS)

    def _send(self, write: Write) -> httpx.Response:
        return self.shop.send(write.method, write.path, write.body, headers={"Idempotency-Key": write.key})

    def _drawn(self, drawn: random.Random, key: str) -> Write:
        chance = drawn.random()
        if chance < 0.05 and self._erased:
            id_ = self._erased.pop()
            return Write(key=key, method="DELETE", path=f"/orders/{id_}", body=None, erases=id_)
        if chance < 0.1 and self._drafts:
            draft, key = self._drafts.pop()
            return Write(key=key, method="PUT", path=f"/draft_orders/{draft}/complete", body={}, makes=True)
        if chance < 0.3:
            body = {"currency": "NOK", "items": items(5), "order_id": key}
            return Write(key=key, method="POST", path="/orders", body=body, makes=True)
        path = f"/orders/{drawn.choice(self.orders)}"
        if chance < 0.6:
            return Write(key=key, method="POST", path=f"{path}/comments", body={"body": key})
        return Write(key=key, method="POST", path=f"{path}/captures", body=operation((1, 1), metadata={"key": key}))

    def check(self) -> Counter[str]:
        """Compare what was told with what is there, at once and after all that is not known to be there was sent again.

        Return how many were told what.
        """
        time.sleep(SETTLED_SECONDS)
        found = self._found()
        assert self.told
        for one in self.told:
            there = found[one.write.key]
            assert there <= 1, one
            assert one.word == "unknown" or there == (one.word == "yes"), (there, one)
        counted = Counter(f"told {one.word}" for one in self.told)
        missing = [one.write for one in self.told if one.word != "yes"]
        with ThreadPoolExecutor(WRITERS) as pool:
            for write, answer in zip(missing, pool.map(self._send, missing), strict=True):
                assert answer.status_code == 200, (write, answer.text)
        again = self._found()
        assert again == Counter(one.write.key for one in self.told), self._seed
        return counted

    def _found(self) -> Counter[str]:
        """How often each write is there, of those that were told of."""
        found: Counter[str] = Counter()
        for id_ in self.orders:
            order = self.shop.get(f"/orders/{id_}")
            mine = [capture["metadata"]["key"] for capture in order["captures"]]
            mine += [comment["body"] for comment in order["comments"]]
            found.update(mine)
            assert order["payment_details"]["remaining_capture_amount"] == AMOUNT - len(order["captures"])
            assert order["version"] == 2 + len(mine), "each is one version, and nothing else is"
        with ThreadPoolExecutor(WRITERS) as pool:
            found.update(key for key in pool.map(self._lone, [one.write for one in self.told]) if key)
        return found

    def _lone(self, write: Write) -> str:
        """The key of a write that makes an order or erases one, where it is done."""
        if write.erases:
            return write.key if "deleted_at" in self.shop.get(f"/orders/{write.erases}") else ""
        if not write.makes:
            return ""
        status = self.shop.send("GET", f"/orders/{write.key}").status_code
        assert status in (200, 404)
        return write.key if status == 200 else ""

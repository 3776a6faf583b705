"""Readers of a feed that go on whatever is killed, and the comparison of what they read with what was committed."""

import json
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx

from database import sql
from service import Service, Shop

END_SECONDS = 60
_WRITTEN = (
    "select id, version from facts where account_id = $1 union all select id, version from draft_events where account_id = $1"
)
_FEED = "select position, id, version, kind, hash from feed where account_id = $1 order by position"


class Unavailable(Exception):  # noqa: N818 - it is named for the state it tells of
    """A server that cannot answer for now."""


def _done(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == 503:
        raise Unavailable
    assert answer.status_code == 200, answer.text
    return answer


class Follower(threading.Thread):
    """Reads the feed of an account, asking the servers in turns: in pages, which with ``wait`` are waited for, or as a stream."""

    def __init__(self, servers: Sequence[Service], shop: Shop, *, wait: int = 0, limit: int = 100, stream: bool = False) -> None:
        super().__init__(daemon=True)
        self._urls = [f"{one.url}/v1/accounts/{shop.account_id}/shopping/feed" for one in servers]
        self._headers = {"Authorization": f"Bearer {shop.token}"}
        self._query = {"limit": limit, "wait": wait}
        self._stopping, self._stream = threading.Event(), stream
        self.entries: list[dict[str, Any]] = []
        self.failures = 0
        self.start()

    def run(self) -> None:
        position, asked = 0, 0
        with httpx.Client(timeout=5) as http:
            while True:
                last = self._stopping.is_set()
                asked += 1
                try:
                    position, end = (self._streamed if self._stream else self._page)(http, asked, position)
                except (httpx.TransportError, Unavailable):
                    self.failures += 1
                    position = self.entries[-1]["position"] if self.entries else 0
                    time.sleep(0.02)
                else:
                    if last and position == end:
                        return

    def _page(self, http: httpx.Client, asked: int, position: int) -> tuple[int, int]:
        """Read a page; return how far was read, and where the feed ends."""
        url = self._urls[asked % len(self._urls)]
        page = _done(http.get(url, params={**self._query, "after": position}, headers=self._headers)).json()
        self.entries += page["entries"]
        return page["position"], page["end"]

    def _streamed(self, http: httpx.Client, asked: int, position: int) -> tuple[int, int]:
        """Read events until the stream breaks, or there is no more to come; return as above."""
        url = self._urls[asked % len(self._urls)]
        headers = {**self._headers, "Accept": "text/event-stream", "Last-Event-ID": str(position)}
        end = -1
        with http.stream("GET", url, headers=headers) as answer:
            if answer.status_code != 200:
                answer.read()
            for line in _done(answer).iter_lines():
                if line.startswith("data: "):
                    self.entries.append(json.loads(line.removeprefix("data: ")))
                    position = self.entries[-1]["position"]
                if self._stopping.is_set() and not line:
                    end = end if end >= 0 else _done(http.get(url, headers=self._headers, params={"limit": 1})).json()["end"]
                    if position == end:
                        break
        return position, end

    def finish(self) -> list[dict[str, Any]]:
        """Read to the end; return what was read."""
        self._stopping.set()
        self.join(END_SECONDS)
        assert not self.is_alive(), "it did not come to the end"
        return self.entries


def compare_feed(database: str, account_id: str, readers: Sequence[Follower]) -> int:
    """Raise where the feed is not what was committed, or a reader read another; return how many entries there are."""
    read = [reader.finish() for reader in readers]
    feed = sql(database, _FEED, account_id)
    assert [row[0] for row in feed] == list(range(1, len(feed) + 1))
    assert sorted((row[1], row[2]) for row in feed if row[3] != "draft_erased") == sorted(sql(database, _WRITTEN, account_id))
    last: dict[str, int] = {}
    for _, id_, version, *_ in feed:
        assert version == last.get(id_, 0) + 1, f"version {version} of {id_} is out of order"
        last[id_] = version
    for entries in read:
        assert [(one["position"], one["id"], one["version"], one["kind"], one["hash"]) for one in entries] == feed
    return len(feed)

"""Readers of a feed that go on whatever is killed, and the comparison of what they read with what was committed."""

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


class Follower(threading.Thread):
    """Reads the feed of an account in pages, asking the servers in turns; with ``wait`` each page is waited for."""

    def __init__(self, servers: Sequence[Service], shop: Shop, *, wait: int = 0, limit: int = 100) -> None:
        super().__init__(daemon=True)
        self._urls = [f"{one.url}/v1/accounts/{shop.account_id}/shopping/feed" for one in servers]
        self._headers = {"Authorization": f"Bearer {shop.token}"}
        self._query = {"limit": limit, "wait": wait}
        self._stopping = threading.Event()
        self.entries: list[dict[str, Any]] = []
        self.failures = 0
        self.start()

    def run(self) -> None:
        position, asked = 0, 0
        with httpx.Client(timeout=10) as http:
            while True:
                last = self._stopping.is_set()
                asked += 1
                try:
                    answer = http.get(
                        self._urls[asked % len(self._urls)], params={**self._query, "after": position}, headers=self._headers
                    )
                except httpx.TransportError:
                    self.failures += 1
                    time.sleep(0.02)
                    continue
                if answer.status_code != 200:
                    assert answer.status_code == 503, answer.text
                    self.failures += 1
                    time.sleep(0.02)
                    continue
                page = answer.json()
                self.entries += page["entries"]
                position = page["position"]
                if last and position == page["end"]:
                    return

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

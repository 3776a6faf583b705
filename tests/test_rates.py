"""Rate limits: of tokens by address and account, of requests by client; each alone, with Retry-After, in bounded memory."""

import time
from collections.abc import Iterator

import pytest

from ordre.api import rates
from ordre.api.errors import Failure
from ordre.api.rates import Rate
from ordre.client import Client, calls
from ordre.settings import BadSetting, Settings
from service import Service, Shop, serving

pytestmark = pytest.mark.slow


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(rate: Rate, key: str, times: int) -> int:
    """How many of so many are taken."""
    done = 0
    for _ in range(times):
        try:
            rate.take(key)
        except Failure:
            continue
        done += 1
    return done


def test_a_burst_then_as_many_as_time_brings() -> None:
    clock = Time()
    rate = Rate(10, 2, clock)
    assert taken(rate, "a", 100) == 20
    assert taken(rate, "b", 5) == 5
    clock.now += 0.5
    assert taken(rate, "a", 100) == 5
    clock.now += 1000
    assert taken(rate, "a", 100) == 20
    with pytest.raises(Failure) as refused:
        rate.take("a")
    assert (refused.value.status, refused.value.headers) == (429, {"retry-after": "1"})


def test_a_slow_rate_says_how_long() -> None:
    clock = Time()
    rate = Rate(1 / 60, 60, clock)
    assert taken(rate, "a", 3) == 1
    clock.now += 20
    with pytest.raises(Failure) as refused:
        rate.take("a")
    assert refused.value.headers == {"retry-after": "40"}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REMEMBERED", 3)
    rate = Rate(1, 1, Time())
    for key in "abcd":
        rate.take(key)
    assert taken(rate, "d", 1) == 0
    assert taken(rate, "a", 1) == 1


def test_zero_takes_any_number() -> None:
    assert taken(Rate(0, 1, Time()), "a", 1000) == 1000


@pytest.fixture(scope="module")
def strict(database: str) -> Iterator[Service]:
    """A server that takes little."""
    with serving(database, ORDRE_TOKEN_REQUESTS_PER_MINUTE="6", ORDRE_CLIENT_REQUESTS_PER_SECOND="10") as made:
        yield made


def statuses(shop: Shop, times: int) -> list[int]:
    return [shop.send("GET", "/orders").status_code for _ in range(times)]


def test_one_client_is_held_back_and_no_other(strict: Service) -> None:
    with strict.shop() as one, strict.shop() as two:
        found = statuses(one, 40)
        assert found[:20] == [200] * 20
        assert 429 in found
        assert statuses(two, 10) == [200] * 10
        refused = one.send("GET", "/orders")
        if refused.status_code == 429:
            assert refused.headers["retry-after"] == "1"
            assert refused.json()["error"]["errors"][0]["code"] == "too_many_requests"
        time.sleep(1)
        assert statuses(one, 5) == [200] * 5


def test_tokens_are_held_back_by_account(strict: Service) -> None:
    with strict.shop() as one, strict.shop() as two:
        body = {"grant_type": "client_credentials"}
        path = f"/v1/accounts/{one.account_id}/auth/token"
        found = [one.http.post(path, json=body, auth=(one.client_id, f"guess {number}")).status_code for number in range(9)]
        assert found == [401] * 6 + [429] * 3
        late = one.http.post(path, json=body, auth=(one.client_id, one.secret))
        assert (late.status_code, 1 <= int(late.headers["retry-after"]) <= 10) == (429, True)
        assert two.new_token()


def test_the_client_waits_and_goes_on(strict: Service) -> None:
    with strict.shop() as shop, Client(strict.url, shop.account_id, shop.client_id, shop.secret) as client:
        for _ in range(35):
            client.send(calls.list_orders().call)


def test_a_rate_is_not_negative() -> None:
    with pytest.raises(BadSetting, match="0 or more"):
        Settings(client_requests_per_second=-1)
    assert Settings(token_requests_per_minute=0).token_requests_per_minute == 0

"""Rate limits: of wrong secrets by client and address, of requests by client; each alone, with Retry-After, in bounded memory."""

import time
from collections.abc import Iterator

import pytest

from ordre.api.http import rates
from ordre.api.http.errors import Failure
from ordre.api.http.rates import Rate
from ordre.client import Client, calls
from ordre.settings import BadSetting, Settings
from service import Service, Shop, serving

pytestmark = [pytest.mark.slow, pytest.mark.once]


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


def test_memory_of_guesses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "REMEMBERED", 3)
    guesses = rates.Guesses(60, Time())
    for number in range(100):
        guesses.count(f"10.0.0.{number}", "T00000001", "x" * 100_000)
    assert all(len(rate._buckets.kept) == 3 for rate in (guesses._of_client, guesses._of_address))  # noqa: SLF001 - it is what is kept
    assert all(len(str(key)) < 200 for key in guesses._of_client._buckets.kept)  # noqa: SLF001 - as above


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
    with serving(database, ORDRE_TOKEN_FAILURES_PER_MINUTE="6", ORDRE_CLIENT_REQUESTS_PER_SECOND="10") as made:
        yield made


def statuses(shop: Shop, times: int) -> list[int]:
    return [shop.send("GET", "/orders").status_code for _ in range(times)]


def test_one_client_is_held_back_and_no_other(strict: Service) -> None:
    with strict.shop() as one, strict.shop() as two:
        found = statuses(one, 40)
        assert found[:20] == [200] * 20
        assert 429 in found
        assert statuses(two, 10) == [200] * 10
        answers = (one.send("GET", "/orders") for _ in range(100))
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["errors"][0]["code"] == "too_many_requests"
        time.sleep(1)
        assert statuses(one, 5) == [200] * 5


BODY = {"grant_type": "client_credentials"}


def guessed(shop: Shop, client_id: str, account_id: str | None = None, address: str | None = None) -> int:
    headers = {} if address is None else {"X-Forwarded-For": address}
    path = f"/v1/accounts/{account_id or shop.account_id}/auth/token"
    return shop.http.post(path, json=BODY, auth=(client_id, "guess"), headers=headers).status_code


def tokens(shop: Shop, address: str) -> int:
    path, headers = f"/v1/accounts/{shop.account_id}/auth/token", {"X-Forwarded-For": address}
    return shop.http.post(path, json=BODY, auth=(shop.client_id, shop.secret), headers=headers).status_code


def test_wrong_secrets_are_held_back_and_no_right_one(strict: Service) -> None:
    with strict.shop() as one, strict.shop() as two:
        assert [guessed(one, one.client_id) for _ in range(9)] == [401] * 6 + [429] * 3
        assert [guessed(two, two.client_id) for _ in range(2)] == [401] * 2
        late = one.http.post(f"/v1/accounts/{one.account_id}/auth/token", json=BODY, auth=(one.client_id, "guess"))
        assert (late.status_code, 1 <= int(late.headers["retry-after"]) <= 10) == (429, True)
        assert [one.new_token() and two.new_token() for _ in range(20)]


def test_naming_others_does_not_go_round(database: str) -> None:
    with serving(database, ORDRE_TOKEN_FAILURES_PER_MINUTE="3") as service, service.shop() as shop:
        found = [guessed(shop, f"client {number}", f"T{number:08d}") for number in range(40)]
        assert found[:30] == [401] * 30
        assert 429 in found[30:]
        assert guessed(shop, shop.client_id) == 429
        assert shop.new_token()
        assert [guessed(shop, shop.client_id, address=f"10.0.0.{number}") for number in range(5)].count(429) >= 4


def test_addresses_behind_trusted_proxies(database: str) -> None:
    trusted = {"ORDRE_TRUSTED_PROXIES": "127.0.0.1, 10.1.0.0/16, fd00::/8", "ORDRE_TOKEN_FAILURES_PER_MINUTE": "2"}
    with serving(database, **trusted) as service, service.shop() as shop:
        for first, second, other in [
            ("198.51.100.1", "evil, 198.51.100.1, 10.1.2.3", "198.51.100.2, fd00::1"),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
            ("198.51.100.7:4711", "::ffff:198.51.100.7", "[2001:db8:0:3::1]:443"),
        ]:
            assert [guessed(shop, shop.client_id, address=one) for one in (first, second, second, first)] == [401] * 2 + [429] * 2
            assert guessed(shop, shop.client_id, address=other) == 401
            assert tokens(shop, first) == 200
        for number in range(3):
            shop.order(number)
        secure = shop.send("GET", "/orders", params={"limit": 1}, headers={"X-Forwarded-Proto": "https"})
        assert secure.headers["link"].startswith("<https://")


def test_nobody_is_believed_who_is_not_named(strict: Service) -> None:
    with strict.shop() as shop:
        assert [guessed(shop, shop.client_id, address=f"10.0.0.{number}") for number in range(9)].count(429) == 3
        for number in range(2):
            shop.order(number)
        plain = shop.send("GET", "/orders", params={"limit": 1}, headers={"X-Forwarded-Proto": "https"})
        assert plain.headers["link"].startswith("<http://")


@pytest.mark.parametrize("text", ["*", "proxy.example.com", "10.0.0.1/8", "10.0.0.1,", "10.0.0.0/33"])
def test_a_proxy_is_named_by_its_address(text: str) -> None:
    with pytest.raises(BadSetting, match="addresses or networks"):
        Settings(trusted_proxies=text)


def test_the_client_waits_and_goes_on(strict: Service) -> None:
    with strict.shop() as shop, Client(strict.url, shop.account_id, shop.client_id, shop.secret) as client:
        for _ in range(35):
            client.send(calls.list_orders().call)


def test_a_rate_is_not_negative() -> None:
    with pytest.raises(BadSetting, match="0 or more"):
        Settings(client_requests_per_second=-1)
    assert Settings(token_failures_per_minute=0).token_failures_per_minute == 0

"""The token endpoint, the keys, and what becomes of tokens."""

import asyncio
import base64
import importlib
import json
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from commands import run
from ordre.application.directory import SigningKey
from ordre.auth.secrets import new_secret
from ordre.auth.tokens import ALGORITHM, REGISTRY, key_of, new_signing_key
from ordre.bootstrap import opened
from ordre.settings import Settings
from service import Service, Shop, faults_of, serving

pytestmark = pytest.mark.once


def ask(shop: Shop, **more: Any) -> Any:
    body = {"grant_type": "client_credentials", "audience": f"{shop.http.base_url}/v1/accounts/{shop.account_id}"}
    return shop.http.post(
        f"/v1/accounts/{shop.account_id}/auth/token", **{"json": body, "auth": (shop.client_id, shop.secret), **more}
    )


def good(shop: Shop) -> dict[str, str]:
    return {"client_id": shop.client_id, "client_secret": shop.secret, "grant_type": "client_credentials"}


def test_basic_json_and_form(shop: Shop) -> None:
    answers = [ask(shop), ask(shop, auth=None, json=good(shop)), ask(shop, auth=None, json=None, data=good(shop))]
    for answer in answers:
        token = answer.json()
        assert (answer.status_code, token["token_type"], token["expires_in"]) == (200, "Bearer", 86400)
        assert answer.headers["cache-control"] == "no-store"
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert shop.http.get(f"/v1/accounts/{shop.account_id}/shopping/orders", headers=headers).status_code == 200


def test_the_audience_names_the_account_whatever_the_host(shop: Shop) -> None:
    account = shop.account_id
    for audience in (
        f"https://api.dintero.com/v1/accounts/{account}",
        f"https://api.dintero.com/v1/accounts/{account}/",
        f"https://{account}@api.dintero.com/v1",
        f"https://{account}@api.dintero.com",
        f"https://{account}:x@api.dintero.com/v1/accounts",
    ):
        answer = ask(shop, json={"grant_type": "client_credentials", "audience": audience})
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert pyjwt.decode(token, options={"verify_signature": False})["aud"] == audience
        assert answers(shop, token) == 200
    for audience in (
        "https://api.dintero.com/v1/accounts/T99999999",
        f"https://{account}@api.dintero.com/v1/accounts/T99999999",
        "https://T99999999@api.dintero.com/v1",
        f"https://api.dintero.com/v1/accounts/{account}\n",
        f"https://api.dintero.com/{account}",
        "https://[",
    ):
        wrong = ask(shop, json={"grant_type": "client_credentials", "audience": audience})
        assert (wrong.status_code, faults_of(wrong.json()["error"]["errors"])) == (400, [("invalid_value", "audience")])


def test_refused(shop: Shop, service: Service) -> None:
    for answer, status in (
        (ask(shop, auth=(shop.client_id, "wrong")), 401),
        (ask(shop, auth=("nobody", shop.secret)), 401),
        (ask(shop, auth=(f"{shop.client_id}\x00", shop.secret)), 401),
        (ask(shop, auth=None), 401),
        (ask(shop, auth=None, headers={"Authorization": "Basic ???"}), 401),
        (ask(shop, auth=None, headers={"Authorization": "Bearer x"}), 401),
        (ask(shop, auth=None, headers={"Authorization": "Basic " + base64.b64encode(b"no colon").decode()}), 401),
        (ask(shop, json={"grant_type": "password"}), 400),
        (ask(shop, json={}), 400),
        (ask(shop, json=None, content=b"x", headers={"Content-Type": "text/plain"}), 415),
    ):
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["message"]
        if status == 401:
            assert answer.headers["www-authenticate"].startswith("Basic")
    with service.shop() as other:
        assert other.http.post(f"/v1/accounts/{other.account_id}/auth/token", json=good(shop)).status_code == 401
        assert other.http.post("/v1/accounts/T1/auth/token", json=good(shop)).status_code == 401
        assert other.http.post("/v1/accounts/T99999999/auth/token", json=good(shop)).status_code == 401


def cli(service: Service, *arguments: str) -> str:
    return run(*arguments, database=service.database)


def refused_within(shop: Shop, token: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = shop.http.get(f"/v1/accounts/{shop.account_id}/shopping/orders", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_a_disabled_client_is_refused_within_seconds(shop: Shop, service: Service) -> None:
    token = shop.token
    shop.get("/orders")
    cli(service, "client", "disable", shop.account_id, shop.client_id)
    assert refused_within(shop, token, 5)
    assert ask(shop).status_code == 401
    cli(service, "client", "enable", shop.account_id, shop.client_id)
    assert ask(shop).status_code == 200


def test_a_disabled_account_is_refused_within_seconds(shop: Shop, service: Service) -> None:
    token = shop.token
    shop.get("/orders")
    cli(service, "account", "disable", shop.account_id)
    assert refused_within(shop, token, 5)
    assert ask(shop).status_code == 401


def test_a_secret_can_be_pasted_anywhere() -> None:
    made = {new_secret() for _ in range(500)}
    assert len(made) == 500
    assert all(re.fullmatch("[A-Za-z0-9]{43}", one) for one in made)


def test_a_new_secret_takes_the_old_ones_place(shop: Shop, service: Service) -> None:
    made = json.loads(cli(service, "client", "rotate", shop.account_id, shop.client_id, "--json"))
    assert ask(shop).status_code == 401
    assert ask(shop, auth=(shop.client_id, made["client_secret"])).status_code == 200


def test_keys_are_published_and_rotate(shop: Shop, service: Service) -> None:
    old = shop.new_token()
    cli(service, "key", "rotate")
    deadline = time.monotonic() + 10
    while (new := shop.new_token()) and header(new)["kid"] == header(old)["kid"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for token in (old, new):
        headers = {"Authorization": f"Bearer {token}"}
        assert shop.http.get(f"/v1/accounts/{shop.account_id}/shopping/orders", headers=headers).status_code == 200
    keys = shop.http.get("/.well-known/jwks.json").json()
    assert all("d" not in key for key in keys["keys"])
    assert {(key["alg"], key["crv"], key["use"]) for key in keys["keys"]} == {("EdDSA", "Ed25519", "sig")}
    for token in (old, new):
        claims = verified_by_pyjwt(shop, token)
        assert (claims["sub"], claims["scope"]) == (shop.client_id, "admin:shopping admin:hooks")


def verified_by_pyjwt(shop: Shop, token: str) -> dict[str, Any]:
    """What a service reads that was given the address of our keys, as PyJWT's own documentation has it."""
    client = pyjwt.PyJWKClient(f"{shop.http.base_url}/.well-known/jwks.json")
    audience = f"{shop.http.base_url}/v1/accounts/{shop.account_id}"
    key = client.get_signing_key_from_jwt(token)
    claims: dict[str, Any] = pyjwt.decode(token, key, algorithms=["EdDSA"], audience=audience, issuer="ordre")
    return claims


def test_authlib_and_pyjwt_verify_our_tokens_with_the_keys_that_we_publish(shop: Shop) -> None:
    token = shop.new_token()
    assert header(token)["alg"] == "EdDSA"
    assert verified_by_pyjwt(shop, token)["aid"] == shop.account_id
    with warnings.catch_warnings(record=True):  # it says that it will go, in a later major version
        jose = importlib.import_module("authlib.jose")
    keys = jose.JsonWebKey.import_key_set(shop.http.get("/.well-known/jwks.json").json())
    claims = jose.JsonWebToken(["EdDSA"]).decode(token, keys)
    claims.validate()
    assert (claims["sub"], claims["aid"]) == (shop.client_id, shop.account_id)
    changed = reheaded(token, typ="other")
    with pytest.raises(jose.errors.BadSignatureError):
        jose.JsonWebToken(["EdDSA"]).decode(changed, keys)
    with pytest.raises(pyjwt.InvalidSignatureError):
        verified_by_pyjwt(shop, changed)


def test_a_token_under_the_earlier_name_is_good_until_it_expires(shop: Shop, service: Service) -> None:
    shop.get("/orders")
    key, kid = asyncio.run(signing_key(service))
    now = int(time.time())
    claims = {"iss": "ordre", "sub": shop.client_id, "aid": shop.account_id, "scope": "admin:shopping", "iat": now}
    claims["aud"] = f"http://x/v1/accounts/{shop.account_id}"
    for algorithm in ("Ed25519", "EdDSA"):
        assert answers(shop, signed(key, kid, {**claims, "exp": now + 60}, alg=algorithm)) == 200
        assert answers(shop, signed(key, kid, {**claims, "exp": now - 1}, alg=algorithm)) == 401
        assert answers(shop, signed(own_key(), kid, {**claims, "exp": now + 60}, alg=algorithm)) == 401


def test_a_key_of_an_earlier_database_goes_on_under_the_new_name(own_database: str) -> None:
    """A key made before is stored with the earlier name of the algorithm; it signs, and is published, with the new one."""
    made = json.loads(new_signing_key(1).jwk)
    assert made["alg"] == "EdDSA"
    earlier = SigningKey(kid=made["kid"], jwk=json.dumps({**made, "alg": "Ed25519"}), created_at=1, retired_at=None)
    with serving(own_database) as service, service.shop() as shop:
        asyncio.run(put_key(service, earlier))
        token = shop.new_token()
        assert (header(token)["kid"], header(token)["alg"]) == (made["kid"], "EdDSA")
        assert shop.http.get("/.well-known/jwks.json").json()["keys"][0]["alg"] == "EdDSA"
        assert verified_by_pyjwt(shop, token)["sub"] == shop.client_id
        shop.get("/orders")


async def put_key(service: Service, key: SigningKey) -> None:
    async with opened(Settings(database=service.database)) as store:
        await store.put_signing_key(key)


def header(token: str) -> Any:
    part = token.split(".", maxsplit=1)[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


Claims = dict[str, Any]


def unsigned(_key: OKPKey, kid: str, claims: Claims) -> str:
    parts = [json.dumps({"alg": "none", "kid": kid}).encode(), json.dumps(claims).encode()]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


def hmac_with_the_public_key(key: OKPKey, kid: str, claims: Claims) -> str:
    public = json.dumps(key.as_dict(private=False)).encode()
    return jwt.encode({"alg": "HS256", "kid": kid}, claims, OctKey.import_key(public), algorithms=["HS256"])


def own_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519")


def key_in_the_header(_key: OKPKey, kid: str, claims: Claims) -> str:
    own = own_key()
    return signed(own, kid, claims, jwk=own.as_dict(private=False))


FORGED: dict[str, Callable[[OKPKey, str, Claims], str]] = {
    "expired": lambda key, kid, claims: signed(key, kid, {**claims, "exp": int(time.time()) - 1}),
    "other key": lambda _, kid, claims: signed(own_key(), kid, claims),
    "none": unsigned,
    "hmac with the public key": hmac_with_the_public_key,
    "other issuer": lambda key, kid, claims: signed(key, kid, {**claims, "iss": "other"}),
    "other account's audience": lambda key, kid, claims: signed(key, kid, {**claims, "aud": "http://x/v1/accounts/T99999999"}),
    "other account": lambda key, kid, claims: signed(key, kid, {**claims, "aid": "T99999999"}),
    "no expiry": lambda key, kid, claims: signed(key, kid, {name: one for name, one in claims.items() if name != "exp"}),
    "expiry as text": lambda key, kid, claims: signed(key, kid, {**claims, "exp": str(claims["exp"])}),
    "unknown kid": lambda key, _, claims: signed(key, "elsewhere", claims),
    "kid that is a path": lambda _, kid, claims: signed(own_key(), f"../{kid}", claims),
    "kid that is a list": lambda key, kid, claims: reheaded(signed(key, kid, claims), kid=[kid]),
    "own key in the header": key_in_the_header,
    "key at an address": lambda _, kid, claims: signed(own_key(), kid, claims, jku="http://127.0.0.1/keys.json"),
    "extension that must be understood": lambda key, kid, claims: reheaded(signed(key, kid, claims), crit=["mine"], mine=True),
    "another's signature": lambda key, kid, claims: reheaded(signed(key, kid, claims), typ="other"),
}


@pytest.mark.parametrize("trick", FORGED)
def test_a_forged_or_expired_token_is_refused(shop: Shop, service: Service, trick: str) -> None:
    shop.get("/orders")
    key, kid = asyncio.run(signing_key(service))
    claims: Claims = {
        "iss": "ordre",
        "sub": shop.client_id,
        "aid": shop.account_id,
        "aud": f"http://x/v1/accounts/{shop.account_id}",
        "scope": "admin:shopping",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
    }
    assert answers(shop, signed(key, kid, claims)) == 200, "the forger knows how to make a good one"
    assert answers(shop, FORGED[trick](key, kid, claims)) == 401


@pytest.mark.parametrize(("ago", "status"), [(86_400 - 60, 200), (86_400 + 60, 401)])
def test_a_retired_key_is_good_for_as_long_as_its_tokens(shop: Shop, service: Service, ago: int, status: int) -> None:
    """Whoever got hold of it could make tokens that expire when they like."""
    now = int(time.time())
    retired = replace(new_signing_key(1), retired_at=(now - ago) * 1000)

    async def put() -> None:
        async with opened(Settings(database=service.database)) as store:
            await store.put_signing_key(retired)

    asyncio.run(put())
    claims: Claims = {"iss": "ordre", "sub": shop.client_id, "aid": shop.account_id}
    claims |= {"aud": f"http://x/v1/accounts/{shop.account_id}", "scope": "admin:shopping", "iat": now, "exp": now + 10**6}
    time.sleep(0.05)  # an unknown key is looked for, but not more often than this
    assert answers(shop, signed(OKPKey.import_key(json.loads(retired.jwk)), retired.kid, claims)) == status
    listed = [key["kid"] for key in shop.http.get("/.well-known/jwks.json").json()["keys"]]
    assert retired.kid in listed, "what it signed of proofs can be checked for ever"


def reheaded(token: str, **changes: Any) -> str:
    """The token with another header; the signature stays, so what depends on it alone is refused for it."""
    changed = {name: value for name, value in {**header(token), **changes}.items() if value is not None}
    encoded = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    return f"{encoded}.{token.partition('.')[2]}"


def test_clocks_of_servers_may_differ(shop: Shop, service: Service) -> None:
    """A token from a server whose clock is ahead is good; how long it is good is told by the clock of whoever is asked."""
    shop.get("/orders")
    key, kid = asyncio.run(signing_key(service))
    now = int(time.time())
    claims = {"iss": "ordre", "sub": shop.client_id, "aid": shop.account_id, "aud": f"http://x/v1/accounts/{shop.account_id}"}
    claims["scope"] = "admin:shopping"
    assert answers(shop, signed(key, kid, {**claims, "iat": now + 300, "exp": now + 600})) == 200
    assert answers(shop, signed(key, kid, {**claims, "iat": now - 600, "exp": now})) == 401


def answers(shop: Shop, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return int(shop.http.get(f"/v1/accounts/{shop.account_id}/shopping/orders", headers=headers).status_code)


def signed(key: OKPKey, kid: str, claims: dict[str, Any], **header: Any) -> str:
    """A token as a forger makes it, who knows both names of the algorithm."""
    return jwt.encode({"alg": ALGORITHM, "kid": kid, **header}, claims, key, registry=REGISTRY)


async def signing_key(service: Service) -> tuple[OKPKey, str]:
    async with opened(Settings(database=service.database)) as store:
        current = next(key for key in await store.signing_keys() if key.retired_at is None)
    return key_of(current), current.kid


def test_a_new_key_is_private_to_the_store() -> None:
    one, two = new_signing_key(1), new_signing_key(1)
    assert one.kid != two.kid
    assert "d" in json.loads(one.jwk)

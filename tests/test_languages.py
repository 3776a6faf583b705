"""The examples are run as their README says, each against a running server, and all say the same."""

import base64
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node import NODE, environment, npm
from ordre.client import webhooks
from ordre.webhooks.signing import Signed, standard_signature
from receivers import QUICK, Received, receiving, wait_for
from service import Service, serving

pytestmark = [pytest.mark.slow, pytest.mark.once]

EXAMPLES = Path(__file__).parents[1] / "examples"
SAID = """order (?P<order>[A-Z0-9]{9})
captured 39800 replayed true
refused 400 exceeds_remaining 5000
refunded 5000
found 1
closed partially_refunded 39800
"""


@pytest.fixture(scope="session")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TypeScript example, installed from its lock, with types generated from the committed document, and type-checked."""
    root = tmp_path_factory.mktemp("typescript")
    folder = Path(shutil.copytree(EXAMPLES, root / "examples", ignore=shutil.ignore_patterns("node_modules"))) / "typescript"
    shutil.copy(EXAMPLES.parent / "openapi.json", root)
    npm(folder, "ci", "--no-audit", "--no-fund")
    npm(folder, "run", "types")
    npm(folder, "run", "check")
    return folder


def said_by(language: str, name: str, request: pytest.FixtureRequest, given: dict[str, str]) -> str:
    """What an example prints."""
    if language == "typescript":
        script = {"checkout": "start"}.get(name, name)
        return npm(request.getfixturevalue("typescript"), "run", "--silent", script, **given)
    command = {
        "python": [sys.executable, str(EXAMPLES / "python" / f"{name}.py")],
        "shell": [str(EXAMPLES / "shell" / f"{name}.sh")],
    }[language]
    done = subprocess.run(command, env=environment(**given), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


LANGUAGES = ["python", "shell", pytest.param("typescript", marks=pytest.mark.long)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_feed_is_followed(service: Service, language: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    with service.shop() as shop:
        given = {
            "ORDRE_URL": service.url,
            "ORDRE_ACCOUNT": shop.account_id,
            "ORDRE_CLIENT_ID": shop.client_id,
            "ORDRE_CLIENT_SECRET": shop.secret,
            "PLACE": str(tmp_path / "position"),
        }
        assert said_by(language, "follow", request, given) == ""
        order = shop.paid(100)["id"]
        assert (
            said_by(language, "follow", request, given) == "1 placed version 1\n2 authorization version 2\n3 capture version 3\n"
        )
        shop.post(f"/orders/{order}/close")
        assert said_by(language, "follow", request, given) == "4 closed version 4\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example(service: Service, language: str, request: pytest.FixtureRequest) -> None:
    with service.shop() as shop:
        given = {
            "ORDRE_URL": service.url,
            "ORDRE_ACCOUNT": shop.account_id,
            "ORDRE_CLIENT_ID": shop.client_id,
            "ORDRE_CLIENT_SECRET": shop.secret,
        }
        said = said_by(language, "checkout", request, given)
        found = re.fullmatch(SAID, said)
        assert found is not None, said
        order = shop.get(f"/orders/{found['order']}")
        assert (len(order["captures"]), len(order["items"]), order["status"]) == (2, 2, "closed")


def test_the_lock_names_no_address() -> None:
    text = (EXAMPLES / "typescript" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') > 30


CHECKS: dict[str, list[str | Path]] = {
    "python": [sys.executable, EXAMPLES / "python" / "verify_webhook.py"],
    "shell": [EXAMPLES / "shell" / "verify_webhook.sh"],
    "typescript": [NODE, EXAMPLES / "typescript" / "verify-webhook.ts"],
}


def checked(language: str, received: Received, secret: str, **other: str) -> str:
    """What an example says of a delivery: how it ends, and what it prints."""
    names = ("id", "timestamp", "signature")
    given = (
        {f"WEBHOOK_{name.upper()}": received.headers[f"webhook-{name}"] for name in names} | {"WEBHOOK_SECRET": secret} | other
    )
    done = subprocess.run(CHECKS[language], input=received.body, env=environment(**given), capture_output=True, check=False)
    assert done.returncode == (0 if done.stdout else 1), done.stderr.decode()
    return (done.stdout or done.stderr).decode().strip()


def test_a_webhook_is_verified_in_each_language(own_database: str) -> None:
    secrets = ["long enough", f"whsec_{base64.b64encode(bytes(range(32))).decode()}"]
    with serving(own_database, **QUICK) as service, service.shop() as shop, receiving() as receiver:
        for secret in secrets:
            shop.subscribe(receiver.url, "shopping_order_update", secret={"type": "HMAC-SHA1", "value": secret})
        shop.order(100, customer={"first_name": "K\u00e5re"})
        wait_for(lambda: len(receiver.but_for_pings()) == 2)
        for received in receiver.but_for_pings():
            signed = [secret for secret in secrets if _is_verified(received, secret)]
            assert len(signed) == 1
            made = webhooks.verified(received.body, received.headers, secrets)
            assert (made.id, made.event, made.content) == (received.id, "shopping_order_update", received.json)
            for language in CHECKS:
                assert checked(language, received, signed[0]) == f"verified {received.id}"
                both = f"v1,AAAA {received.headers['webhook-signature']}"
                assert checked(language, received, signed[0], WEBHOOK_SIGNATURE=both) == f"verified {received.id}"
                assert checked(language, received, "another") == "not signed with the secret"
                old = str(int(received.headers["webhook-timestamp"]) - 301)
                assert checked(language, received, signed[0], WEBHOOK_TIMESTAMP=old) == "not signed with the secret"


def _is_verified(received: Received, secret: str) -> bool:
    try:
        webhooks.verified(received.body, received.headers, secret)
    except webhooks.NotSignedError:
        return False
    return True


@pytest.mark.parametrize("language", CHECKS)
def test_what_is_old_is_not_taken(language: str) -> None:
    at = int(time.time()) - 1000
    request = Signed(url="", body=b"{}", id="one", at=at)
    headers = {"Webhook-Id": "one", "Webhook-Timestamp": str(at), "Webhook-Signature": f"v1,{standard_signature('s', request)}"}
    received = Received({name.lower(): value for name, value in headers.items()}, request.body)
    assert checked(language, received, "s") == "too old"
    with pytest.raises(webhooks.NotSignedError, match="300 seconds ago"):
        webhooks.verified(request.body, headers, "s")
    assert webhooks.verified(request.body, headers, "s", old_seconds=2000).id == "one"
    assert webhooks.verified(request.body, headers, "s", now=at + 299).at == at
    for changed in (
        {**headers, "Webhook-Id": "two"},
        {**headers, "Webhook-Timestamp": "soon"},
        {**headers, "Webhook-Signature": f"v2,{standard_signature('s', request)}"},
        {},
    ):
        with pytest.raises(webhooks.NotSignedError):
            webhooks.verified(request.body, changed, "s", now=at)

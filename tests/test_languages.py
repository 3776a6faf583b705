"""The examples are run as their README says, each against a running server, and all say the same."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from node import environment, npm
from service import Service

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

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


@pytest.mark.parametrize("language", ["python", "shell", pytest.param("typescript", marks=pytest.mark.long)])
def test_the_example(service: Service, language: str, request: pytest.FixtureRequest) -> None:
    with service.shop() as shop:
        given = {
            "ORDRE_URL": service.url,
            "ORDRE_ACCOUNT": shop.account_id,
            "ORDRE_CLIENT_ID": shop.client_id,
            "ORDRE_CLIENT_SECRET": shop.secret,
        }
        if language == "typescript":
            said = npm(request.getfixturevalue("typescript"), "run", "--silent", "start", **given)
        else:
            command = {
                "python": [sys.executable, str(EXAMPLES / "python" / "checkout.py")],
                "shell": [str(EXAMPLES / "shell" / "checkout.sh")],
            }[language]
            done = subprocess.run(command, env=environment(**given), capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            said = done.stdout
        found = re.fullmatch(SAID, said)
        assert found is not None, said
        order = shop.get(f"/orders/{found['order']}")
        assert (len(order["captures"]), len(order["items"]), order["status"]) == (2, 2, "closed")


def test_the_lock_names_no_address() -> None:
    text = (EXAMPLES / "typescript" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity"') > 30

"""What the documents say is executed, or compared with the code."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ordre.cli.main import app
from service import ORDRE, Service, Shop

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_made_parts_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "script" / "docs.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in [title.lower().replace(" ", "-") for title in titles], target


def test_the_readmes_order_is_placed_and_paid(service: Service) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- executed by tests/test_docs\.py -->\n```sh\n(.*?)```", text, flags=re.DOTALL)
    assert block is not None
    bash = shutil.which("bash")
    assert bash is not None
    with service.shop() as shop:
        given = f"ACCOUNT={shop.account_id}\nCLIENT={shop.client_id}\nSECRET={shop.secret}\n"
        script = given + block[1].replace("http://127.0.0.1:8080", service.url)
        done = subprocess.run([bash, "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True)
    decoder, answers, rest = json.JSONDecoder(), [], done.stdout
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    authorization, capture, refusal, order = answers
    assert (authorization["amount"], capture["amount"]) == (39800, 39800)
    assert refusal["error"]["errors"][0]["code"] == "exceeds_remaining"
    assert (order["status"], order["payment_status"]) == ("closed", "paid")


def test_what_an_order_needs_at_least_is_enough(shop: Shop) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").partition("## Operations")[0]
    order, operation = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL))
    placed = shop.post("/orders", order)
    assert (placed["net_amount"], placed["items"][0]["quantity"]) == (39800, 1)
    assert shop.post(f"/orders/{placed['id']}/authorizations", operation)["amount"] == 39800
    for field in ("id", "line_id", "gross_amount"):
        (without,) = ({name: value for name, value in item.items() if name != field} for item in order["items"])
        assert shop.refused("POST", "/orders", {**order, "items": [without]})[0]["path"] == f"items[0].{field}"


def test_every_command_is_described() -> None:
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    commands = {name for name in app if not name.startswith("-")}
    assert {"serve", "erase", "settings"} <= commands
    assert [name for name in sorted(commands) if f"`ordre {name}" not in text] == []


def test_every_decision_says_what_and_why() -> None:
    for number, page in enumerate(sorted((ROOT / "docs" / "decisions").glob("*.md")), 1):
        text = page.read_text(encoding="utf-8")
        assert page.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")


def test_the_readme_names_commands_that_exist() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for words in set(re.findall(r"\bordre ((?:account|client|key) \w+|serve|migrate|verify|conformance|demo|openapi)", text)):
        done = subprocess.run([ORDRE, *words.split(), "--help"], capture_output=True, check=False)
        assert done.returncode == 0, words

"""docs/promises.md says what tests/promised.py says; whatever is promised is attacked by tests that are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from promised import PROMISES, Promise

ROOT = Path(__file__).parents[1]
LISTED = [
    "M1",
    "M2",
    "M3",
    "M4",
    "M5",
    "H1",
    "H2",
    "H3",
    "H4",
    "C1",
    "C2",
    "C3",
    "T1",
    "T2",
    "E1",
    "R1",
    "A1",
    "A2",
    "A3",
    "F1",
    "B1",
]


def test_the_page_is_what_the_table_makes() -> None:
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    made = "import promises; print(chr(10).join(promises.page(None)))"
    command = [sys.executable, "-c", made]
    printed = subprocess.run(command, cwd=ROOT / "script", capture_output=True, text=True, check=True).stdout
    without = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("- last "))
    assert re.sub(r"\n+", "\n", without).strip() == re.sub(r"\n+", "\n", printed).strip(), "run script/promises.py"
    assert text.count("- last run: ") == len([one for one in PROMISES if not one.missing])


def test_every_promise_is_there_once() -> None:
    assert [one.id for one in PROMISES] == LISTED


@pytest.mark.parametrize("promise", [one for one in PROMISES if not one.missing], ids=lambda one: str(one.id))
def test_each_attack_is_a_file_of_tests(promise: Promise) -> None:
    assert promise.attacks
    for attack in promise.attacks:
        assert "def test_" in (ROOT / attack).read_text(encoding="utf-8"), attack

"""What the documents say is executed, or compared with the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ordre.cli.main import app

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
            assert heading in [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles], target


GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^\| ([a-z -]+) \|", GLOSSARY, flags=re.MULTILINE)[1:]
"""The words of the glossary, without the head of its table."""


def test_the_glossary_has_each_word_once_in_order() -> None:
    assert sorted(set(WORDS)) == WORDS


def test_the_glossary_has_what_the_pages_explain() -> None:
    """A page explains a word where it first stands in bold."""
    for page in ("architecture", "concepts"):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        bold = {word.lower().removesuffix("s") for word in re.findall(r"\*\*([A-Za-z]+)\*\*", text)}
        assert bold - {"cancelled", "erasing"} <= set(WORDS), page


def test_the_types_that_the_glossary_names_exist() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "ordre").rglob("*.py"))
    named = re.findall(r"\(`(\w+)`\)", GLOSSARY)
    assert named
    assert [name for name in named if not re.search(rf"^(class {name}\b|{name} = )", sources, flags=re.MULTILINE)] == []


def test_every_command_is_described() -> None:
    text = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    commands = {name for name in app if not name.startswith("-")}
    assert {"serve", "erase", "settings"} <= commands
    assert [name for name in sorted(commands) if f"`ordre {name}" not in text] == []


def test_decisions_are_numbered_as_they_are_named() -> None:
    for number, page in enumerate(sorted((ROOT / "docs" / "decisions").glob("*.md")), 1):
        assert page.name.startswith(f"{number:04d}-")
        assert page.read_text(encoding="utf-8").startswith(f"# {number}. ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_script_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name, below in re.findall(r"^(?:.*`)?ordre ([a-z]+)(?: ([a-z]+))?", text, flags=re.MULTILINE):
        assert name in app, name
        if below and name in ("account", "client", "key", "order"):
            assert below in app[name], f"{name} {below}"
    for name in re.findall(r"(?<![\w/])script/[a-z][a-z_-]*(?:\.py)?", text):
        assert (ROOT / name).exists(), name

"""The tree keeps its own rules: small files, small functions, six stops."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILE_LINES = 500
FUNCTION_LINES = 60


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < FUNCTION_LINES, f"{path.name}: {node.name}"


def test_names_say_what_things_are() -> None:
    vague = re.compile(r"class \w*(Service|Manager|Helper|Util|Base)\b")
    for path in SOURCES:
        assert not vague.search(path.read_text(encoding="utf-8")), path


def test_the_locks_name_no_index_and_have_hashes() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)


def test_every_statement_on_an_accounts_rows_names_the_account() -> None:
    """T1: `account_id` stands in every query on a table that has it."""
    files = sorted((ROOT / "src/ordre/db/migrations").glob("*.sql"))
    schema = "".join(path.read_text(encoding="utf-8") for path in files)
    for table, columns in re.findall(r"create table (\w+) \((.*?)\n\)", schema, flags=re.DOTALL):
        if table in ("signing_keys", "acts"):  # the operator's, who has all accounts
            continue
        assert re.match(r"\s*account_id", columns), table
        assert "primary key (account_id" in columns or "account_id key_text primary key" in columns, table
    for index in re.findall(r"create (?:unique )?index \w+ on (\w+ \([^)]*\))", schema):
        assert "(account_id" in index or index == "idempotency (created_at)", index  # which the fifth migration drops

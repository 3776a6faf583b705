"""The sources keep their own rules: small files, small functions, names that say something, the account in every statement."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FILE_LINES = 400
TABLE_LINES = 500
LONG = {"src/ordre/domain/refusals.py", "src/ordre/conformance/fields.py"}
"""Tables may be longer."""
FUNCTION_LINES = 60


def test_files_and_functions_stay_small() -> None:
    long = []
    for path in SOURCES:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        most = TABLE_LINES if str(name) in LONG else FILE_LINES
        long += [str(name)] if text.count("\n") >= most else []
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                long += [f"{name}: {node.name}"] if node.end_lineno - node.lineno >= FUNCTION_LINES else []
    assert long == []


def test_names_say_what_things_are() -> None:
    vague = re.compile(r"class \w*(Service|Manager|Helper|Util|Base)\b")
    for path in SOURCES:
        assert not vague.search(path.read_text(encoding="utf-8")), path


def test_docstrings_name_what_is_returned() -> None:
    """As CONTRIBUTING has it: "Return the search terms of an order", not "Return what an order is found under"."""
    riddle = re.compile(r'"""Return (?:what|who|whom) ')
    assert [str(path.relative_to(ROOT)) for path in SOURCES if riddle.search(path.read_text(encoding="utf-8"))] == []


def test_no_module_of_tests_is_a_library() -> None:
    """What several tests share stands in a module of its own, which `tests/README.md` names."""
    for path in (ROOT / "tests").rglob("*.py"):
        assert not re.search(r"^(?:from|import) test_", path.read_text(encoding="utf-8"), flags=re.MULTILINE), path


def test_the_map_of_the_tests_names_each_module() -> None:
    """But for those of a folder, which the map names as one."""
    page = (ROOT / "tests" / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted((ROOT / "tests").glob("*.py")) if f"`{path.name}`" not in page] == []


def test_the_locks_name_no_index_and_have_hashes() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE)
        assert pins
        assert text.count("--hash=sha256:") >= len(pins)


SCHEMA = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "src/ordre/db/migrations").glob("*.sql")))
TABLES = dict(re.findall(r"create table (\w+) \((.*?)\n\)", SCHEMA, flags=re.DOTALL))
ACCOUNTS_OWN = TABLES.keys() - {"signing_keys", "acts"}  # these are the operator's, who has all accounts


def test_the_account_is_first_in_every_key_and_index() -> None:
    for table in ACCOUNTS_OWN:
        columns = TABLES[table]
        assert re.match(r"\s*account_id", columns), table
        assert "primary key (account_id" in columns or "account_id key_text primary key" in columns, table
    for index in re.findall(r"create (?:unique )?index \w+ on (\w+ \([^)]*\))", SCHEMA):
        assert "(account_id" in index or index == "idempotency (created_at)", index  # which the fifth migration drops


def statements() -> Iterator[tuple[str, str]]:
    """Every text of the sources that reads or writes rows of an account, and where it stands."""
    on_rows = re.compile(rf"\b(?:from|join|update|into) (?:{'|'.join(sorted(ACCOUNTS_OWN))})\b")
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for inner in ast.iter_child_nodes(node):
                if isinstance(inner, ast.JoinedStr) or (isinstance(inner, ast.Constant) and not isinstance(node, ast.JoinedStr)):
                    text = ast.unparse(inner)
                    if on_rows.search(text) and re.search(r"\b(select|insert|update|delete)\b", text):
                        yield f"{path.name}:{inner.lineno}", text


def test_every_statement_on_an_accounts_rows_names_the_account() -> None:
    """The first wall around an account; row-level security is the second, and `db/test_row_security.py` tries it alone."""
    found = list(statements())
    assert len(found) > 50
    conditions = (
        "account_id",
        "{_BETWEEN}",
        "{named}",
        "{among}",
        "{of_it}",
        "{of_part}",
        "{of_row}",
    )  # the others begin with it
    assert [where for where, text in found if not any(one in text for one in conditions)] == []

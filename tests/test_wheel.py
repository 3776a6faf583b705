"""The package as a stranger installs it: built into a wheel, in a new virtual environment, away from the repository."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ordre.pytest import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the build backend makes."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from flit_core import buildapi; print(buildapi.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True, text=True)
    return folder / done.stdout.strip()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The programs of a new virtual environment that holds the wheel, what it needs, and pytest."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    programs = folder / "venv" / "bin"
    locked = re.sub(r" \\\n( +--hash=\S+( \\)?\n)+", "\n", (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8"))
    (folder / "locked.txt").write_text(locked, encoding="utf-8")
    pip: list[str | Path] = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", folder / "locked.txt", wheel, "pytest"], check=True, capture_output=True)
    return programs


def run(fresh: Path, program: str, *arguments: str | Path, cwd: Path) -> str:
    """Run a program of the new environment where nothing of the repository or of this environment is at hand."""
    environment = {"PATH": f"{fresh}{os.pathsep}/usr/bin{os.pathsep}/bin", "HOME": str(cwd), "COLUMNS": "200"}
    done = subprocess.run([fresh / program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    files = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert files - names == set()
    assert {"ordre/py.typed", "ordre/db/migrations/0001_first.sql", "ordre/api/document/page/docs.html"} <= names


def test_the_command_makes_fills_and_verifies_a_database(fresh: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/shop.sqlite"
    assert re.fullmatch(r"\d+\.\d+\.\d+", run(fresh, "ordre", "--version", cwd=tmp_path).strip())
    assert "applied 0001_first" in run(fresh, "ordre", "migrate", "--database", database, cwd=tmp_path)
    made = json.loads(run(fresh, "ordre", "demo", "--json", "--database", database, cwd=tmp_path))
    assert made["account_id"] == "T00000001"
    assert " 0 differences" in run(fresh, "ordre", "verify", "--database", database, cwd=tmp_path)
    assert run(fresh, "ordre", "openapi", cwd=tmp_path) == (ROOT / "openapi.json").read_text(encoding="utf-8")


def test_the_plugin_serves_ordre_to_the_tests_of_others(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "test_shop.py").write_text(
        "from ordre.client import Client, calls\n\n\n"
        "def test_shop(ordre):\n"
        "    with Client(ordre.url, ordre.account_id, ordre.client_id, ordre.client_secret) as client:\n"
        "        order = client.send(calls.create_order({'currency': 'NOK', 'items': [\n"
        "            {'id': 'A', 'line_id': 1, 'gross_amount': 100, 'tax_lines': []}]}))\n"
        "    assert order.created_at.startswith('2026-01-01')\n",
        encoding="utf-8",
    )
    assert "1 passed" in run(fresh, "pytest", "-p", "no:cacheprovider", "test_shop.py", cwd=tmp_path)


@pytest.mark.long
def test_the_conformance_checks_have_what_they_read(fresh: Path, tmp_path: Path) -> None:
    with running() as ordre:
        client = ("--account", ordre.account_id, "--client-id", ordre.client_id, "--client-secret", ordre.client_secret)
        assert " 0 " in run(fresh, "ordre", "conformance", ordre.url, *client, cwd=tmp_path).splitlines()[-1]


@pytest.mark.long
def test_a_type_checker_knows_the_package(fresh: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert block is not None
    (tmp_path / "page.py").write_text('client_id, client_secret = "id", "secret"\n' + block[1], encoding="utf-8")
    (tmp_path / "checkout.py").write_bytes((ROOT / "examples" / "python" / "checkout.py").read_bytes())
    wrong = "from ordre.client import Client, calls\n\nprint(Client('', '', '', '').send(calls.get_order('x')).no_such_field)\n"
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    mypy: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        fresh / "python",
        "--cache-dir",
        tmp_path / "cache",
    ]
    checked = subprocess.run([*mypy, "page.py", "checkout.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    refused = subprocess.run([*mypy, "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'has no attribute "no_such_field"' in refused.stdout

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
IDENTITY = {f"GIT_{who}_{what}": f"{what.lower()}@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone, with the change in it that a release is for."""
    there = tmp_path / "ordre"
    subprocess.run(["git", "clone", "--quiet", ROOT, there], check=True)
    changes = there / "CHANGELOG.md"
    before, _, after = changes.read_text(encoding="utf-8").partition("## Unreleased\n")
    changes.write_text(f"{before}## Unreleased\n\n- Something is mended.\n{after}", encoding="utf-8")
    git(there, "commit", "--quiet", "--all", "--message", "Mend something")
    return there


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **IDENTITY}
    )
    return done.stdout.strip()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **IDENTITY, "PYTHONPATH": os.pathsep.join((str(folder / "src"), str(folder / "script")))}
    return subprocess.run([sys.executable, *arguments], cwd=folder, check=False, capture_output=True, text=True, env=environment)


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "script/make_release.py", *arguments)


@pytest.mark.long
def test_a_release_has_its_version_everywhere(clone: Path) -> None:
    made = release(clone, "7.8.9", "--checked")
    assert made.returncode == 0, made.stderr
    assert git(clone, "tag", "--list") == "v7.8.9"
    assert git(clone, "status", "--porcelain") == ""
    assert '"version": "7.8.9"' in (clone / "openapi.json").read_text(encoding="utf-8")
    changes = (clone / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changes.index("## Unreleased") < changes.index("## 7.8.9 (20") < changes.index("- Something is mended.")
    with zipfile.ZipFile(clone / "dist" / "ordre-7.8.9-py3-none-any.whl") as wheel:
        metadata = wheel.read("ordre-7.8.9.dist-info/METADATA").decode()
        assert "License-Expression: Apache-2.0" in metadata
        assert "ordre-7.8.9.dist-info/licenses/LICENSE" in wheel.namelist()
    with tarfile.open(clone / "dist" / "ordre-7.8.9.tar.gz") as source:
        assert {"ordre-7.8.9/CHANGELOG.md", "ordre-7.8.9/docs/start.md"} <= set(source.getnames())
    again = run(clone, "-c", "import make_release; make_release.build()")
    assert again.stdout.splitlines() == made.stdout.splitlines()[-4:-2]


@pytest.mark.parametrize(
    ("version", "reason"),
    [("1.0", "VERSION is three numbers"), ("0.0.1", "0.0.1 is older than"), ("7.8.9-rc1", "VERSION is three numbers")],
)
def test_a_version_that_cannot_be_released_is_refused(clone: Path, version: str, reason: str) -> None:
    refused = release(clone, version, "--checked")
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert git(clone, "tag", "--list") == ""


def test_nothing_is_released_of_a_changed_folder_or_without_news(clone: Path) -> None:
    (clone / "README.md").write_text("changed", encoding="utf-8")
    assert "commit or put away" in release(clone, "7.8.9", "--checked").stderr
    git(clone, "checkout", "--quiet", "README.md")
    changes = clone / "CHANGELOG.md"
    changes.write_text(changes.read_text(encoding="utf-8").partition("- Something")[0] + "\n## 0.1.0\n", encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "Say nothing")
    assert "nothing under Unreleased" in release(clone, "7.8.9", "--checked").stderr

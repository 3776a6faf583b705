"""Makes a release, see script/release."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION_FILE, CHANGELOG, DIST = ROOT / "src" / "ordre" / "__init__.py", ROOT / "CHANGELOG.md", ROOT / "dist"
USAGE = "usage: script/release VERSION [--checked]    VERSION is three numbers, such as 0.2.0"


def main() -> None:
    """Check, write the version, commit, tag, build."""
    arguments = [one for one in sys.argv[1:] if one != "--checked"]
    if len(arguments) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+", arguments[0]):
        sys.exit(USAGE)
    version = arguments[0]
    _check(version)
    if "--checked" not in sys.argv:
        subprocess.run([ROOT / ".ci" / "run"], check=True)  # noqa: S603 - our own script
    _write(version)
    _git("commit", "--all", "--quiet", "--message", f"Release {version}")
    _git("tag", "--annotate", f"v{version}", "--message", f"Ordre {version}")
    build()
    print(f"\ntagged v{version}. Look at dist/, then push the commit and the tag, and upload both files of dist/.")


def _check(version: str) -> None:
    """End with a sentence where a release cannot be made of what is here."""
    if _git("status", "--porcelain"):
        sys.exit("script/release: commit or put away what is changed here first")
    if _git("tag", "--list", f"v{version}"):
        sys.exit(f"script/release: there is a release {version} already")
    if _numbers(version) < _numbers(_current()):
        sys.exit(f"script/release: {version} is older than {_current()}, the version that is here")
    if not _news():
        sys.exit("script/release: CHANGELOG.md says nothing under Unreleased")


def _write(version: str) -> None:
    text = VERSION_FILE.read_text(encoding="utf-8")
    VERSION_FILE.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', text), encoding="utf-8")
    changes = CHANGELOG.read_text(encoding="utf-8")
    heading = f"## Unreleased\n\n## {version} ({datetime.now(UTC):%Y-%m-%d})\n"
    CHANGELOG.write_text(changes.replace("## Unreleased\n", heading, 1), encoding="utf-8")
    subprocess.run([sys.executable, ROOT / "script" / "docs.py"], check=True)  # noqa: S603 - our own script


def build() -> None:
    """Build both distributions, with the commit's time in them, so that the same commit gives the same bytes."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    build = "from flit_core import buildapi; buildapi.build_sdist('dist'); buildapi.build_wheel('dist')"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    subprocess.run([sys.executable, "-c", build], check=True, cwd=ROOT, env=environment)  # noqa: S603 - our own build backend
    for file in sorted(DIST.iterdir()):
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  dist/{file.name}")


def _news() -> str:
    after = CHANGELOG.read_text(encoding="utf-8").partition("## Unreleased\n")[2]
    return after.partition("\n## ")[0].strip()


def _current() -> str:
    found = re.search(r'__version__ = "(.*)"', VERSION_FILE.read_text(encoding="utf-8"))
    assert found is not None, "the package says its version"  # noqa: S101 - about us, not about input
    return found[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in version.split("."))


def _git(*arguments: str) -> str:
    git = shutil.which("git") or "git"
    done = subprocess.run([git, *arguments], check=True, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - git
    return done.stdout.strip()


if __name__ == "__main__":
    main()

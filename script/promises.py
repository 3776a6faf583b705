"""Writes docs/promises.md from tests/promised.py and what the last runs of the tests left in .cache/.

script/test && script/test --deep && .venv/bin/python script/promises.py
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from promised import LARGEST, PROMISES, Promise  # noqa: E402 - it stands beside the tests

_HEAD = """# The promises, and who attacks them

What Ordre promises, what holds it, and the tests that try to break it. Written by `script/promises.py` from `tests/promised.py`
and the last whole and deep runs of the tests: figures are of those runs, on SQLite and PostgreSQL together. `s` is the side of
zero that a line's net amount is on.
"""


def figures(promise: Promise, tests: list[dict[str, Any]]) -> str:
    """Return how many tests attacked the promise, and what they counted.

    Raises:
        SystemExit: One failed, or there were none.
    """
    mine = attacks(promise, tests)
    if not mine or any(test["outcome"] != "passed" for test in mine):
        failed = [test["test"] for test in mine if test["outcome"] != "passed"]
        raise SystemExit(f"{promise.id}: {', '.join(failed) or 'no test ran'}; run script/test first")
    counted: Counter[str] = Counter()
    for test in mine:
        for name, value in test["figures"]:
            counted[name] = max(counted[name], value) if name in LARGEST else counted[name] + value
    return "; ".join([f"{len(mine):,} tests", *(f"{value:,} {name}" for name, value in counted.items())])


def attacks(promise: Promise, tests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those of the tests that attacked the promise."""
    return [test for test in tests if promise.attacked_by(test["test"])]


def page(tests: list[dict[str, Any]] | None, deep: list[dict[str, Any]] | None = None) -> Iterator[str]:
    """Yield the page, without figures where there is no run."""
    yield _HEAD
    for one in PROMISES:
        yield f"## {one.id}: {one.says}\n"
        if one.missing:
            yield f"**Not kept yet.** {one.missing}\n"
            continue
        yield f"{one.mechanism}\n"
        yield f"- attacked by {', '.join(f'[{path}](../{path})' for path in one.attacks)}"
        yield f"- `{one.command}`"
        if tests is not None:
            yield f"- last run: {figures(one, tests)}"
            if deep and attacks(one, deep):
                yield f"- last deep run: {figures(one, deep)}"
            yield ""


def main() -> None:
    """Write the page."""
    run, deep = (ROOT / ".cache" / name for name in ("tests.json", "deep.json"))
    went = json.loads(deep.read_text(encoding="utf-8")) if deep.exists() else None
    text = "\n".join(page(json.loads(run.read_text(encoding="utf-8")), went))
    (ROOT / "docs/promises.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

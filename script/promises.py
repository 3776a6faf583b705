"""Writes docs/promises.md from tests/promised.py and what the last whole run of the tests left in .cache/tests.json.

script/test && .venv/bin/python script/promises.py
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
and the last whole run of the tests: figures are of that run, on SQLite and PostgreSQL together. `s` is the side of zero that a
line's net amount is on.
"""


def figures(promise: Promise, tests: list[dict[str, Any]]) -> str:
    """Return how many tests attacked the promise, and what they counted.

    Raises:
        SystemExit: One failed, or there were none.
    """
    mine = [test for test in tests if promise.attacked_by(test["test"])]
    if not mine or any(test["outcome"] != "passed" for test in mine):
        failed = [test["test"] for test in mine if test["outcome"] != "passed"]
        raise SystemExit(f"{promise.id}: {', '.join(failed) or 'no test ran'}; run script/test first")
    counted: Counter[str] = Counter()
    for test in mine:
        for name, value in test["figures"]:
            counted[name] = max(counted[name], value) if name in LARGEST else counted[name] + value
    return "; ".join([f"{len(mine):,} tests", *(f"{value:,} {name}" for name, value in counted.items())])


def page(tests: list[dict[str, Any]] | None) -> Iterator[str]:
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
            yield f"- last run: {figures(one, tests)}\n"


def main() -> None:
    """Write the page."""
    run = json.loads((ROOT / ".cache/tests.json").read_text(encoding="utf-8"))
    (ROOT / "docs/promises.md").write_text("\n".join(page(run)), encoding="utf-8")


if __name__ == "__main__":
    main()

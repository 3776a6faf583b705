"""Writes the answers of the documentation's examples, from a run against a server of this version. Then run script/docs.py."""

import json
import sys
from pathlib import Path

import httpx

from ordre.pytest import running

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from example_run import CLOCK, Run  # noqa: E402 - it lies among the tests


def main() -> None:
    """Run and write."""
    with running(CLOCK, ORDRE_HOOK_POLL_SECONDS="0") as ordre, httpx.Client(base_url=ordre.url, timeout=30) as http:
        kept = Run(http, ordre.account_id, ordre.client_id, ordre.client_secret).every_operation()
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    (ROOT / "src" / "ordre" / "api" / "document" / "example_answers.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

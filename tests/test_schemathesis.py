"""Schemathesis, which we did not write, reads the OpenAPI document and tries everything against the running server.

What it may not do, and why:

- `positive_data_acceptance` says that whatever the schema allows is accepted. The rules of money refuse much that no schema can:
  an amount above what remains, a line id twice.
- `use_after_free` says that what was deleted is gone. A deleted draft and a deleted comment are kept and shown as deleted, as the
  reference has it.
- `ensure_resource_availability` says that what was made is there. An order that is erased takes its drafts with it, so the check
  is off where orders are erased, and on in the walks over what follows on one another.
- If-Match is `*` throughout: with versions drawn by chance nearly every write would end there.
- It waits a second for the feed, not up to thirty.
- The token endpoint it calls with a bearer token, which that does not read.
- Links that it infers from names are off: ours say what follows on what.

Of the operations that take an order or its lines it can make up some 50,000 requests that each differ in one value; those, the
deep lane alone sends. Of lists, outside the deep lane one stands for all that are read by the same code.
What it makes of the document's examples, the deep lane alone sends, too: `http/test_examples.py` sends each of them as it stands.

Sequences run over all operations, and over those that follow on one another (a draft, its order, an authorization, a capture, a
refund), which a walk over all 44 hardly reaches the end of. `schemathesis_hooks.py` says what they need. The wire is the same on
PostgreSQL, where all of this runs in the deep lane alone.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from contract import DOCUMENT
from lanes import Effort
from service import Service

pytestmark = [pytest.mark.slow, pytest.mark.deep(2, alone="postgres")]

ST = str(Path(sys.executable).parent / "schemathesis")
MOST_SECONDS = 600
MOST_SEEDS = 16
FIRST_SEED = 7
"""With it each walk reached its end at once; others are tried where the document has changed since."""
CONFIG = """
[parameters]
"path.aid" = "{aid}"
"header.If-Match" = "*"
"query.wait" = 1
[phases.stateful]
max-steps = 20
[phases.stateful.inference]
algorithms = []
"""
WITH_ORDERS = ["aid_orders_post", "aid_orders_id_put", "aid_draft_orders_post", "aid_draft_orders_id_put"]
WITH_LINES = [
    "aid_draft_orders_id_items_post",
    "aid_draft_orders_id_items_line_id_put",
    *(f"aid_orders_id_{name}_post" for name in ("authorization", "cancellation", "capture", "refunds")),
]
LIKE_ALL_ORDERS = ["aid_customers_id_orders_get", "aid_stores_id_orders_get"]
WITHOUT_COVERAGE = f"""
[[operations]]
include-operation-id = {json.dumps(WITH_ORDERS + WITH_LINES + LIKE_ALL_ORDERS)}
phases.coverage.enabled = false
"""
LINKS = [
    ("aid_orders_id_authorization_post", "aid_orders_id_authorizations_authorization_id_get"),
    ("aid_orders_id_authorization_post", "aid_orders_id_cancellation_post"),
    ("aid_orders_id_capture_post", "aid_orders_id_captures_capture_id_get"),
    ("aid_orders_id_refunds_post", "aid_orders_id_refunds_refund_id_get"),
    ("aid_orders_id_cancellation_post", "aid_orders_id_cancellations_cancellation_id_get"),
    ("aid_orders_id_sessions_post", "aid_orders_id_sessions_session_id_get"),
    ("aid_orders_id_comments_post", "aid_orders_id_comments_comment_id_delete"),
]
"""What reads or takes away what was made."""
OF_ONE_ORDER = "/shopping/orders/.order_id./"
"""Half of the operations: two processes of Schemathesis, which are what takes time, share the work."""
CHAIN = [
    "aid_draft_orders_post",
    "aid_draft_orders_id_complete_put",
    "aid_orders_id_authorization_post",
    "aid_orders_id_capture_post",
    "aid_orders_id_refunds_post",
]
WALKS = [
    [*CHAIN, "aid_orders_id_captures_capture_id_get", "aid_orders_id_refunds_refund_id_get"],
    [
        "aid_orders_post",
        *(f"aid_orders_id_{name}_post" for name in ("authorization", "cancellation")),
        "aid_orders_id_authorizations_authorization_id_get",
        "aid_orders_id_cancellations_cancellation_id_get",
    ],
    [
        "aid_orders_post",
        *(f"aid_orders_id_{name}_post" for name in ("sessions", "comments")),
        "aid_orders_id_sessions_session_id_get",
        "aid_orders_id_comments_comment_id_delete",
    ],
]
"""What makes something, and what reads or takes away what was made. Short walks get farther than one over all of it."""


def run(service: Service, folder: Path, *flags: str, hooks: bool = False, more: str = "") -> str:
    """Run it on a new account; return what it prints."""
    with service.shop() as shop:
        config = folder / "schemathesis.toml"
        config.write_text(CONFIG.format(aid=shop.account_id) + more, encoding="utf-8")
        command = [ST, "--config-file", str(config), "run", f"{service.url}/openapi.json", "--continue-on-failure"]
        command += ["--header", f"Authorization: Bearer {shop.token}", *flags]
        environment = {**os.environ, "NO_COLOR": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)}
        if hooks:
            environment |= {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS, cwd=folder, env=environment
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def generated(printed: str) -> int:
    found = re.search(r"(\d+) generated", printed)
    assert found is not None
    return int(found[1])


def followed(report: Path) -> set[tuple[str, str]]:
    """The links that led from one operation to a success of another, by their ids."""
    by_label = {
        f"{method.upper()} {path}": one["operationId"]
        for path, operations in DOCUMENT["paths"].items()
        for method, one in operations.items()
    }
    found = set()
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder: dict[str, Any] = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for id_, case in recorder.get("cases", {}).items():
            transition = case.get("transition")
            status = recorder["interactions"].get(id_, {}).get("response", {}).get("status_code")
            if transition and status == 200:
                source, _, target = transition["id"].partition(" -> [200] ")
                found.add((by_label[source], target.partition(" ")[0]))
    return found


def test_no_failure_no_undocumented_status_no_answer_off_schema(
    service: Service, effort: Effort, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    flags = ["--workers", "1", "--exclude-checks", "positive_data_acceptance"]
    flags += ["--phases", "examples,coverage,fuzzing" if effort.deep else "coverage,fuzzing"]
    flags += ["--max-time", effort.seconds] if effort.deep else ["--max-examples", "2", "--seed", "20261123"]
    more = "" if effort.deep else WITHOUT_COVERAGE

    def tried(part: str) -> int:
        folder = tmp_path / part
        folder.mkdir()
        return generated(run(service, folder, *flags, f"--{part}-path-regex", OF_ONE_ORDER, more=more))

    with ThreadPoolExecutor() as pool:
        requests = sum(pool.map(tried, ("include", "exclude")))
    record_property("requests made up by Schemathesis", requests)
    assert requests > (100 if effort.deep else 2_000)  # the deep lane ends by the clock, however slow the machine


@pytest.mark.long
def test_sequences_over_all_operations(service: Service, effort: Effort, tmp_path: Path) -> None:
    unchecked = "positive_data_acceptance,use_after_free,ensure_resource_availability"
    flags = ["--phases", "stateful", "--exclude-checks", unchecked]
    flags += ["--max-time", effort.seconds] if effort.deep else ["--max-examples", "25", "--seed", "1"]
    assert generated(run(service, tmp_path, *flags, hooks=True)) > 60


@pytest.mark.parametrize("walk", WALKS, ids=["from a draft to its refund", "what is cancelled", "what is beside money"])
def test_sequences_that_follow_on_one_another(service: Service, walk: list[str], effort: Effort, tmp_path: Path) -> None:
    flags = [
        "--phases",
        "stateful",
        "--max-examples",
        "40" if effort.deep else "20",
        *(f"--include-operation-id={one}" for one in walk),
    ]
    flags += ["--exclude-checks", "positive_data_acceptance,use_after_free"]
    wanted = {link for link in (*pairwise(CHAIN), *LINKS) if {*link} <= {*walk}}
    found: set[tuple[str, str]] = set()
    for seed in effort.rounds(MOST_SEEDS):
        report = tmp_path / f"{seed}.ndjson"
        run(service, tmp_path, *flags, "--seed", str(seed + FIRST_SEED), "--report-ndjson-path", str(report), hooks=True)
        found |= followed(report)
        if wanted <= found and not effort.deep:
            break
    assert effort.deep or wanted <= found, wanted - found

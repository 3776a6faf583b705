"""Schemathesis, which we did not write, reads the OpenAPI document and tries everything against the running server.

All its checks are on but one: `positive_data_acceptance` says that whatever the schema allows is accepted, and the rules of
money refuse much that no schema can (an amount above what remains, a line id twice). It calls every operation; the token
endpoint it calls with a bearer token, which that does not read. If-Match is `*` throughout: with versions drawn by chance
nearly every write would end there. Sequences of writes are drawn by our own state machine, not here.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from service import Service

ST = str(Path(sys.executable).parent / "schemathesis")
MOST_SECONDS = 600


def test_no_failure_no_undocumented_status_no_answer_off_schema(service: Service, tmp_path: Path) -> None:
    with service.shop() as shop:
        config = tmp_path / "schemathesis.toml"
        config.write_text(f'[parameters]\n"path.aid" = "{shop.account_id}"\n"header.If-Match" = "*"\n', encoding="utf-8")
        command = [
            ST,
            "--config-file",
            str(config),
            "run",
            f"{service.url}/openapi.json",
            "--workers",
            "2",
            "--max-examples",
            "25",
        ]
        command += ["--header", f"Authorization: Bearer {shop.token}", "--exclude-checks", "positive_data_acceptance"]
        command += ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--seed", "20261123"]
        environment = {**os.environ, "NO_COLOR": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=MOST_SECONDS, cwd=tmp_path, env=environment
        )
    assert done.returncode == 0, done.stdout[-6000:]
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated is not None
    assert int(generated[1]) > 2000

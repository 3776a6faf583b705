"""The commands of a page, as the page prints them."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from service import ORDRE

DOCS = Path(__file__).parents[1] / "docs"


def run_block(page: str, test: str, folder: Path, names: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Run the block of a page that names this test, in a folder, with names of this machine for the page's; return its output."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- executed by {re.escape(test)} -->\n```sh\n(.*?)```", text, flags=re.DOTALL)
    assert found is not None
    script = found[1]
    for name, here in names.items():
        assert name in script, name
        script = script.replace(name, here)
    bash = shutil.which("bash")
    assert bash is not None
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")}
    path = os.pathsep.join([str(Path(ORDRE).parent), (environment or {}).get("PATH", ""), os.environ["PATH"]])
    done = subprocess.run(
        [bash, "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**inherited, **(environment or {}), "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

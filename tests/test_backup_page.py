"""The commands on backups of docs/operate.md, as the page prints them: from SQLite to PostgreSQL, and back."""

from pathlib import Path

import pytest

from backups import contents
from commands import run, run_json
from page import run_block
from throwaway import OWNER, Cluster

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROLE = "ordre_server"


def test_from_one_engine_to_the_other_and_back(cluster: Cluster, tmp_path: Path) -> None:
    here, there, back = f"sqlite:///{tmp_path}/data/ordre.sqlite", cluster.database(), f"sqlite:///{tmp_path}/back/ordre.sqlite"
    account = run_json("demo", database=here)["account_id"]
    run("key", "rotate", database=here)
    cluster.role(ROLE)
    names = {"--grant ordre": f"--grant {ROLE}", "postgresql://ordre_owner@db.internal/ordre": there}
    said = run_block("operate.md", "tests/test_backup_page.py", tmp_path, names, cluster.environment())
    assert said.count(run("verify", database=here)) == 2
    assert contents(here) == contents(there) == contents(back)
    roots = []
    for number, database in enumerate((here, there, there.replace(f"//{OWNER}@", f"//{ROLE}@"), back)):
        kept = tmp_path / f"root{number}"
        run("verify", "--account", account, "--root", str(kept), database=database)
        roots.append(kept.read_text(encoding="utf-8").split('"at"')[0])
    assert roots == [roots[0]] * 4
    assert run_json("restore", str(tmp_path / "back.backup"), "--check", "--passphrase-file", str(tmp_path / "passphrase"))[
        "restored"
    ]

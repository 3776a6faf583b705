"""What the pages tell an operator to run does what they say."""

import json
from pathlib import Path

import httpx
import pytest

from commands import run, run_json
from database import sql
from ordre.pytest import RunningOrdre
from page import block_of, run_block, run_shell, serving_block
from service import Service, operation
from throwaway import OWNER, Cluster, free_port

pytestmark = pytest.mark.slow
TIMED_OUT = 28
"""As curl ends where its time is over."""
ROOT = Path(__file__).parents[1]
ALL = "0.0.0.0"  # noqa: S104 - it is taken out of what is run here


def test_production(cluster: Cluster, tmp_path: Path) -> None:
    port = free_port()
    names = {"postgresql://ordre@db.internal/ordre": cluster.database(), "8080": str(port), ALL: "127.0.0.1"}
    with serving_block("../README.md", "tests/test_pages.py: production", tmp_path, names, {}, f"http://127.0.0.1:{port}"):
        accounts = run_json("account", "list", database=names["postgresql://ordre@db.internal/ordre"])
    assert [one["account_id"] for one in accounts] == ["P12345678"]


def test_first(tmp_path: Path) -> None:
    port = free_port()
    names = {"/var/lib/ordre": str(tmp_path)}
    own = {"ORDRE_PORT": str(port)}
    with serving_block("start.md", "tests/test_pages.py: first", tmp_path, names, own, f"http://127.0.0.1:{port}"):
        accounts = run_json("account", "list", database=f"sqlite:///{tmp_path}/ordre.sqlite")
    assert [one["account_id"] for one in accounts] == ["T12345678"]


@pytest.mark.long
def test_roles(own_cluster: Cluster, tmp_path: Path) -> None:
    port = free_port()
    names = {"@db.internal": f"@127.0.0.1:{own_cluster.port}"}
    own = {**own_cluster.environment(), "ORDRE_PORT": str(port)}
    with serving_block("operate.md", "tests/test_pages.py: roles", tmp_path, names, own, f"http://127.0.0.1:{port}"):
        database = f"postgresql://ordre_owner@127.0.0.1:{own_cluster.port}/ordre"
        assert run_json("account", "list", database=database) == []


def test_secret(tmp_path: Path) -> None:
    port, database = free_port(), f"sqlite:///{tmp_path}/ordre.sqlite"
    own = {"ORDRE_PORT": str(port), "ORDRE_DATABASE": database}
    names = {"/etc/ordre/secret": str(tmp_path / "secret")}
    url = f"http://127.0.0.1:{port}"
    with serving_block("operate.md", "tests/test_pages.py: secret", tmp_path, names, own, url):
        run("account", "create", "T00000001", "--name", "Shop", database=database)
        made = run_json("client", "create", "T00000001", "--name", "Till", "--scope", "admin:shopping", database=database)
        asked = {"grant_type": "client_credentials"}
        answer = httpx.post(
            f"{url}/v1/accounts/T00000001/auth/token", data=asked, auth=(made["client_id"], made["client_secret"])
        )
        assert answer.status_code == 200
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    (key,) = sql(database, "select * from signing_keys")
    assert '"d":' not in str(key)


@pytest.mark.long
def test_verify_and_proof(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/ordre.sqlite")
    service.start()
    try:
        with service.shop(account_id="T00000001") as shop:
            order = shop.order(100, order_id="1001")
            shop.post(f"/orders/{order['id']}/authorizations", operation((1, 100)))
        own = {"ORDRE_DATABASE": service.database}
        said = run_block("proofs.md", "tests/test_pages.py: verify", tmp_path, {}, own)
        assert said.count("0 differences") == 3
        assert "account created" in run_block("proofs.md", "tests/test_pages.py: log", tmp_path, {}, own)
        names = {"http://127.0.0.1:8080": service.url, "examples/verify_order.py": str(ROOT / "examples" / "verify_order.py")}
        assert "proven" in run_block("proofs.md", "tests/test_pages.py: proof", tmp_path, names, own)
        assert json.loads((tmp_path / "root.json").read_text(encoding="utf-8"))
        (tmp_path / "root.json").unlink()
        key = {"/etc/ordre/root.key": str(tmp_path / "root.key")}
        assert "wrote root.json" in run_block("proofs.md", "tests/test_pages.py: root key", tmp_path, key, own)
        assert 'kid": "root-' in (tmp_path / "keys.json").read_text(encoding="utf-8")
        assert "compared with 1 kept root" in run_block("proofs.md", "tests/test_pages.py: since", tmp_path, {}, own)
    finally:
        service.stop()


@pytest.mark.long
def test_witness(cluster: Cluster, tmp_path: Path) -> None:
    database, file = cluster.database(), tmp_path / "orders.roots"
    run("migrate", database=database)
    run("demo", database=database)
    sql(database, "create role witness login")
    run("migrate", "--backup-role", "witness", database=database)
    here = {
        "postgresql://ordre_backup@db.internal/ordre": database.replace(f"//{OWNER}@", "//witness@"),
        "/var/lib/witness": str(tmp_path),
    }
    block = block_of("operate.md", "tests/test_pages.py: witness", here | {"/etc/witness": str(tmp_path)})
    run_shell(block.replace("--every 1h", "--once"), tmp_path)
    key = {"ORDRE_ROOT_KEY_FILE": str(tmp_path / "root.key")}
    run_shell("ordre key root --public > keys.json", tmp_path, key)
    assert file.read_bytes().count(b"\n") == 1
    assert "compared with 1 kept root" in run_block("operate.md", "tests/test_pages.py: checked", tmp_path, here)


@pytest.mark.long
def test_conformance(ordre: RunningOrdre, tmp_path: Path) -> None:
    names = {
        "http://127.0.0.1:8080": ordre.url,
        "T00000001": ordre.account_id,
        "--client-id ...": f"--client-id {ordre.client_id}",
        "--client-secret ...": f"--client-secret {ordre.client_secret}",
    }
    run_block("compatibility.md", "tests/test_pages.py: conformance", tmp_path, names)
    assert "<testsuite" in (tmp_path / "conformance.xml").read_text(encoding="utf-8")


def test_client(ordre: RunningOrdre, tmp_path: Path) -> None:
    names = {"http://127.0.0.1:8080": ordre.url, "T00000001": ordre.account_id}
    given = f"client_id, client_secret = {ordre.client_id!r}, {ordre.client_secret!r}\n"
    program = tmp_path / "shop.py"
    program.write_text(given + block_of("client.md", "tests/test_pages.py: client", names), encoding="utf-8")
    printed = run_shell(f"python {program}", tmp_path)
    assert printed.startswith("pos\n")
    assert "exceeds_remaining" in printed


def test_feed(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/ordre.sqlite")
    service.start()
    try:
        with service.shop() as shop:
            order = shop.paid(100)["id"]
            own = {"URL": service.url, "ACCOUNT": shop.account_id, "TOKEN": shop.token}
            first, second = map(json.loads, run_block("feed.md", "tests/test_pages.py: feed", tmp_path, {}, own).splitlines())
            assert [entry["kind"] for entry in first["entries"]] == ["placed", "authorization"]
            assert (second["entries"][0]["document"]["amount"], second["position"], second["end"]) == (100, 3, 3)
            stream = block_of("feed.md", "tests/test_pages.py: stream")
            events = run_shell(stream, tmp_path, own, status=TIMED_OUT).splitlines()
            assert [line for line in events if line.startswith("event: ")] == ["event: authorization", "event: capture"]
            given = {"url": service.url, "account": shop.account_id, "client_id": shop.client_id, "client_secret": shop.secret}
            begun = "\n".join(f"{name} = {value!r}" for name, value in given.items())
            block = block_of("feed.md", "tests/test_pages.py: feed client", {"after=position": "after=position, wait=0"})
            told = "position, book = 0, lambda document: print(document['amount'])"
            (tmp_path / "books.py").write_text(f"{begun}\n{told}\n{block}\nprint(position)\n", encoding="utf-8")
            shop.post(f"/orders/{order}/refunds", operation((1, 40)))
            assert run_shell(f"python {tmp_path / 'books.py'}", tmp_path).split() == ["100", "40", "4"]
    finally:
        service.stop()


def test_running(tmp_path: Path) -> None:
    program = tmp_path / "local.py"
    program.write_text(block_of("start.md", "tests/test_pages.py: running"), encoding="utf-8")
    assert "/v1/accounts/T00000001" in run_shell(f"python {program}", tmp_path)


def test_terminal(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/ordre.sqlite")
    service.start()
    try:
        with service.shop(account_id="T12345678") as shop:
            shop.order(39800, order_id="1001", customer={"first_name": "Kari"})
        said = run_block("operate.md", "tests/test_pages.py: terminal", tmp_path, {}, {"ORDRE_DATABASE": service.database})
    finally:
        service.stop()
    assert "1001" in said
    assert "Kari" in said


def test_export(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/ordre.sqlite")
    service.start()
    try:
        with service.shop(account_id="T12345678") as shop:
            ids = [shop.order(100, 200)["id"] for _ in range(3)]
        said = run_block("operate.md", "tests/test_pages.py: export", tmp_path, {}, {"ORDRE_DATABASE": service.database})
    finally:
        service.stop()
    assert said.splitlines()[-1].strip() == "3"
    assert [json.loads(line)["id"] for line in (tmp_path / "orders.ndjson").read_text(encoding="utf-8").splitlines()] == ids
    assert len((tmp_path / "lines.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_rotate(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/ordre.sqlite"
    run("migrate", database=database)
    run("account", "create", "T12345678", "--name", "Shop", database=database)
    made = run_json("client", "create", "T12345678", "--name", "Till", "--scope", "admin:shopping", database=database)
    names = {"0f3d...": made["client_id"]}
    said = run_block("operate.md", "tests/test_pages.py: rotate", tmp_path, names, {"ORDRE_DATABASE": database})
    assert made["client_id"] in said
    assert made["client_secret"] not in said


@pytest.mark.long
def test_drill(tmp_path: Path) -> None:
    database, own = f"sqlite:///{tmp_path}/ordre.sqlite", {"TMPDIR": str(tmp_path)}
    run("demo", database=database)
    (tmp_path / "passphrase").write_text("long enough for a passphrase", encoding="utf-8")
    run("backup", str(tmp_path / "orders.backup"), "--passphrase-file", str(tmp_path / "passphrase"), database=database)
    assert "the backup is good" in run_block("operate.md", "tests/test_pages.py: drill", tmp_path, {}, own)

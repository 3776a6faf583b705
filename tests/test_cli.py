"""The command, as an operator runs it, on both engines."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands import run, run_json
from ordre.settings import Settings
from service import Service, operation
from throwaway import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.once]

MIGRATIONS = Path(__file__).parents[1] / "src" / "ordre" / "db" / "migrations"


@pytest.fixture
def prepared(own_database: str) -> str:
    run("migrate", database=own_database)
    return own_database


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "migrate",
        "account",
        "account create",
        "client",
        "client create",
        "client rotate",
        "client update",
        "key",
        "order",
        "order list",
        "order show",
        "order history",
        "verify",
        "worker",
        "backup",
        "restore",
        "erase",
        "demo",
        "openapi",
        "settings",
        "completion",
    ],
)
def test_every_command_has_help(command: str) -> None:
    assert "Usage" in run(*command.split(), "--help")


def test_migrate_says_what_it_did(own_database: str) -> None:
    names = [path.stem for path in sorted(MIGRATIONS.glob("*.sql"))]
    assert run("migrate", database=own_database) == "".join(f"applied {name}\n" for name in names)
    assert run("migrate", "--database", own_database) == "the schema is up to date\n"


def test_a_postgres_database_that_is_not_prepared_is_said_so(own_database: str) -> None:
    if own_database.startswith("postgres"):
        assert "run `ordre migrate`" in run("account", "list", database=own_database, status=1)
        assert "run `ordre migrate`" in run("serve", database=own_database, status=1)


def test_accounts(prepared: str) -> None:
    made = run_json("account", "create", "T12345678", "--name", "Shop", database=prepared)
    assert {**made, "created_at": ""} == {"account_id": "T12345678", "name": "Shop", "created_at": "", "disabled_at": None}
    assert "exists already" in run("account", "create", "T12345678", "--name", "Shop", database=prepared, status=1)
    assert "eight digits" in run("account", "create", "X1", "--name", "Shop", database=prepared, status=1)
    run("account", "disable", "T12345678", database=prepared)
    assert run_json("account", "list", database=prepared)[0]["disabled_at"] is not None
    run("account", "enable", "T12345678", database=prepared)
    assert run_json("account", "list", database=prepared) == [made]
    assert "must not be empty" in run("account", "create", "T00000002", "--name", "", database=prepared, status=1)
    assert "There is no account T87654321" in run("account", "disable", "T87654321", database=prepared, status=1)
    assert "T12345678" in run("account", "list", database=prepared)


def test_clients(prepared: str) -> None:
    run("account", "create", "T12345678", "--name", "Shop", database=prepared)
    create = ("client", "create", "T12345678", "--name", "Till", "--scope", "admin:shopping")
    made = run_json(*create, database=prepared)
    assert re.fullmatch(r"[\w-]{43}", made["client_secret"])
    listed = run_json("client", "list", "T12345678", database=prepared)
    assert listed == [{name: value for name, value in made.items() if name != "client_secret"}]
    rotated = run_json("client", "rotate", "T12345678", made["client_id"], database=prepared)
    assert rotated["client_secret"] != made["client_secret"]
    other = run_json(*create, database=prepared)
    all_new = run_json("account", "rotate", "T12345678", database=prepared)
    assert {one["client_id"] for one in all_new} == {made["client_id"], other["client_id"]}
    assert len({one["client_secret"] for one in [made, rotated, other, *all_new]}) == 5
    assert "There is no account" in run("account", "rotate", "T00000009", database=prepared, status=1)
    run("client", "disable", "T12345678", made["client_id"], database=prepared)
    disabled = {one["client_id"]: one["disabled_at"] for one in run_json("client", "list", "T12345678", database=prepared)}
    assert disabled[made["client_id"]] is not None
    assert disabled[other["client_id"]] is None
    run("client", "enable", "T12345678", made["client_id"], database=prepared)
    plain = run(*create, database=prepared)
    assert "client_secret:" in plain
    assert made["client_id"] in run("client", "list", "T12345678", database=prepared)
    secrets = re.findall(r"[\w-]{43}", run("account", "rotate", "T12345678", database=prepared))
    assert len(secrets) == 3, "secrets are shown whole"
    unnamed = ("client", "create", "T12345678", "--name", "", "--scope", "admin:shopping")
    assert "must not be empty" in run(*unnamed, database=prepared, status=1)
    assert "Unknown scope" in run(*create[:-1], "admin:everything", database=prepared, status=1)
    assert "There is no account" in run(
        "client", "create", "T00000009", "--name", "x", "--scope", "admin:shopping", database=prepared, status=1
    )
    assert "no client" in run("client", "rotate", "T12345678", "nobody", database=prepared, status=1)


def test_keys(prepared: str) -> None:
    first = run_json("key", "rotate", database=prepared)
    second = run_json("key", "rotate", database=prepared)
    listed = {key["kid"]: key["retired_at"] for key in run_json("key", "list", database=prepared)}
    assert listed[second["kid"]] is None
    assert listed[first["kid"]] is not None


def test_demo_and_verify(prepared: str) -> None:
    made = run_json("demo", database=prepared)
    again = run_json("demo", database=prepared)
    assert (made["account_id"], again["account_id"]) == ("T00000001", "T00000002")
    assert made["orders"] >= 36
    whole = run_json("verify", database=prepared)
    assert whole["differences"] == []
    assert whole["orders"] == made["orders"] + again["orders"]
    assert run_json("verify", "--account", "T00000001", database=prepared)["orders"] == made["orders"]
    assert re.fullmatch(r"\d+ orders, \d+ facts, 0 differences\n", run("verify", database=prepared))


def test_the_demo_has_orders_in_every_state(prepared: str) -> None:
    made = run_json("demo", database=prepared)
    service = Service(prepared)
    service.start()
    try:
        with service.shop(account_id=made["account_id"]) as shop:
            orders: list[Any] = []
            after: dict[str, str] = {}
            while page := shop.get("/orders", params={"limit": 100, **after})["orders"]:
                orders += page
                after = {"starting_after": page[-1]["id"]}
            assert {order["status"] for order in orders} == {"open", "closed", "cancelled"}
            assert {order["payment_status"] for order in orders} == {
                "pending",
                "partially_paid",
                "paid",
                "partially_refunded",
                "refunded",
            }
            assert {order["currency"] for order in orders} == {"NOK", "SEK", "EUR", "JPY", "KWD"}
            assert {order["cancelled_reason"] for order in orders if "cancelled_reason" in order} == {"customer", "declined"}
            assert len({order["store"]["id"] for order in orders if "store" in order}) == 3
            assert any(line["gross_amount"] < 0 for order in orders for line in order["items"])
            assert sum("attachments" in order for order in orders) == 3
            assert {draft["status"] for draft in shop.get("/draft_orders", params={"limit": 100})["draft_orders"]} == {
                "open",
                "completed",
            }
    finally:
        service.stop()


def test_openapi(tmp_path: Path) -> None:
    text = run("openapi")
    assert json.loads(text)["openapi"].startswith("3.1")
    run("openapi", "--output", str(tmp_path / "document.json"))
    assert (tmp_path / "document.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "--database", "mysql://x"), "sqlite:///path or postgresql://"),
        (("verify", "--database", "sqlite:////proc/nowhere/x.sqlite"), "there is no database at"),
        (("migrate", "--database", "sqlite:////proc/nowhere/x.sqlite"), "cannot open"),
        (("verify", "--database", "postgresql://x@127.0.0.1:1/none"), "cannot reach the database"),
        (("serve", "--workers", "0"), "--workers is 0"),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    text = run(*arguments, status=1)
    assert said in text
    assert "Traceback" not in text


def test_ctrl_c_lets_requests_in_flight_finish(own_database: str) -> None:
    service = Service(own_database)
    service.start()
    answers: list[int] = []
    with service.shop() as shop:
        order = shop.order(*[1] * 500)
        path = f"/orders/{order['id']}/authorizations"

        def write() -> None:
            for line_id in range(1, 400):
                try:
                    answers.append(shop.send("POST", path, operation((line_id, 1))).status_code)
                except httpx.TransportError:
                    return

        writer = threading.Thread(target=write)
        shop.sign_in()
        writer.start()
        while len(answers) < 20:
            time.sleep(0.01)
        assert service.stop(signal.SIGINT) == 0
        writer.join()
    assert set(answers) == {200}
    assert run_json("verify", database=own_database)["facts"] == 1 + len(answers)


def test_several_workers_serve_one_database(own_database: str) -> None:
    service = Service(own_database, "--workers", "2")
    service.start()
    try:
        with service.shop() as shop:
            path = f"/orders/{shop.order(100)['id']}"
            for amount in range(10):
                shop.post(f"{path}/comments", {"body": str(amount)})
                assert len(shop.get(path)["comments"]) == amount + 1
    finally:
        service.stop()


def test_a_setting_of_the_environment_is_read(tmp_path: Path) -> None:
    environment = {**os.environ, "ORDRE_BODY_BYTES": "200", "ORDRE_MAX_LINES": "2"}
    service = Service(f"sqlite:///{tmp_path / 'o.sqlite'}", environment=environment)
    service.start()
    try:
        with service.shop() as shop:
            assert shop.refused("POST", "/orders", {"currency": "NOK", "comment": "x" * 200, "items": []}, status=413)
            short = {
                "currency": "NOK",
                "items": [{"id": "a", "line_id": n, "gross_amount": 1, "tax_lines": []} for n in range(3)],
            }
            assert shop.refused("POST", "/orders", short)[0]["code"] == "too_many"
    finally:
        service.stop()
    assert Settings().body_bytes == 1024 * 1024


def test_the_log_holds_no_secrets_and_no_personal_data(own_database: str) -> None:
    service = Service(own_database)
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    with service.shop() as shop:
        order = shop.order(100, customer={"id": "C-SECRET", "email": "ada.secret@example.com"}, comment="SECRET comment")
        shop.get("/customers/C-SECRET/orders")
        shop.refused("POST", "/orders", {"currency": "SECRET"})
        shop.refused("GET", "/orders/SECRET", status=404)
        secrets = [shop.token, shop.secret, order["id"], "SECRET", "ada.secret"]
    service.process.send_signal(signal.SIGINT)
    _, log = service.process.communicate(timeout=30)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"aid_orders_post", "aid_customers_id_orders_get"} <= {line.get("operation") for line in lines}
    assert {line["status"] for line in lines if line["event"] == "request"} >= {200, 400, 404}
    assert [secret for secret in secrets if secret in log] == []


def test_a_database_that_goes_away_is_said_and_found_again(own_cluster: Cluster) -> None:
    service = Service(own_cluster.database())
    service.start()
    try:
        with service.shop() as shop:
            order = shop.order(100)
            own_cluster.kill()
            answer = shop.send("GET", f"/orders/{order['id']}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["error"]["errors"][0]["code"] == "store_unavailable"
            assert shop.send("POST", f"/orders/{order['id']}/close").status_code == 503
            for path, status in (("", 503), ("/ready", 503), ("/live", 200)):
                assert shop.http.get(f"/health{path}").status_code == status
            own_cluster.start()
            assert shop.get(f"/orders/{order['id']}") == order
            assert shop.post(f"/orders/{order['id']}/close")["status"] == "closed"
    finally:
        if own_cluster.stopped():
            own_cluster.start()
        service.stop()

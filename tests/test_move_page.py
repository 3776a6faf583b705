"""docs/move.md, run as it is printed."""

from pathlib import Path

import pytest

from commands import run, run_json
from page import block_of, run_block
from service import Service, operation

pytestmark = [pytest.mark.slow, pytest.mark.once]
PAGE, MARK = "move.md", "tests/test_move_page.py"


def test_from_an_api(service: Service, tmp_path: Path) -> None:
    with service.shop() as shop:
        for number in range(120):
            made = shop.order(100 + number, 50, order_id=f"order-{number}")
            if number % 10 == 0:
                shop.post(f"/orders/{made['id']}/authorizations", operation((1, 100)))
        names = {"$API": f"{service.url}/v1/accounts/{shop.account_id}", "$TOKEN": shop.token}
        said = run_block(PAGE, f"{MARK}: fetch", tmp_path, names)
        assert said.strip() == "120"
    own = {"ORDRE_DATABASE": f"sqlite:///{tmp_path}/new.sqlite"}
    run("migrate", database=own["ORDRE_DATABASE"])
    assert "120 orders would be imported, 0 were there already, 0 refused" in run_block(PAGE, f"{MARK}: try", tmp_path, {}, own)
    with (tmp_path / "orders.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"order_id": "broken"}\n')
    said = run_block(PAGE, f"{MARK}: import", tmp_path, {"refused.ndjson": "refused.ndjson || true"}, own)
    assert "120 orders imported, 0 were there already, 1 refused" in said
    assert "120 orders, 132 facts, 0 differences" in said
    names = {"# edit corrected.ndjson": "sed -i '1d' corrected.ndjson; head -1 orders.ndjson > corrected.ndjson"}
    assert "0 orders imported, 1 were there already, 0 refused" in run_block(PAGE, f"{MARK}: again", tmp_path, names, own)
    found = run_json("order", "list", "T12345678", "--limit", "100", database=own["ORDRE_DATABASE"])["orders"]
    assert [one["order_id"] for one in found] == [f"order-{number}" for number in range(119, 19, -1)]


def test_from_ordre_to_ordre(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/old.sqlite")
    service.start()
    with service.shop(account_id="T12345678") as shop:
        for _ in range(5):
            shop.paid(100, 200)
    service.stop()
    run("migrate", database=f"sqlite:///{tmp_path}/new.sqlite")
    said = run_block(PAGE, f"{MARK}: ordre", tmp_path, {})
    assert "5 orders imported, 0 were there already, 0 refused" in said
    assert "5 orders, 15 facts, 0 differences" in said
    flags = ("export", "--account", "T12345678", "--include-events", "--output", "-")
    before, after = (run(*flags, database=f"sqlite:///{tmp_path}/{name}.sqlite") for name in ("old", "new"))
    assert after == before.replace(',"created_by_name":"Client"', "")


def test_from_a_table(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/ordre.sqlite"
    run("migrate", database=database)
    run("account", "create", "T12345678", "--name", "Shop", database=database)
    (tmp_path / "orders.csv").write_text(block_of(PAGE, f"{MARK}: csv"), encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(block_of(PAGE, f"{MARK}: mapping"), encoding="utf-8")
    said = run_block(PAGE, f"{MARK}: table", tmp_path, {}, {"ORDRE_DATABASE": database})
    assert "2 orders would be imported" in said
    assert "2 orders imported, 0 were there already, 0 refused" in said
    newest, oldest = run_json("order", "list", "T12345678", database=database)["orders"]
    assert (newest["order_id"], newest["net_amount"], newest["payment_status"]) == ("1002", 45000, "pending")
    assert (oldest["order_id"], oldest["net_amount"], oldest["payment_status"]) == ("1001", 149750, "partially_paid")

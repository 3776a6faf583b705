"""`ordre order`: what people read of orders at a terminal, on both engines."""

import re
from pathlib import Path
from typing import Any

import pytest

from commands import run, run_json
from ordre.domain.money import amount_text
from service import Service, Shop, item, operation

pytestmark = pytest.mark.once


def order(service: Service, shop: Shop, verb: str, *arguments: str, status: int = 0) -> str:
    return run("order", verb, shop.account_id, *arguments, database=service.database, status=status)


def as_json(service: Service, shop: Shop, verb: str, *arguments: str) -> Any:
    return run_json("order", verb, shop.account_id, *arguments, database=service.database)


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def exchanged(shop: Shop) -> Any:
    """An order of two lines and a reversal, some of it paid, all of it told in its history."""
    lines = [item(1, 39800, description="Rug [red]\x1b[31m"), item(2, 10000), item(3, -10000)]
    made = shop.post(
        "/orders",
        {
            "currency": "NOK",
            "order_number": "1001",
            "order_id": "web/1",
            "customer": {"id": "C-1", "first_name": "Kari", "last_name": "Nordmann", "email": "kari@example.com"},
            "items": lines,
        },
    )
    path = f"/orders/{made['id']}"
    shop.post(f"{path}/authorizations", operation((1, 39800), (2, 10000), (3, -10000)))
    shop.post(f"{path}/captures", operation((1, 39800)))
    shop.post(f"{path}/refunds", operation((1, 9800)))
    shop.post(f"{path}/captures", operation((2, 500), success=False))
    shop.post(f"{path}/events", {"service": "kitchen", "service_status": "ready", "description": "at the door"})
    shop.post(f"{path}/comments", {"body": "Call [first]\nplease"})
    gone = shop.post(f"{path}/comments", {"body": "SECRET"})["id"]
    shop.delete(f"{path}/comments/{gone}")
    shop.put(path, {"metadata": {"a": 1}, "customer": None})
    shop.post(f"{path}/close")
    shop.post(f"{path}/open")
    return made


def test_a_list_is_newest_first_and_says_how_to_go_on(shop: Shop, service: Service) -> None:
    assert order(service, shop, "list") == "none\n"
    made = [shop.order(100 * number, order_id=f"o{number}", order_number=str(number)) for number in range(1, 4)]
    shop.post(f"/orders/{made[0]['id']}/close")
    text = order(service, shop, "list", "--limit", "2")
    assert [row[0] for row in cells(text)[:3]] == ["number", "3", "2"]
    assert f"add --starting-after {made[1]['id']}" in text
    assert [row[0] for row in cells(order(service, shop, "list", "--starting-after", "2"))] == ["number", "1"]
    assert cells(order(service, shop, "list", "--status", "closed"))[1][2:] == ["-", "closed", "pending", "NOK 1.00", "NOK 1.00"]
    assert order(service, shop, "list", "--payment-status", "paid", "--payment-status", "refunded") == "none\n"
    assert order(service, shop, "list", "--status", "open,closed") == order(
        service, shop, "list", "--status", "open", "--status", "closed"
    )
    assert len(cells(order(service, shop, "list", "--status", "open,closed"))) == 4
    assert [row[0] for row in cells(order(service, shop, "list", "--q", "o2"))] == ["number", "2"]
    day = made[0]["created_at"][:10]
    assert len(cells(order(service, shop, "list", "--created-from", day, "--created-to", made[-1]["created_at"]))) == 4
    assert order(service, shop, "list", "--created-to", "2020-01-01") == "none\n"
    page = as_json(service, shop, "list", "--limit", "1")
    assert page == {"orders": [shop.get(f"/orders/{made[2]['id']}")], "next_starting_after": made[2]["id"]}
    assert as_json(service, shop, "list", "--limit", "3")["next_starting_after"] is None


def test_an_order_is_shown_with_what_was_paid_of_each_line(shop: Shop, service: Service) -> None:
    made = exchanged(shop)
    by_number = order(service, shop, "show", "1001")
    assert by_number == order(service, shop, "show", "web/1") == order(service, shop, "show", made["id"])
    rows = cells(by_number)
    assert ["number:", "1001"] in rows
    assert ["status:", "open, partially_refunded"] in rows
    payments = rows[rows.index(["payments"]) + 1 : rows.index(["comments"]) - 1]
    assert payments == [
        ["line", "authorized", "captured", "refunded", "cancelled", "to authorize", "to capture", "to refund"],
        ["1", "NOK 398.00", "NOK 398.00", "NOK 98.00", *["NOK 0.00"] * 3, "NOK 300.00"],
        ["2", "NOK 100.00", *["NOK 0.00"] * 4, "NOK 100.00", "NOK 0.00"],
        ["3", "NOK -100.00", *["NOK 0.00"] * 4, "NOK -100.00", "NOK 0.00"],
        ["total", "NOK 398.00", "NOK 398.00", "NOK 98.00", "NOK 0.00", "NOK 0.00", "NOK 0.00", "NOK 300.00"],
    ]
    assert "Rug [red] [31m" in by_number, "printed as it was named, but for what moves the cursor"
    assert f"by Client ({shop.client_id})" in by_number
    assert f"Client ({shop.client_id}), private: Call [first] please" in by_number
    assert "SECRET" not in by_number
    assert as_json(service, shop, "show", "1001") == shop.get(f"/orders/{made['id']}")


def test_a_history_tells_every_version_in_a_sentence(shop: Shop, service: Service) -> None:
    exchanged(shop)
    told = order(service, shop, "history", "1001")
    by = f"by Client ({shop.client_id})"
    lines = [re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d  version (\d+) +(.*) {re.escape(by)}", one) for one in told.splitlines()]
    sentences = [(int(one[1]), one[2]) for one in lines if one is not None]
    assert len(sentences) == len(lines), told
    assert sentences == list(
        enumerate(
            [
                "placed with 3 lines, net NOK 398.00",
                "authorized NOK 398.00 (line 1: NOK 398.00, line 2: NOK 100.00, line 3: NOK -100.00)",
                "captured NOK 398.00 (line 1)",
                "refunded NOK 98.00 (line 1)",
                "recorded a failed capture of NOK 5.00 (line 2)",
                'recorded the report of kitchen: success, "ready" ("at the door")',
                sentences[6][1],
                "wrote a comment that was deleted later",
                "deleted the comment of version 8",
                sentences[9][1],
                "closed",
                "opened again",
            ],
            1,
        )
    )
    assert '"Call [first] please"' in sentences[6][1]
    assert set(sentences[9][1].removeprefix("changed ").split(", ")) == {"metadata", "customer (removed)"}
    assert "SECRET" not in told
    first = as_json(service, shop, "history", "1001")[0]
    assert first["by"] == shop.client_id
    assert first["by_name"] == "Client"
    assert (first["version"], first["type"], first["text"]) == (1, "placed", sentences[0][1])


def test_an_erased_order_says_what_is_kept(shop: Shop, service: Service) -> None:
    made = shop.paid(100, order_id="gone", customer={"first_name": "Kari"})
    run("erase", shop.account_id, "--order", "gone", "--yes", database=service.database)
    shown = order(service, shop, "show", "gone")
    assert made["id"] in shown
    assert re.search(r"erased: +20\S+ \S+ by operator; only what stands here", shown)
    assert "Kari" not in shown
    told = order(service, shop, "history", "gone").splitlines()
    assert [line.split("  ", 2)[2].split(" by ")[0] for line in told[:3]] == [
        "placed (what was said is erased)",
        "authorized (what was said is erased)",
        "captured (what was said is erased)",
    ]
    assert told[-1].endswith("of each version, when and by whom it was made) by operator")
    assert order(service, shop, "list") == "none\n"


@pytest.mark.parametrize("verb", ["show", "history"])
def test_what_is_not_there_is_said_in_a_sentence(shop: Shop, service: Service, verb: str) -> None:
    assert order(service, shop, verb, "nothing", status=1) == "ordre: There is no order nothing\n"
    assert run("order", verb, "T00000009", "x", database=service.database, status=1) == "ordre: There is no account T00000009\n"


def test_a_wrong_filter_is_said_in_a_sentence(shop: Shop, service: Service) -> None:
    assert "--created-from is soon: must be a date" in order(service, shop, "list", "--created-from", "soon", status=1)
    no_day = order(service, shop, "list", "--created-from", "2026-02-30T10:00:00Z", status=1)
    assert no_day == "ordre: --created-from is 2026-02-30T10:00:00Z: there is no day 2026-02-30\n"
    assert order(service, shop, "list", "--starting-after", "x", status=1) == "ordre: There is no order x\n"
    assert "at most 8 words" in order(service, shop, "list", "--q", "a b c d e f g h i", status=1)
    assert "--limit" in order(service, shop, "list", "--limit", "101", status=2)
    assert "--status" in order(service, shop, "list", "--status", "gone", status=2)
    assert "There is no account" in run("order", "list", "T00000009", database=service.database, status=1)


def test_no_database_is_made(tmp_path: Path) -> None:
    nowhere = tmp_path / "none.sqlite"
    assert "there is no database at" in run("order", "list", "T12345678", "--database", f"sqlite:///{nowhere}", status=1)
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (39800, "NOK", "NOK 398.00"),
        (-5, "NOK", "NOK -0.05"),
        (-139800, "NOK", "NOK -1,398.00"),
        (49335, "JPY", "JPY 49,335"),
        (-1, "JPY", "JPY -1"),
        (719100, "KWD", "KWD 719.100"),
        (-1, "KWD", "KWD -0.001"),
        (0, "KWD", "KWD 0.000"),
        (12345, "CLF", "CLF 1.2345"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(amount: int, currency: str, text: str) -> None:
    assert amount_text(amount, currency) == text

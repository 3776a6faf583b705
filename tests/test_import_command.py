"""`ordre import`: what was exported comes back as it was; what the rules refuse is refused with its reasons."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from commands import ending, run, run_json
from database import ENGINES, new_database, sql
from drawn import EVERY_FIELD, FIELDS
from forked import run_forked
from lanes import Effort
from lives import Life
from service import ORDRE, Service, Shop, operation

_numbers = count(1)


def exported(database: str, account: str, *flags: str) -> list[str]:
    return run("export", "--account", account, "--output", "-", *flags, database=database).split("\n")[:-1]


def without(line: str) -> str:
    """A line without what is not brought along: the version of an order without its history, and what clients are called."""
    return re.sub(r'"version":\d+,"currency"', '"currency"', re.sub(r',"created_by_name":"(?:[^"\\]|\\.)*"', "", line))


def same(back: list[str], lines: list[str]) -> None:
    assert len(back) == len(lines)
    for one, other in zip(map(without, back), map(without, lines), strict=True):
        place = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
        assert one == other, f"{one[max(place - 200, 0) : place + 200]}\n\n{other[max(place - 200, 0) : place + 200]}"


def imported(database: str, file: Path, account: str, *flags: str, refused: int = 0) -> Any:
    """Import; return what the command says."""
    why = file.with_suffix(".why")
    more = () if "--refused" in flags else ("--refused", str(why))
    command = ["import", str(file), "--account", account, *flags, *more, "--json"]
    done = run_forked(command, {**os.environ, "ORDRE_DATABASE": database})
    reasons = why.read_text(encoding="utf-8") if why.exists() else ""
    assert done.returncode == (1 if refused else 0), done.stdout + done.stderr + reasons
    found = json.loads(done.stdout)
    assert found["refused"] == refused, reasons
    return found


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    """Makes a new database of an engine with an empty account."""

    def made(engine: str, account: str) -> str:
        database = new_database(request, engine, tmp_path_factory)
        run("migrate", database=database)
        run("account", "create", account, "--name", "Shop", database=database)
        return database

    return made


@pytest.fixture
def empty(fresh: Callable[[str, str], str], database: str) -> str:
    return fresh("postgres" if database.startswith("postgres") else "sqlite", "T00000001")


BOUNDS = settings(max_examples=12, deadline=None, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))


def lived(shop: Shop, chance: random.Random, *, first: bool) -> None:
    """Make orders of any fields, and let anything happen to them."""

    def life(sent: Any) -> None:
        for body in (sent, {"currency": "NOK", "items": [{"id": "A", "line_id": 1, "gross_amount": 1000}]}):
            more = {"order_id": f"own-{next(_numbers)}", "multiple_authorizations": chance.random() < 0.3}
            Life(shop, shop.post("/orders", {**body, **more}), chance).run()

    settings(BOUNDS, derandomize=first)(given(sent=FIELDS)(life))()


@pytest.mark.slow
@pytest.mark.deep(0.3)
def test_orders_with_any_life_come_back_as_they_were(
    service: Service, database: str, effort: Effort, fresh: Callable[[str, str], str], tmp_path: Path
) -> None:
    for round_ in effort.rounds():
        chance = random.Random(round_)
        with service.shop() as shop:
            lived(shop, chance, first=round_ == 0)
            Life(shop, shop.post("/orders", EVERY_FIELD), chance).run()
            account = shop.account_id
        for flags in ((), ("--include-events",)):
            lines, file = exported(database, account, *flags), tmp_path / f"orders-{round_}-{len(flags)}.ndjson"
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            own = "postgres" if database.startswith("postgres") else "sqlite"
            for engine in ENGINES if effort.deep else [own]:
                target = fresh(engine, account)
                said = imported(target, file, account)
                assert (said["imported"], said["differences"]) == (len(lines), [])
                back = exported(target, account, *flags)
                same(back, lines)
                if flags:
                    assert [json.loads(one)["version"] for one in back] == [json.loads(one)["version"] for one in lines]
                assert ", 0 differences" in run("verify", database=target)
                assert imported(target, file, account)["there"] == len(lines)


def document(**fields: Any) -> dict[str, Any]:
    """An order as another service would answer it."""
    return {
        "id": f"7f3c1a52-0b6e-4f0a-9a51-{next(_numbers):012d}",
        "order_id": f"other-{next(_numbers)}",
        "currency": "NOK",
        "created_at": "2021-03-01T10:00:00Z",
        "created_by": "their-client",
        "updated_at": "2021-03-02T10:00:00Z",
        "items": [{"id": "A", "line_id": 1, "gross_amount": 1000}, {"id": "B", "line_id": 2, "gross_amount": 500}],
        **fields,
    }


def done_at(at: str, *amounts: tuple[int, int], **more: Any) -> dict[str, Any]:
    return {**operation(*amounts), "id": f"op-{next(_numbers)}", "created_at": at, "created_by": "till", **more}


def written(file: Path, *documents: Any) -> Path:
    file.write_text("".join(f"{json.dumps(one)}\n" for one in documents), encoding="utf-8")
    return file


@pytest.mark.once
def test_what_happened_elsewhere_in_one_second(empty: str, tmp_path: Path) -> None:
    """Which of it came first is found out by the rules."""
    at = "2021-03-01T11:00:00Z"
    order = document(
        authorizations=[done_at(at, (1, 1000)), done_at(at, (1, 400))],
        captures=[done_at(at, (1, 600)), done_at(at, (1, 400))],
        cancellations=[done_at(at, (1, 400))],
        refunds=[done_at(at, (1, 100))],
        status="closed",
        closed_at=at,
        closed_by="till",
        comments=[{"body": "hello", "created_at": at, "created_by": "kari", "visibility": "private"}],
        payment_status="partially_refunded",
    )
    file = written(tmp_path / "file", order)
    assert imported(empty, file, "T00000001")["imported"] == 1
    (line,) = exported(empty, "T00000001", "--include-events")
    found = json.loads(line)
    assert found["items"][0]["payment_details"]["captured_amount"] == 1000
    assert (found["status"], found["closed_at"], found["closed_by"]) == ("closed", "2021-03-01T11:00:00.000Z", "till")
    assert (found["created_at"], found["created_by"]) == ("2021-03-01T10:00:00.000Z", "their-client")
    assert found["updated_at"] == "2021-03-02T10:00:00.000Z"
    assert [one["id"] for one in found["captures"]] == [one["id"] for one in order["captures"]]
    assert {one["request"]["method"] for one in found["events"]} == {"IMPORT"}
    assert ", 0 differences" in run("verify", database=empty)


def test_an_id_that_does_not_sort_by_time_is_replaced_and_kept(empty: str, tmp_path: Path) -> None:
    named, unnamed = document(), document()
    del unnamed["order_id"]
    file = written(tmp_path / "file", named, unnamed)
    said = imported(empty, file, "T00000001")
    assert [(one["differs"], one["orders"]) for one in said["differences"]] == [("id", 2)]
    orders = {one["order_id"]: one for one in map(json.loads, exported(empty, "T00000001"))}
    first, second = orders[named["order_id"]], orders[unnamed["id"]]
    assert first["external_ids"] == [{"id": named["id"], "description": "id before the import"}]
    assert (second["order_id"], "external_ids" in second) == (unnamed["id"], False)
    found = run_json("order", "list", "T00000001", "--created-from", "2021-03-01", "--created-to", "2021-03-01", database=empty)
    assert {one["id"] for one in found["orders"]} == {first["id"], second["id"]}
    assert imported(empty, file, "T00000001")["there"] == 2


def refusals(empty: str, file: Path, *documents: Any) -> list[list[tuple[str, str]]]:
    out = file.with_suffix(".refused")
    imported(empty, written(file, *documents), "T00000001", "--refused", str(out), refused=len(documents))
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["line"] for row in rows] == list(range(1, len(documents) + 1))
    assert [json.loads(row["text"]) for row in rows] == list(documents)
    return [[(one["code"], one.get("path", "")) for one in row["errors"]] for row in rows]


@pytest.mark.once
def test_the_rules_refuse_with_their_reasons(empty: str, tmp_path: Path) -> None:
    later = "2021-03-01T12:00:00Z"
    broken = [
        (document(captures=[done_at(later, (1, 10))]), [("exceeds_remaining", "captures[0].items[0].amount")]),
        (document(authorizations=[done_at(later, (1, 1001))]), [("exceeds_remaining", "authorizations[0].items[0].amount")]),
        (document(authorizations=[done_at(later, (7, 1))]), [("unknown_line", "authorizations[0].items[0].line_id")]),
        (document(authorizations=[done_at(later, (1, 1), amount=2)]), [("amount_mismatch", "authorizations[0].amount")]),
        (document(gross_amount=1), [("amount_mismatch", "gross_amount")]),
        (document(currency="XYZ"), [("unknown_currency", "currency")]),
        (document(created_at="yesterday"), [("invalid_value", "created_at")]),
        (document(deleted_at=later), [("order_erased", "")]),
        (
            document(
                status="cancelled",
                cancelled_at="2021-03-01T13:00:00Z",
                authorizations=[done_at(later, (1, 5))],
                captures=[done_at("2021-03-01T12:30:00Z", (1, 5))],
            ),
            [("order_captured", "cancelled_at")],
        ),
        (
            document(status="closed", closed_at=later, authorizations=[done_at("2021-03-01T13:00:00Z", (1, 5))]),
            [("order_closed", "authorizations[0]")],
        ),
    ]
    assert refusals(empty, tmp_path / "file", *(one for one, _ in broken)) == [reasons for _, reasons in broken]
    assert exported(empty, "T00000001") == []


@pytest.mark.once
def test_what_is_no_json_is_refused(empty: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text('{"a":\n\n[]\n' + json.dumps(document()) + "\n")
    said = run("import", str(file), "--account", "T00000001", database=empty, status=1)
    assert "1 order imported, 0 were there already, 2 refused" in said
    assert "line 1: " in said
    assert "line 3: " in said


def test_an_order_that_is_there_and_differs_is_refused(empty: str, tmp_path: Path) -> None:
    one, other = document(comment="first"), document()
    imported(empty, written(tmp_path / "file", one, other, one), "T00000001")
    again = {**one, "comment": "second"}
    assert refusals(empty, tmp_path / "again", again) == [[("order_differs", "comment")]]
    taken = {**other, "order_id": "another name", "id": json.loads(exported(empty, "T00000001")[1])["id"]}
    assert refusals(empty, tmp_path / "taken", taken) == [[("order_id_taken", "")]]
    assert len(exported(empty, "T00000001")) == 2


@pytest.mark.once
def test_a_difference_is_named_and_with_strict_refused(empty: str, tmp_path: Path) -> None:
    order = document(payment_status="paid", loyalty={"points": 5})
    file = written(tmp_path / "file", order)
    said = imported(empty, file, "T00000001", "--dry-run")
    found = {one["differs"]: (one["line says"], one["order says"]) for one in said["differences"]}
    assert found == {
        "id": (json.dumps(order["id"]), found["id"][1]),
        "payment_status": ('"paid"', '"pending"'),
        "loyalty": ('{"points":5}', None),
    }
    imported(empty, file, "T00000001", "--strict", refused=1)
    assert exported(empty, "T00000001") == []


@pytest.mark.once
def test_a_dry_run_writes_nothing(empty: str, tmp_path: Path) -> None:
    file = written(tmp_path / "file", document(), document(captures=[done_at("2021-03-01T12:00:00Z", (1, 10))]))
    said = imported(empty, file, "T00000001", "--dry-run", refused=1)
    assert (said["dry_run"], said["imported"]) == (True, 1)
    assert exported(empty, "T00000001") == []


@pytest.mark.once
def test_an_account_or_a_file_that_is_not_there(empty: str, tmp_path: Path) -> None:
    assert "no account" in run("import", str(written(tmp_path / "f", document())), "--account", "T9", database=empty, status=1)
    assert "no file" in run("import", str(tmp_path / "none"), "--account", "T00000001", database=empty, status=1)


CSV = """Order;Placed;Mail;SKU;Name;Qty;Total;Paid
1001;01.03.2021 12:00;kari@example.com;A;"Chair; red";2;1 398,00;1398,00
1001;01.03.2021 12:00;kari@example.com;B;Cushion;1;99,50;
1002;02.03.2021 09:30;;C;=Table;1;1.500,00;
1003;02.03.2021 09:30;;D;Lamp;1;12,345;
1004;someday;;D;Lamp;1;12,34;
"""
MAPPING = """
[file]
delimiter = ";"
decimal = ","
time = "%d.%m.%Y %H:%M"
zone = "Europe/Oslo"

[order]
order_id = "Order"
created_at = "Placed"
"customer.email" = "Mail"
currency = { value = "NOK" }

[line]
id = "SKU"
description = "Name"
quantity = "Qty"
gross_amount = "Total"
captured_amount = "Paid"
"""


@pytest.mark.once
def test_csv_by_a_mapping(empty: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    flags = ("--mapping", str(tmp_path / "mapping.toml"), "--refused", str(tmp_path / "refused"))
    assert imported(empty, tmp_path / "orders.csv", "T00000001", *flags, refused=2)["imported"] == 2
    first, second = map(json.loads, exported(empty, "T00000001"))
    assert (first["order_id"], first["created_at"], first["net_amount"]) == ("1001", "2021-03-01T11:00:00.000Z", 149750)
    assert (first["customer"], first["payment_status"]) == ({"email": "kari@example.com"}, "partially_paid")
    items = [(one["line_id"], one["description"], one["quantity"]) for one in first["items"]]
    assert items == [
        (1, "Chair; red", 2),
        (2, "Cushion", 1),
    ]
    assert (second["order_id"], second["net_amount"], second["items"][0]["description"]) == ("1002", 150000, "=Table")
    rows = [json.loads(line) for line in (tmp_path / "refused").read_text(encoding="utf-8").splitlines()]
    assert [(row["line"], row["errors"][0]["path"]) for row in rows] == [(5, "gross_amount"), (6, "created_at")]
    assert imported(empty, tmp_path / "orders.csv", "T00000001", *flags, refused=2)["there"] == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("[line]", "[lines]"), "lines"),
        (('id = "SKU"', 'id = "sku"'), "no column 'sku'"),
        (('order_id = "Order"\n', ""), "has no order_id"),
        (("Europe/Oslo", "Europe/Nowhere"), "Nowhere"),
        (("[file]", "[file"), "mapping.toml"),
    ],
)
@pytest.mark.once
def test_a_mapping_that_fits_nothing(empty: str, tmp_path: Path, change: tuple[str, str], said: str) -> None:
    (tmp_path / "orders.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(MAPPING.replace(*change), encoding="utf-8")
    flags = ("--account", "T00000001", "--mapping", str(tmp_path / "mapping.toml"))
    assert said in run("import", str(tmp_path / "orders.csv"), *flags, database=empty, status=1)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A file of 1,000 orders, exported from a database that a benchmark filled, and its account."""
    folder = tmp_path_factory.mktemp("many")
    source = f"sqlite:///{folder / 'source.sqlite'}"
    run("migrate", database=source)
    run("bench", "--seed", "1000", "--database", source)
    (account,) = [one["account_id"] for one in run_json("account", "list", database=source)]
    file = folder / "orders.ndjson"
    run("export", "--account", account, "--output", str(file), database=source)
    return file, [account]


@pytest.mark.slow
def test_killed_and_run_again(database: str, fresh: Callable[[str, str], str], many: tuple[Path, list[str]]) -> None:
    file, (account,) = many
    target = fresh("postgres" if database.startswith("postgres") else "sqlite", account)
    command = [ORDRE, "import", str(file), "--account", account, "--database", target]
    there = 0
    for _ in range(3):
        with ending(subprocess.Popen(command, text=True, stdout=subprocess.DEVNULL)) as process:
            deadline = time.monotonic() + 60
            while process.poll() is None and sql(target, "select count(*) from orders")[0][0] <= there:
                assert time.monotonic() < deadline, "nothing is imported"
                time.sleep(0.02)
            process.kill()
        there = sql(target, "select count(*) from orders")[0][0]
        assert there > 0
    said = imported(target, file, account)
    assert said["imported"] + said["there"] == 1000
    assert said["there"] >= there
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    same(exported(target, account), lines)
    assert ", 0 differences" in run("verify", database=target)


@pytest.mark.long
@pytest.mark.once
def test_memory_does_not_grow_with_the_file(
    fresh: Callable[[str, str], str], many: tuple[Path, list[str]], tmp_path: Path
) -> None:
    file, (account,) = many
    few = tmp_path / "few"
    few.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:100]), encoding="utf-8")
    most = []
    for one in (few, file):
        program = (
            "import resource, runpy, sys; sys.argv[0] = 'ordre'\n"
            "try: runpy.run_module('ordre', run_name='__main__')\n"
            "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        flags = ["import", str(one), "--account", account, "--database", fresh("sqlite", account)]
        done = subprocess.run([sys.executable, "-c", program, *flags], capture_output=True, text=True, check=True)
        most.append(int(done.stderr.split()[-1]))
    assert most[1] < most[0] + 24 * 1024, "the memory of an import follows the file"

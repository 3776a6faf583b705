"""`ordre export`: files as the API exports them, cut off and gone on with."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from commands import ending, run, run_json
from service import ORDRE, Service, Shop


@pytest.fixture(scope="module")
def shop(service: Service) -> Iterator[Shop]:
    with service.shop() as shop:
        for number in range(12):
            made = shop.paid(100 + number, 50, comment=f'line\n"{number}", or so', customer={"id": f"C{number % 2}"})
            if number % 3 == 0:
                shop.post(f"/orders/{made['id']}/close")
        yield shop


@pytest.fixture
def account(shop: Shop) -> str:
    return shop.account_id


def asked(shop: Shop, **query: Any) -> bytes:
    return shop.send("GET", "/orders/export", params=query).content


def test_a_file_is_what_the_api_exports(database: str, shop: Shop, account: str, tmp_path: Path) -> None:
    for form, rows in (("ndjson", "orders"), ("csv", "orders"), ("csv", "lines")):
        file = tmp_path / f"{form}-{rows}"
        told = run_json(
            "export", "--account", account, "--output", str(file), "--format", form, "--rows", rows, database=database
        )
        assert file.read_bytes() == asked(shop, format=form, rows=rows)
        assert told == {"file": str(file), "orders": 12, "bytes": file.stat().st_size}
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_standard_output_and_filters(database: str, shop: Shop, account: str) -> None:
    flags = ["export", "--account", account, "--output", "-"]
    assert run(*flags, "--include-events", database=database).encode() == asked(shop, include_events="true")
    said = run(*flags, "--where", "status=closed", "--where", "customer_id=C1", database=database)
    assert said.encode() == asked(shop, status="closed", customer_id="C1")
    assert len(said.splitlines()) == 2


def test_parquet(database: str, account: str, tmp_path: Path) -> None:
    file = tmp_path / "orders.parquet"
    run("export", "--account", account, "--output", str(file), "--format", "parquet", database=database)
    assert pq.read_table(file)["gross_amount"].to_pylist() == [150 + number for number in range(12)]


@pytest.mark.once
def test_without_pyarrow_it_says_what_to_install(database: str, account: str, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ORDRE_DATABASE": database}
    flags = ["export", "--account", account, "--output", str(tmp_path / "file"), "--format", "parquet"]
    done = subprocess.run([ORDRE, *flags], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, "ordre: Parquet needs the package pyarrow: install ordre[parquet]\n")


@pytest.mark.once
def test_a_file_that_was_cut_off_is_gone_on_with(database: str, shop: Shop, account: str, tmp_path: Path) -> None:
    for form, rows in (("ndjson", "orders"), ("csv", "orders"), ("csv", "lines")):
        whole, file = asked(shop, format=form, rows=rows), tmp_path / f"{form}-{rows}"
        flags = ["export", "--account", account, "--output", str(file), "--format", form, "--rows", rows, "--resume"]
        for size in range(0, len(whole) + 1, len(whole) // 9):
            file.write_bytes(whole[:size])
            run(*flags, database=database)
            assert file.read_bytes() == whole, f"{form} {rows} cut off after {size} bytes"


def test_filters_hold_where_it_goes_on(database: str, shop: Shop, account: str, tmp_path: Path) -> None:
    whole, file = asked(shop, customer_id="C1"), tmp_path / "file"
    file.write_bytes(whole[: len(whole) // 2])
    run("export", "--account", account, "--output", str(file), "--resume", "--where", "customer_id=C1", database=database)
    assert file.read_bytes() == whole


@pytest.mark.once
def test_what_makes_no_sense_is_refused(database: str, account: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("something of mine\n")
    flags = ["export", "--account", account, "--output", str(file)]
    for more, said in (
        ([], "already exists"),
        (["--resume"], "does not begin as such an export does"),
        (["--resume", "--format", "csv"], "does not begin as such an export does"),
        (["--resume", "--format", "parquet"], "cannot be gone on with"),
        (["--resume", "--where", "limit=3"], "--resume does not go with"),
        (["--rows", "lines"], "--rows goes with"),
        (["--format", "csv", "--include-events"], "--include-events goes with"),
        (["--where", "colour=red"], "colour"),
        (["--where", "status"], "--where status"),
    ):
        assert said in run(*flags, *more, database=database, status=1), more
        assert file.read_text() == "something of mine\n"
    assert "no account" in run("export", "--account", "T00000000", "--output", str(tmp_path / "new"), database=database, status=1)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_killed_and_resumed(database: str, service: Service, tmp_path: Path) -> None:
    with service.shop() as shop:
        for number in range(300):
            shop.order(*range(1, 40), metadata={"text": f"{number}" * 2_000})
        whole = asked(shop)
    file, kills = tmp_path / "file", 0
    command = [ORDRE, "export", "--account", shop.account_id, "--output", str(file), "--resume"]
    environment = {**os.environ, "ORDRE_DATABASE": database}
    while file.stat().st_size < len(whole) if file.exists() else True:
        before = file.stat().st_size if file.exists() else 0
        with ending(subprocess.Popen(command, text=True, env=environment, stdout=subprocess.DEVNULL)) as process:
            while process.poll() is None and kills < 3 and (not file.exists() or file.stat().st_size <= before):
                time.sleep(0.001)
            if kills < 3:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
    run("export", "--account", shop.account_id, "--output", str(file), "--resume", database=database)
    assert file.read_bytes() == whole
    assert kills > 0


def memory(database: str, account: str, *flags: str) -> tuple[int, int]:
    """The most memory, in KiB, that an export took, and how many bytes it wrote."""
    program = (
        "import resource, runpy, sys; sys.argv[0] = 'ordre'\n"
        "try: runpy.run_module('ordre', run_name='__main__')\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "export", "--account", account, "--output", "-", *flags, "--database", database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        size = 0
        while part := process.stdout.read(1 << 20):
            size += len(part)
        said = process.stderr.read().decode().split()
    assert process.returncode == 0, said
    return int(said[-1]), size


@pytest.mark.long
@pytest.mark.parametrize(
    ("orders", "flags"),
    [(100_000, ()), (20_000, ("--include-events",)), (20_000, ("--format", "csv", "--rows", "lines"))],
    ids=["ndjson", "events", "csv"],
)
def test_memory_does_not_grow_with_the_account(database: str, service: Service, orders: int, flags: tuple[str, ...]) -> None:
    (less, few), (more, many) = (memory(database, filled(database, number), *flags) for number in (2_000, orders))
    assert many > few * orders // 2_500
    assert more < less + 24 * 1024, "the memory of an export follows the account"


def filled(database: str, orders: int) -> str:
    """An account with so many orders; each size is made once of a database."""
    found = FILLED.get((database, orders))
    if found is None:
        before = {one["account_id"] for one in run_json("account", "list", database=database)}
        run("bench", "--seed", str(orders), "--database", database, "--among-others")
        after = {one["account_id"] for one in run_json("account", "list", database=database)}
        (found,) = after - before
        FILLED[database, orders] = found
    return found


FILLED: dict[tuple[str, int], str] = {}


def test_the_rows_of_a_file_are_read_back(database: str, shop: Shop, account: str) -> None:
    """What a spreadsheet reads of a cell with quotes and ends of lines in it is what stands in the order."""
    text = run("export", "--account", account, "--output", "-", "--format", "csv", database=database)
    found = [row["comment"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    orders = [json.loads(line) for line in asked(shop).splitlines()]
    assert found == [one["comment"] for one in orders]

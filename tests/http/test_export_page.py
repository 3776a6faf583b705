"""The calls that docs/api.md shows of an export are made as they stand there."""

from pathlib import Path

import pytest

from page import run_block
from service import Shop

pytestmark = pytest.mark.once


def test_the_calls_of_the_page(shop: Shop, tmp_path: Path) -> None:
    closed, opened = shop.order(100, 200), shop.order(300)
    shop.post(f"/orders/{closed['id']}/close")
    api = f"{str(shop.http.base_url).rstrip('/')}/v1/accounts/{shop.account_id}"
    run_block("api.md", "tests/http/test_export_page.py", tmp_path, {}, {"TOKEN": shop.token, "API": api})
    lines = (tmp_path / "orders.ndjson").read_text(encoding="utf-8").splitlines()
    assert lines == [shop.send("GET", f"/orders/{opened['id']}").text.strip()]
    rows = (tmp_path / "lines.csv").read_text(encoding="utf-8").splitlines()
    assert [row.partition(",")[0] for row in rows] == ["id", closed["id"], closed["id"], opened["id"]]

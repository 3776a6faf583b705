"""Records what the Ordre of an earlier commit leaves in a database, for `test_earlier.py`.

Before a migration is added: `.venv/bin/python tests/db/record_earlier.py HEAD` writes `earlier/NNNN.json` for the newest schema
of that commit: every row of every table, and how each order was answered.
"""

import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).with_name("earlier")
ACCOUNT = "T12345678"
ANSWERED = ("version", "status", "payment_status", "currency", "gross_amount", "net_amount")


class Recorded:
    """The Ordre of a commit, on an SQLite file of its own."""

    def __init__(self, folder: Path, commit: str) -> None:
        packed = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as sources:
            sources.extractall(folder, filter="data")
        self.file = folder / "ordre.sqlite"
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder / "src"), os.environ.get("PYTHONPATH", "")]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ORDRE_DATABASE": f"sqlite:///{self.file}",
        }

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "ordre", *arguments]
        return subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    def serve(self, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ordre", "serve", "--port", str(port)]
        return subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        connection = sqlite3.connect(self.file)
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table' order by rowid")]
        found = {name: [dict(row) for row in connection.execute(f"select * from {name}")] for name in names}
        connection.close()
        return {name: rows for name, rows in found.items() if rows}


def item(line_id: int, amount: int, **more: Any) -> dict[str, Any]:
    taxes = [{"amount": amount // 5, "percentage": 25}]
    return {"id": f"article-{line_id}", "line_id": line_id, "quantity": 1, "gross_amount": amount, "tax_lines": taxes, **more}


def fill(recorded: Recorded, http: httpx.Client) -> dict[str, Any]:
    """Do what a shop does with orders and drafts, as far as that version can; return how each order is answered."""
    client = json.loads(recorded.run("client", "create", ACCOUNT, "--name", "Till", "--scope", "admin:shopping", "--json"))
    base = f"/v1/accounts/{ACCOUNT}"
    body = {"grant_type": "client_credentials", "audience": f"{http.base_url}{base}"}
    token = http.post(f"{base}/auth/token", json=body, auth=(client["client_id"], client["client_secret"])).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"

    def send(method: str, path: str, body: Any = None, *, key: str | None = None, may_lack: bool = False) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        answer = http.request(method, f"{base}/shopping{path}", json={} if body is None else body, headers=headers)
        assert answer.status_code == 200 or (may_lack and answer.status_code in (404, 405)), answer.text
        return answer.json()

    def order(name: str, *items: dict[str, Any], **more: Any) -> str:
        send("POST", "/orders", {"order_id": name, "currency": "NOK", "items": items, **more}, key=f"make {name}")
        return f"/orders/{name}"

    customer = {"id": "C-17", "email": "kari@example.com", "first_name": "Kari"}
    paid = order("paid", item(1, 39800), item(2, 5000), customer=customer, metadata={"channel": "web"}, comment="ring twice")
    for kind, amount in (("authorizations", 39800), ("captures", 39800), ("refunds", 800)):
        send("POST", f"{paid}/{kind}", {"items": [{"line_id": 1, "amount": amount}]}, key=f"{kind} of it")
    send("POST", f"{paid}/comments", {"body": "a good customer"})
    comment = send("POST", f"{paid}/comments", {"body": "to be deleted"})
    send("DELETE", f"{paid}/comments/{comment['id']}", may_lack=True)
    send("POST", f"{paid}/events", {"service": "till", "service_status": "ok", "state": "success"})
    send("PUT", paid, {"customer": {"id": "C-18", "first_name": "Ola"}})
    send("POST", f"{order('closed', item(1, 100), store={'id': 'S1'})}/close")
    cancelled = order("cancelled", item(1, 100))
    send("POST", f"{cancelled}/authorizations", {"items": [{"line_id": 1, "amount": 60}]})
    send("POST", f"{cancelled}/cancel")
    send("DELETE", order("erased", item(1, 100), customer=customer), may_lack=True)
    drafted = send("POST", "/draft_orders", {"order": {"order_id": "drafted", "currency": "NOK", "items": [item(1, 700)]}})
    send("PUT", f"/draft_orders/{drafted['id']}", {"order": {"comment": "to go"}})
    send("PUT", f"/draft_orders/{drafted['id']}/complete", key="complete it")
    send("POST", "/draft_orders", {"order": {"currency": "NOK", "items": [item(1, 5)], "customer": customer}})
    gone = send("POST", "/draft_orders", {"order": {"currency": "NOK"}})
    send("DELETE", f"/draft_orders/{gone['id']}")
    listed = send("GET", "/orders?limit=100")["orders"]
    return {one["order_id"]: {name: one[name] for name in ANSWERED} for one in listed}


def hexadecimal(value: bytes) -> dict[str, str]:
    """How bytes stand in the file."""
    return {"hex": value.hex()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(Path(folder), sys.argv[1])
        recorded.run("migrate")
        recorded.run("account", "create", ACCOUNT, "--name", "Shop")
        till = json.loads(recorded.run("client", "create", ACCOUNT, "--name", "Old till", "--scope", "read:shopping", "--json"))
        recorded.run("client", "disable", ACCOUNT, till["client_id"])
        port = 18080 + os.getpid() % 1000
        server = recorded.serve(port)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
                deadline = time.monotonic() + 30
                while True:
                    try:
                        http.get("/health")
                        break
                    except httpx.TransportError:
                        assert time.monotonic() < deadline, "the server does not answer"
                        time.sleep(0.1)
                answered = fill(recorded, http)
        finally:
            server.terminate()
            server.wait()
        rows = recorded.rows()
    number = max(row["number"] for row in rows["schema_migrations"])
    tables = [
        f"  {json.dumps(name)}: [\n"
        + ",\n".join(f"   {json.dumps(row, ensure_ascii=False, default=hexadecimal)}" for row in one)
        + "\n  ]"
        for name, one in rows.items()
    ]
    text = f'{{\n "answered": {json.dumps(answered)},\n "rows": {{\n' + ",\n".join(tables) + "\n }\n}\n"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{number:04d}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

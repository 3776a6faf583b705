"""Fills a new database with demo data, says how to look at it, and serves."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

NOTES = Path("data/demo.json")


def main() -> None:
    """Make the demo data once; print address, account, client and a line to paste; then become the server."""
    ordre = str(Path(sys.executable).parent / "ordre")
    if not _made_before():
        print("Making demo data ...", file=sys.stderr)
        made = subprocess.run([ordre, "demo", "--json"], check=True, capture_output=True, text=True)  # noqa: S603 - our own command
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(json.dumps({**json.loads(made.stdout), "database": os.environ["ORDRE_DATABASE"]}), encoding="utf-8")
        NOTES.chmod(0o600)
    demo = json.loads(NOTES.read_text(encoding="utf-8"))
    host, port = _address(sys.argv[1:])
    print(_greeting(demo, f"http://{host}:{port}"), flush=True)
    os.execv(ordre, [ordre, "serve", *sys.argv[1:]])  # noqa: S606 - our own command


def _made_before() -> bool:
    """Whether the notes are about the database that is to be served, and it is still there."""
    if not NOTES.exists():
        return False
    database = os.environ["ORDRE_DATABASE"]
    file = Path(database.removeprefix("sqlite:///"))
    noted: bool = json.loads(NOTES.read_text(encoding="utf-8")).get("database") == database
    return noted and (not database.startswith("sqlite:///") or file.exists())


def _address(arguments: list[str]) -> tuple[str, str]:
    """Return host and port as `ordre serve` will read them from these arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--host", default=os.environ.get("ORDRE_HOST", "127.0.0.1"))
    parser.add_argument("--port", default=os.environ.get("ORDRE_PORT", "8080"))
    known, _ = parser.parse_known_args(arguments)
    return known.host, known.port


def _greeting(demo: dict[str, str], url: str) -> str:
    account, client, secret = demo["account_id"], demo["client_id"], demo["client_secret"]
    token = (
        f"TOKEN=$(curl -s -u {client}:{secret} -H 'Content-Type: application/json'"
        f' -d \'{{"grant_type":"client_credentials","audience":"{url}/v1/accounts/{account}"}}\''
        f' {url}/v1/accounts/{account}/auth/token | sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')'
    )
    listed = f'curl -s -H "Authorization: Bearer $TOKEN" "{url}/v1/accounts/{account}/shopping/orders?limit=2"'
    return f"""
  address        {url}      (documentation: {url}/docs)
  account        {account}
  client id      {client}
  client secret  {secret}

  Look at two orders:

{token} && {listed}
"""


if __name__ == "__main__":
    main()

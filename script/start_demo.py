"""Fills a new database with demo data, serves it, and says how to look at it."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

NOTES = Path("data/demo.json")


def main() -> None:
    """Make the demo data once; serve; once that answers, print what to paste. End as the server ends."""
    ordre = str(Path(sys.executable).parent / "ordre")
    host, port = _address(sys.argv[1:])
    _check_free(host, int(port))
    if not _made_before():
        print("Making demo data ...", file=sys.stderr)
        made = subprocess.run([ordre, "demo", "--json"], check=True, capture_output=True, text=True)  # noqa: S603 - our own command
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(json.dumps({**json.loads(made.stdout), "database": os.environ["ORDRE_DATABASE"]}), encoding="utf-8")
        NOTES.chmod(0o600)
    demo = json.loads(NOTES.read_text(encoding="utf-8"))
    url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - what somebody asked for
    # In a group of its own, so that Ctrl-C reaches it once: from here.
    with subprocess.Popen([ordre, "serve", *sys.argv[1:]], process_group=0) as server:  # noqa: S603 - our own command
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, lambda number, _: server.send_signal(number))
        if _answers(url, server):
            print(_greeting(demo, url), flush=True)
    sys.exit(server.returncode)


def _check_free(host: str, port: int) -> None:
    """End with a sentence where somebody listens there already: what answers would not be this server."""
    with socket.socket() as one:
        if one.connect_ex((host, port)) == 0:
            sys.exit(f"ordre: port {port} of {host} is taken; for another one: script/server --port {port + 1}")


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; False where it ends before."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):  # noqa: S310 - our own server
                return True
        except OSError:
            time.sleep(0.1)
    return False


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
    return f"""
Ordre serves at {url} until Ctrl-C. The API is described at {url}/docs

To look at two orders of the demo, paste this into another terminal:

  export ACCOUNT={demo["account_id"]}
  export CLIENT={demo["client_id"]}
  export SECRET={demo["client_secret"]}
  API={url}/v1/accounts/$ACCOUNT
  TOKEN=$(curl -sSf -u "$CLIENT:$SECRET" -d grant_type=client_credentials "$API/auth/token" | cut -d '"' -f 4)
  curl -sS -H "Authorization: Bearer ${{TOKEN:?no token: is the secret right?}}" "$API/shopping/orders?limit=2"

README.md goes on from here. The command is .venv/bin/ordre, and ORDRE_DATABASE={demo["database"]} names this database.
"""


if __name__ == "__main__":
    main()

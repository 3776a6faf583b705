"""Follow the feed from where the last run ended, with httpx alone, and keep the place in a file. See ../README.md."""

import os
from pathlib import Path

import httpx

API = f"{os.environ['ORDRE_URL']}/v1/accounts/{os.environ['ORDRE_ACCOUNT']}"
PLACE = Path(os.environ.get("PLACE", "feed.position"))
WAIT_SECONDS = 2
"""A program that goes on for ever waits for 20."""


def main() -> None:
    """Print what happened since the last run, until nothing does for a moment."""
    with httpx.Client(base_url=API, timeout=30) as http:
        answer = http.post(
            "/auth/token",
            auth=(os.environ["ORDRE_CLIENT_ID"], os.environ["ORDRE_CLIENT_SECRET"]),
            json={"grant_type": "client_credentials", "audience": API},
        )
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        position = int(PLACE.read_text(encoding="utf-8")) if PLACE.exists() else 0
        while True:
            page = http.get("/shopping/feed", params={"after": position, "wait": WAIT_SECONDS}).raise_for_status().json()
            for entry in page["entries"]:
                print(entry["position"], entry["kind"], f"version {entry['version']}")
            if page["position"] == position == page["end"]:
                return
            position = page["position"]
            PLACE.write_text(
                str(position), encoding="utf-8"
            )  # once what was read is done: what comes twice, comes with its position


main()

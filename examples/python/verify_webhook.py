"""Check a webhook: its body comes on standard input, its headers and the secret from the environment. See ../README.md."""

import base64
import hashlib
import hmac
import os
import sys
import time

OLD_SECONDS = 300


def main() -> None:
    """Print the id of a delivery that is signed and new; else say why not, and end with 1."""
    body = sys.stdin.buffer.read()
    id_, at = os.environ["WEBHOOK_ID"], os.environ["WEBHOOK_TIMESTAMP"]
    secret = os.environ["WEBHOOK_SECRET"]
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    wanted = base64.b64encode(hmac.new(key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(one, f"v1,{wanted}") for one in os.environ["WEBHOOK_SIGNATURE"].split()):
        sys.exit("not signed with the secret")
    if abs(time.time() - int(at)) > OLD_SECONDS:
        sys.exit("too old")
    print("verified", id_)


main()

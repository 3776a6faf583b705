"""Checks an order and its proof, away from the server that wrote them. It imports nothing of Ordre.

    ordre verify --account T00000001 --order 1001 --proof proof.json
    curl http://127.0.0.1:8080/.well-known/jwks.json > keys.json
    python examples/verify_order.py proof.json keys.json

It needs `cryptography` for the signature. It says what it found and ends with 1 where something does not hold:

1. every fact's body is what its digest says (bodies that were erased are counted, not checked; what is left of a comment whose
   text was deleted has to be what the fact of its deletion says);
2. every fact's hash follows from the fact and the one before it, and the last one is the order's;
3. the order is under the root of its account;
4. the root is signed with one of the keys.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class NotProvenError(Exception):
    """Something does not hold."""


def digest(salt: str, *parts: str) -> str:
    """Hash the parts, each led by its length in bytes."""
    hashed = hashlib.sha256(salt.encode())
    for part in parts:
        hashed.update(b"%d:" % len(part.encode()) + part.encode())
    return hashed.hexdigest()


def check(holds: bool, what: str) -> None:
    """Stop where something does not hold."""
    if not holds:
        raise NotProvenError(what)


def check_chain(proof: dict[str, Any]) -> tuple[int, int]:
    """Check every fact; return how many there are, and how many are without a body."""
    account, order, previous, erased = proof["account_id"], proof["order"], "", 0
    erased_by = max((fact["version"] for fact in proof["facts"] if fact["type"] == "erased"), default=0)
    deletions = deletions_of(proof["facts"])
    for version, fact in enumerate(proof["facts"], 1):
        check(fact["version"] == version, f"fact {version} is missing")
        deletion = deletions.get(fact["version"])
        if fact["salt"]:
            body = digest(fact["salt"], fact["data"], fact["document"], fact["event"])
            check(body == fact["digest"], f"the body of fact {version} is not what its digest says")
        elif deletion:
            left = fact["document"][:-1] + ","
            check(deletion["document"].startswith(left) and not fact["event"], f"fact {version} is not what its deletion says")
            erased += 1
        else:
            check(version < erased_by, f"fact {version} has no body, and the order was not erased")
            erased += 1
        link = (account, order["order"], str(version), fact["type"], str(fact["at"]), fact["actor"], fact["digest"])
        check(digest("", previous, *link) == fact["hash"], f"the hash of fact {version} does not follow")
        previous = fact["hash"]
    check(len(proof["facts"]) == order["version"], "the facts do not reach the order's version")
    check(previous == order["hash"], "the chain does not end in the order's hash")
    return len(proof["facts"]), erased


def deletions_of(facts: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return, by the version of a comment, the later fact that deletes it."""
    deleted = {fact["data"]: fact for fact in facts if fact["type"] == "comment_deleted"}
    found = {fact["version"]: deleted.get(fact["data"]) for fact in facts if fact["type"] == "comment" and fact["data"]}
    return {version: fact for version, fact in found.items() if fact and fact["version"] > version}


def check_root(proof: dict[str, Any]) -> None:
    """Check that the order's head leads to the root."""
    order = proof["order"]
    found = digest("leaf", proof["account_id"], order["order"], str(order["version"]), order["hash"])
    for side, other in proof["path"]:
        found = digest("node", other, found) if side == "left" else digest("node", found, other)
    check(found == proof["root"]["root"], "the order is not under the root")
    check(proof["root"]["account_id"] == proof["account_id"], "the root is of another account")


def check_signature(root: dict[str, Any], keys: dict[str, Any]) -> str:
    """Check who signed the root, and that it was this one; return the key's id."""
    header, content, signature = root["signature"].split(".")
    named = json.loads(_bytes(header))
    check(named["alg"] in ("EdDSA", "Ed25519"), "the signature is of another kind")  # two names of one algorithm
    key = next((key for key in keys["keys"] if key["kid"] == named["kid"]), None)
    if key is None:
        raise NotProvenError("the root is signed with a key that is not among the keys")
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(_bytes(signature), f"{header}.{content}".encode())
    except InvalidSignature as error:
        raise NotProvenError("the signature is not good") from error
    signed = json.loads(_bytes(content))
    check(signed == {name: value for name, value in root.items() if name != "signature"}, "another root is signed")
    return str(named["kid"])


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(proof_file: str, keys_file: str) -> int:
    """Check everything, and say so."""
    proof, keys = (json.loads(Path(name).read_text(encoding="utf-8")) for name in (proof_file, keys_file))
    try:
        facts, erased = check_chain(proof)
        check_root(proof)
        kid = check_signature(proof["root"], keys)
    except NotProvenError as error:
        print(f"NOT PROVEN: {error}")
        return 1
    root = proof["root"]
    print(f"order {proof['order']['order']} of {proof['account_id']}: version {facts}, {erased} facts without a body")
    print(f"under root {root['root'][:16]} of {root['orders']} orders, signed with key {kid}")
    print("proven")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

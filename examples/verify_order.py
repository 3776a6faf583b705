"""Checks an order and its proof, away from the server that wrote them. It imports nothing of Ordre.

    ordre verify --account T00000001 --order 1001 --proof proof.json
    curl http://127.0.0.1:8080/.well-known/jwks.json > keys.json
    python examples/verify_order.py proof.json keys.json
    python examples/verify_order.py proof.json keys.json orders.roots      # and with roots that somebody kept

It needs `cryptography` for the signature. It says what it found and ends with 1 where something does not hold:

1. the proof is JSON that can be read in one way only: no field twice or unknown, numbers that are whole, nothing after the end;
2. every fact's body is what its digest says (bodies that were erased are counted, not checked, and have to be gone; what is left
   of a comment whose text was deleted has to be what the fact of its deletion says);
3. every fact's hash follows from the fact and the one before it, and the last one is the order's;
4. the order is under the root of its account;
5. the root is signed with one of the keys;
6. the order went through every state that kept roots have of it, and each of those is signed with one of the keys.

Get the keys from somebody whom you trust more than whoever gave you the proof.
"""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SALT = re.compile(r"[0-9a-f]{32}")
HASH = re.compile(r"[0-9a-f]{64}")
DIGEST = re.compile(r"(2:)?[0-9a-f]{64}")  # the newer form is marked: in it the salt is led by its length, too
BASE64 = re.compile(r"[A-Za-z0-9_-]+")

ROOT = {"account_id": str, "orders": int, "root": str, "at": int}
PROOF = {"account_id": str, "order": dict, "facts": list, "path": list, "root": dict}
KEPT = {**ROOT, "acts": int, "log": str, "after": str, "changed": str}
HEAD = {"order": str, "version": int, "hash": str}
FACT = {
    "version": int,
    "type": str,
    "at": int,
    "actor": str,
    "data": str,
    "document": str,
    "event": str,
    "salt": str,
    "digest": str,
    "hash": str,
}
WORDS = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}
MOST = 2**63


class NotProvenError(Exception):
    """Something does not hold."""


def check(holds: object, what: str) -> None:
    """Stop where something does not hold."""
    if not holds:
        raise NotProvenError(what)


def read(text: bytes, what: str) -> Any:
    """Read JSON that means the same to every reader."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            check(name not in found, f"{what} has the field {name} twice")
            found[name] = value
        return found

    def whole(digits: str) -> int:
        check(
            digits != "-0" and len(digits) < len(str(MOST)), f"{what} has the number {digits[:30]}, which is not written as one"
        )
        return int(digits)

    def refused(digits: str) -> None:
        check(False, f"{what} has the number {digits[:30]}, which is not a whole number")

    try:
        return json.loads(text.decode(), object_pairs_hook=once, parse_int=whole, parse_float=refused, parse_constant=refused)
    except (ValueError, RecursionError) as error:
        raise NotProvenError(f"{what} is not JSON: {error}") from error


def check_fields(value: Any, fields: Mapping[str, type], what: str) -> None:
    """Check that a value is an object with exactly these fields, each of its kind."""
    check(isinstance(value, dict), f"{what} is not an object")
    for name in value:
        check(name in fields, f"{what} has the field {name}, which is not known")
    for name, kind in fields.items():
        check(name in value, f"{what} has no field {name}")
        check(type(value[name]) is kind, f"{name} of {what} is not {WORDS[kind]}")
        if kind is str:
            check(not re.search("[\ud800-\udfff]", value[name]), f"{name} of {what} has half a character")
        if kind is int:
            check(value[name] >= 0, f"{name} of {what} is below zero")


def check_form(proof: Any) -> None:
    """Check that a proof has everything that it should have, and nothing else."""
    check_fields(proof, PROOF, "the proof")
    check_fields(proof["order"], HEAD, "the order")
    check_fields(proof["root"], {**ROOT, "signature": str}, "the root")
    check(HASH.fullmatch(proof["root"]["root"]), "the hash of the root is not 64 hexadecimal digits")
    for place, fact in enumerate(proof["facts"], 1):
        check_fields(fact, FACT, f"fact {place}")
        check(DIGEST.fullmatch(fact["digest"]), f"the digest of fact {place} has no form that digests have")
        check(HASH.fullmatch(fact["hash"]), f"the hash of fact {place} is not 64 hexadecimal digits")
        check(not fact["salt"] or SALT.fullmatch(fact["salt"]), f"the salt of fact {place} is not 32 hexadecimal digits")
    for step in proof["path"]:
        check(isinstance(step, list) and len(step) == 2 and step[0] in ("left", "right"), "a step of the path has no side")  # noqa: PLR2004 - a pair
        check(isinstance(step[1], str) and HASH.fullmatch(step[1]), "a step of the path is not 64 hexadecimal digits")


def digest(*parts: str) -> str:
    """Hash the parts, each led by its length in bytes."""
    return hashlib.sha256(b"".join(b"%d:" % len(part.encode()) + part.encode() for part in parts)).hexdigest()


def digest_of_body(fact: dict[str, Any]) -> str:
    """Return the digest of a fact's body, in the form that its digest has."""
    body = (fact["data"], fact["document"], fact["event"])
    if fact["digest"].startswith("2:"):
        return "2:" + digest("fact", fact["salt"], *body)
    led = b"".join(b"%d:" % len(part.encode()) + part.encode() for part in body)
    return hashlib.sha256(fact["salt"].encode() + led).hexdigest()


def check_chain(proof: dict[str, Any]) -> tuple[int, int]:
    """Check every fact; return how many there are, and how many are without a body."""
    account, order, previous, without = proof["account_id"], proof["order"], "", 0
    erased_by = max((fact["version"] for fact in proof["facts"] if fact["type"] == "erased"), default=0)
    deletions = deletions_of(proof["facts"])
    for version, fact in enumerate(proof["facts"], 1):
        check(fact["version"] == version, f"fact {version} is missing")
        check_body(fact, deletions.get(version), erased=version < erased_by)
        without += not fact["salt"]
        link = (account, order["order"], str(version), fact["type"], str(fact["at"]), fact["actor"], fact["digest"])
        check(digest(previous, *link) == fact["hash"], f"the hash of fact {version} does not follow")
        previous = fact["hash"]
    check(len(proof["facts"]) == order["version"], "the facts do not reach the order's version")
    check(previous == order["hash"], "the chain does not end in the order's hash")
    return len(proof["facts"]), without


def check_body(fact: dict[str, Any], deletion: dict[str, Any] | None, *, erased: bool) -> None:
    """Check that a fact's body is what its digest says, or that it is gone, and a later fact says so."""
    version = fact["version"]
    if erased:
        left = any((fact["data"], fact["document"], fact["event"], fact["salt"]))
        check(not left, f"the order was erased after fact {version}, which still has a body")
    elif deletion and not fact["salt"]:
        document = deletion["document"].rpartition(',"deleted_at":"')[0] + "}"
        check((fact["document"], fact["event"]) == (document, ""), f"fact {version} is not what its deletion says")
    else:
        check(fact["data"] and fact["salt"], f"fact {version} has no body, and the order was not erased")
        check(digest_of_body(fact) == fact["digest"], f"the body of fact {version} is not what its digest says")


def deletions_of(facts: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return, by the version of a comment, the later fact that deletes it. ``data`` of either is the comment's id."""
    deleted = {fact["data"]: fact for fact in facts if fact["type"] == "comment_deleted"}
    found, seen = {}, set()
    for fact in facts:
        if fact["type"] == "comment" and fact["data"]:
            check(fact["data"] not in seen, f"fact {fact['version']} is a comment with the id of an earlier one")
            seen.add(fact["data"])
            deletion = deleted.get(fact["data"])
            if deletion and deletion["version"] > fact["version"]:
                found[fact["version"]] = deletion
    return found


def check_root(proof: dict[str, Any]) -> None:
    """Check that the order's head leads to the root."""
    order, root = proof["order"], proof["root"]
    check(root["account_id"] == proof["account_id"], "the root is of another account")
    check(len(proof["path"]) <= max(root["orders"] - 1, 0).bit_length(), "the path is longer than the root's orders allow")
    found = digest_of_leaf(proof["account_id"], order)
    for side, other in proof["path"]:
        found = digest_of_node(other, found) if side == "left" else digest_of_node(found, other)
    check(found == root["root"], "the order is not under the root")


def digest_of_leaf(account_id: str, order: dict[str, Any]) -> str:
    """Return what stands for an order in the tree of its account."""
    return _marked("leaf", account_id, order["order"], str(order["version"]), order["hash"])


def digest_of_node(left: str, right: str) -> str:
    """Return what stands for two neighbours."""
    return _marked("node", left, right)


def _marked(mark: str, *parts: str) -> str:
    led = b"".join(b"%d:" % len(part.encode()) + part.encode() for part in parts)
    return hashlib.sha256(mark.encode() + led).hexdigest()


def check_signature(root: dict[str, Any], fields: Mapping[str, type], keys: Any) -> str:
    """Check who signed a root, and that it was this one; return the key's id."""
    check(root["signature"].count(".") == 2, "the signature is not one of three parts")  # noqa: PLR2004 - as it says
    header, content, signature = root["signature"].split(".")
    named = read(_bytes(header), "the head of the signature")
    check_fields(named, {"alg": str, "kid": str}, "the head of the signature")
    check(named["alg"] in ("EdDSA", "Ed25519"), "the signature is of another kind")  # two names of one algorithm
    try:
        public_key(named["kid"], keys).verify(_bytes(signature), f"{header}.{content}".encode())
    except InvalidSignature as error:
        raise NotProvenError("the signature is not good") from error
    signed = read(_bytes(content), "what is signed")
    check_fields(signed, fields, "what is signed")
    check(signed == {name: root[name] for name in fields}, "another root is signed")
    return str(named["kid"])


def check_kept(proof: dict[str, Any], text: bytes, keys: Any) -> int:
    """Check that the order went through every state that kept roots, a line each, have of it; return how many have one."""
    states = 0
    for number, line in enumerate(text.splitlines(), 1):
        kept, what = read(line, f"line {number} of the kept roots"), f"line {number} of the kept roots"
        check_fields(kept, {**KEPT, "signature": str, "heads": list}, what)
        for head in kept["heads"]:
            check(isinstance(head, list) and [type(part) for part in head] == [str, int, str], f"{what} has a head that is none")
        heads = json.dumps(kept["heads"], separators=(",", ":"), ensure_ascii=False)
        check(hashlib.sha256(heads.encode()).hexdigest() == kept["changed"], f"{what} has other heads than are signed")
        check_signature(kept, KEPT, keys)
        for order, version, hash_ in kept["heads"]:
            if (kept["account_id"], order) == (proof["account_id"], proof["order"]["order"]):
                states += 1
                reached = 0 < version <= len(proof["facts"]) and proof["facts"][version - 1]["hash"] == hash_
                check(reached, f"{what} has the order in a state that it never was in")
    return states


def public_key(kid: str, keys: Any) -> Ed25519PublicKey:
    """Return the key with this id, of which there has to be one."""
    listed = keys.get("keys") if isinstance(keys, dict) else None
    check(isinstance(listed, list) and all(isinstance(key, dict) for key in listed), "the keys are not a list of keys")
    named = [key for key in listed or () if key.get("kid") == kid]
    check(named, "the root is signed with a key that is not among the keys")
    check(len(named) == 1, "two of the keys have the id of the one that signed")
    check((named[0].get("kty"), named[0].get("crv")) == ("OKP", "Ed25519"), "the key that signed is of another kind")
    x = named[0].get("x")
    check(isinstance(x, str) and len(_bytes(x)) == 32, "the key that signed is not 32 bytes")  # noqa: PLR2004 - as it says
    return Ed25519PublicKey.from_public_bytes(_bytes(x))


def _bytes(text: str) -> bytes:
    """Read base64 that is written in the one way that there is."""
    check(BASE64.fullmatch(text) and len(text) % 4 != 1, "the signature or a key is not base64")
    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    check(base64.urlsafe_b64encode(found).decode().rstrip("=") == text, "the signature or a key is not base64")
    return found


def proven(proof_file: str, keys_file: str, kept_file: str | None = None) -> str:
    """Check everything; return what was found.

    Raises:
        NotProvenError: Something does not hold.
    """
    try:
        texts = [Path(name).read_bytes() for name in (proof_file, keys_file, *([kept_file] if kept_file else []))]
    except OSError as error:
        raise NotProvenError(f"a file cannot be read: {error}") from error
    proof, keys = read(texts[0], "the proof"), read(texts[1], "the file of keys")
    check_form(proof)
    facts, without = check_chain(proof)
    check_root(proof)
    kid = check_signature(proof["root"], ROOT, keys)
    root = proof["root"]
    states = f"{check_kept(proof, texts[2], keys)} kept roots have a state that it went through\n" if kept_file else ""
    return (
        f"order {proof['order']['order']} of {proof['account_id']}: version {facts}, {without} facts without a body\n"
        f"under root {root['root'][:16]} of {root['orders']} orders, signed with key {kid}\n"
        f"{states}proven"
    )


def main(arguments: list[str]) -> int:
    """Check, and say what came of it."""
    if len(arguments) not in (2, 3):
        print("usage: verify_order.py PROOF KEYS [KEPT ROOTS]", file=sys.stderr)
        return 2
    try:
        print(proven(*arguments))
    except NotProvenError as error:
        print(f"NOT PROVEN: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

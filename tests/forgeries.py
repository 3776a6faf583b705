"""Forged histories: what somebody makes of an order's facts, or of the file of its proof, to have it say something else.

Each is refused for its own reason: ``said`` by the example that checks a proof, ``found`` by `ordre verify` where the same is
done to the rows of the database. A proof is of an order that is ``live``, ``talked`` about, of which a comment was deleted, or
``erased``.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

Proof = dict[str, Any]
COLUMNS = ("version", "type", "at", "actor", "ref", "data", "document", "event", "salt", "digest", "hash")
"""Of a fact, as the database has it."""
NESTED = "0:0:6:"
"""The end of a comment that makes the end of its request look like three parts of which two are empty and one has 6 bytes."""

SALT = "the salt of the fact is not 32 hexadecimal digits"
BODY = "the body of the fact is not what its digest says"
HASH = "the hash of the fact does not follow from the fact and the one before it"
FORM = "the digest of the fact has no form that digests have"
NO_BODY = "the fact has no body, and the order was not erased after it"
LEFT = "the order was erased later, and the fact still has a body"
DELETION = "what is left of the deleted comment is not what its deletion says"
END = "the chain does not end in the hash that the order holds: facts at its end are missing or new"
HEAD = "the order's head is not the fold of its facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    of: str
    change: Callable[[Proof], object]
    said: str
    found: str


def led(*parts: str) -> bytes:
    return b"".join(b"%d:" % len(part.encode()) + part.encode() for part in parts)


def digest(salt: str, *parts: str) -> str:
    return sha256(salt.encode() + led(*parts)).hexdigest()


def digest_of(fact: dict[str, Any]) -> str:
    """The digest of a fact's body, as it is now."""
    return "2:" + digest("", "fact", fact["salt"], fact["data"], fact["document"], fact["event"])


def chain(proof: Proof, after: int = 0) -> None:
    """Hash the facts after a version anew, and have the order end in the last."""
    facts, order = proof["facts"], proof["order"]
    previous = facts[after - 1]["hash"] if after else ""
    for fact in facts[after:]:
        link = (proof["account_id"], order["order"], str(fact["version"]), fact["type"], str(fact["at"]), fact["actor"])
        previous = fact["hash"] = digest("", previous, *link, fact["digest"])
    order |= {"version": len(facts), "hash": previous}


def as_of_before(proof: Proof) -> None:
    """Write every fact as earlier versions of Ordre did, whose digests have no mark and no length of the salt."""
    for fact in proof["facts"]:
        if fact["salt"]:
            fact["digest"] = digest(fact["salt"], fact["data"], fact["document"], fact["event"])
    chain(proof)


def set_in(version: int, /, **values: object) -> Callable[[Proof], object]:
    return lambda proof: proof["facts"][version - 1].update(values)


def change_in(version: int, field: str, change: Callable[[Any], object]) -> Callable[[Proof], object]:
    return lambda proof: proof["facts"][version - 1].update({field: change(proof["facts"][version - 1][field])})


def hide_in_salt(proof: Proof) -> None:
    """Take the body of a comment away: all that was hashed of it, but for its last 6 bytes, goes as its salt."""
    fact = proof["facts"][1]
    hidden, end, rest = fact["event"].rpartition(NESTED)
    assert (end, len(rest)) == (NESTED, 6)
    hashed = fact["salt"].encode() + led(fact["data"], fact["document"]) + b"%d:" % len(fact["event"].encode()) + hidden.encode()
    before = digest(fact["salt"], fact["data"], fact["document"], fact["event"])
    fact |= {"salt": hashed.decode(), "data": "", "document": "", "event": rest}
    assert digest(fact["salt"], "", "", rest) == before


def hide_in_old_salt(proof: Proof) -> None:
    as_of_before(proof)
    hide_in_salt(proof)


def slide(proof: Proof) -> None:
    fact = proof["facts"][3]
    fact |= {"document": fact["document"][:-1], "event": fact["document"][-1] + fact["event"]}


def swap(proof: Proof) -> None:
    facts = proof["facts"]
    facts[2], facts[3] = facts[3] | {"version": 3}, facts[2] | {"version": 4}


def forget_the_last(proof: Proof) -> None:
    last = proof["facts"].pop()
    proof["order"] |= {"version": last["version"] - 1, "hash": proof["facts"][-1]["hash"]}


def cheapen(proof: Proof) -> None:
    """Have less been captured, and hash everything anew from there."""
    fact = proof["facts"][3]
    for field in ("data", "document", "event"):
        fact[field] = fact[field].replace("4321", "1234")
    fact["digest"] = digest_of(fact)
    chain(proof, 3)


def double(proof: Proof) -> None:
    proof["facts"].append(proof["facts"][-1] | {"version": 5, "ref": None})
    proof["order"]["version"] = 5


def end_with_erasure(proof: Proof) -> None:
    """Say that the order was erased, though it was not, so that its facts need no bodies."""
    for fact in proof["facts"]:
        fact |= {"data": "", "document": "", "event": "", "salt": "", "ref": None}
    salt, data = "0" * 32, "{}"
    made = {"version": 5, "type": "erased", "at": 1, "actor": "x", "ref": None, "data": data, "document": data, "event": data}
    proof["facts"].append(made | {"salt": salt, "digest": "2:" + digest("", "fact", salt, data, data, data)})
    chain(proof, 4)


def show_deleted(proof: Proof) -> None:
    fact = proof["facts"][1]
    fact["document"] = fact["document"][:-1] + ',"body":"never said"}'


def show_less(proof: Proof) -> None:
    fact = proof["facts"][1]
    fact["document"] = fact["document"].partition(",")[0] + "}"


def hide_as_deleted(proof: Proof) -> None:
    """Have a comment that was not deleted look as if it were the one that was."""
    deleted, other = proof["facts"][1], proof["facts"][2]
    other |= {"data": deleted["data"], "document": deleted["document"], "event": "", "salt": ""}
    other |= {"ref": deleted.get("ref")}


def change_deletion(proof: Proof) -> None:
    deletion = proof["facts"][3]
    deletion["document"] = deletion["document"].replace('"deleted_at"', '"body":"never said","deleted_at"')
    show_deleted(proof)


FORGERIES: dict[str, Forgery] = {
    "a body in the salt": Forgery(
        of="live", change=hide_in_salt, said="the salt of fact 2 is not 32 hexadecimal digits", found=NO_BODY
    ),
    "a body in a salt of before": Forgery(
        of="live", change=hide_in_old_salt, said="the salt of fact 2 is not 32 hexadecimal digits", found=NO_BODY
    ),
    "no salt": Forgery(of="live", change=set_in(2, salt=""), said="fact 2 has no body, and the order was not erased", found=SALT),
    "a longer salt": Forgery(
        of="live",
        change=change_in(3, "salt", lambda salt: salt + "0"),
        said="the salt of fact 3 is not 32 hexadecimal digits",
        found=SALT,
    ),
    "a salt in capitals": Forgery(
        of="live", change=change_in(3, "salt", str.upper), said="the salt of fact 3 is not 32 hexadecimal digits", found=SALT
    ),
    "another salt": Forgery(
        of="live", change=set_in(3, salt="0" * 32), said="the body of fact 3 is not what its digest says", found=BODY
    ),
    "no body": Forgery(
        of="live",
        change=set_in(3, data="", document="", event=""),
        said="fact 3 has no body, and the order was not erased",
        found=NO_BODY,
    ),
    "no body and no salt": Forgery(
        of="live",
        change=set_in(3, data="", document="", event="", salt=""),
        said="fact 3 has no body, and the order was not erased",
        found=NO_BODY,
    ),
    "another amount": Forgery(
        of="live",
        change=change_in(4, "data", lambda data: data.replace("4321", "1234")),
        said="the body of fact 4 is not what its digest says",
        found=BODY,
    ),
    "another amount shown": Forgery(
        of="live",
        change=change_in(4, "document", lambda document: document.replace("4321", "1234")),
        said="the body of fact 4 is not what its digest says",
        found=BODY,
    ),
    "another request": Forgery(
        of="live",
        change=change_in(1, "event", lambda event: event.replace("POST", "PUT")),
        said="the body of fact 1 is not what its digest says",
        found=BODY,
    ),
    "parts cut elsewhere": Forgery(of="live", change=slide, said="the body of fact 4 is not what its digest says", found=BODY),
    "a digest without its mark": Forgery(
        of="live",
        change=change_in(3, "digest", lambda digest: digest.removeprefix("2:")),
        said="the body of fact 3 is not what its digest says",
        found=BODY,
    ),
    "a digest with another mark": Forgery(
        of="live",
        change=change_in(3, "digest", lambda digest: digest.replace("2:", "3:")),
        said="the digest of fact 3 has no form that digests have",
        found=FORM,
    ),
    "a digest in capitals": Forgery(
        of="live",
        change=change_in(3, "digest", str.upper),
        said="the digest of fact 3 has no form that digests have",
        found=FORM,
    ),
    "another digest": Forgery(
        of="live", change=set_in(3, digest="2:" + "0" * 64), said="the body of fact 3 is not what its digest says", found=BODY
    ),
    "another hash": Forgery(of="live", change=set_in(3, hash="0" * 64), said="the hash of fact 3 does not follow", found=HASH),
    "another type": Forgery(of="live", change=set_in(4, type="refund"), said="the hash of fact 4 does not follow", found=HASH),
    "another time": Forgery(of="live", change=set_in(4, at=1), said="the hash of fact 4 does not follow", found=HASH),
    "another actor": Forgery(of="live", change=set_in(1, actor="x"), said="the hash of fact 1 does not follow", found=HASH),
    "the first fact gone": Forgery(
        of="live",
        change=lambda proof: proof["facts"].pop(0),
        said="fact 1 is missing",
        found="fact 1 is missing; version 2 stands in its place",
    ),
    "a fact gone": Forgery(
        of="live",
        change=lambda proof: proof["facts"].pop(1),
        said="fact 2 is missing",
        found="fact 2 is missing; version 3 stands in its place",
    ),
    "the last fact gone": Forgery(
        of="live", change=lambda proof: proof["facts"].pop(), said="the facts do not reach the order's version", found=END
    ),
    "no facts": Forgery(
        of="live",
        change=lambda proof: proof["facts"].clear(),
        said="the facts do not reach the order's version",
        found="the order has no facts",
    ),
    "the last fact never was": Forgery(of="live", change=forget_the_last, said="the order is not under the root", found=HEAD),
    "facts in another order": Forgery(of="live", change=swap, said="the hash of fact 3 does not follow", found=HASH),
    "a fact twice": Forgery(of="live", change=double, said="the hash of fact 5 does not follow", found=HASH),
    "everything anew for another amount": Forgery(of="live", change=cheapen, said="the order is not under the root", found=HEAD),
    "an end that it has not": Forgery(
        of="live",
        change=lambda proof: proof["order"].update(hash="0" * 64),
        said="the chain does not end in the order's hash",
        found=END,
    ),
    "erased, which it was not": Forgery(
        of="live",
        change=end_with_erasure,
        said="the order is not under the root",
        found="the facts do not fold: ValidationError('Object missing required field `id`')",
    ),
    "a deleted comment that says something": Forgery(
        of="talked", change=show_deleted, said="fact 2 is not what its deletion says", found=DELETION
    ),
    "a deleted comment of nobody": Forgery(
        of="talked", change=show_less, said="fact 2 is not what its deletion says", found=DELETION
    ),
    "a deleted comment with a request": Forgery(
        of="talked", change=set_in(2, event="{}"), said="fact 2 is not what its deletion says", found=DELETION
    ),
    "a deletion that says something": Forgery(
        of="talked", change=change_deletion, said="the body of fact 4 is not what its digest says", found=BODY
    ),
    "a comment that passes for a deleted one": Forgery(
        of="talked",
        change=hide_as_deleted,
        said="fact 3 is a comment with the id of an earlier one",
        found="another comment before it has the same id",
    ),
    "a comment that nobody deleted": Forgery(
        of="talked", change=set_in(3, event="", salt=""), said="fact 3 has no body, and the order was not erased", found=SALT
    ),
    "an erased body put in": Forgery(
        of="erased",
        change=set_in(1, data="{}", document="{}", event="{}"),
        said="the order was erased after fact 1, which still has a body",
        found=LEFT,
    ),
    "an erased amount put in": Forgery(
        of="erased",
        change=set_in(2, data='{"amount":1}'),
        said="the order was erased after fact 2, which still has a body",
        found=LEFT,
    ),
    "an erased request put in": Forgery(
        of="erased",
        change=set_in(2, event="{}"),
        said="the order was erased after fact 2, which still has a body",
        found=LEFT,
    ),
    "an erased body put in with a salt": Forgery(
        of="erased",
        change=set_in(1, data="{}", salt="0" * 32),
        said="the order was erased after fact 1, which still has a body",
        found=LEFT,
    ),
    "an erased salt put in": Forgery(
        of="erased",
        change=set_in(1, salt="0" * 32),
        said="the order was erased after fact 1, which still has a body",
        found=LEFT,
    ),
    "what says that it was erased is empty": Forgery(
        of="erased",
        change=set_in(3, data="", document="", event="", salt=""),
        said="fact 3 has no body, and the order was not erased",
        found=NO_BODY,
    ),
    "never erased": Forgery(
        of="erased",
        change=set_in(3, type="closed"),
        said="fact 1 has no body, and the order was not erased",
        found=NO_BODY,
    ),
}


def signature_of(proof: Proof, place: int, change: Callable[[bytes], bytes]) -> None:
    """Change the head (0), the content (1) or the signature (2) of a root's signature."""
    parts = proof["root"]["signature"].split(".")
    content = change(base64.urlsafe_b64decode(parts[place] + "=="))
    parts[place] = base64.urlsafe_b64encode(content).decode().rstrip("=")
    proof["root"]["signature"] = ".".join(parts)


def unlike_base64(signature: str) -> str:
    """Write the last bits of a signature, which count for nothing, in another way."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + letters[letters.index(signature[-1]) ^ 1]


def change_signature(change: Callable[[str], str]) -> Callable[[Proof], object]:
    return lambda proof: proof["root"].update(signature=change(proof["root"]["signature"]))


FORMS: dict[str, tuple[Callable[[Proof], object], str]] = {
    "an unknown field": (lambda proof: proof.update(note="x"), "the proof has the field note, which is not known"),
    "an unknown field of a fact": (set_in(1, bodies="x"), "fact 1 has the field bodies, which is not known"),
    "an unknown field of the order": (
        lambda proof: proof["order"].update(id="x"),
        "the order has the field id, which is not known",
    ),
    "an unknown field of the root": (lambda proof: proof["root"].update(by="x"), "the root has the field by, which is not known"),
    "a field that is not there": (lambda proof: proof["facts"][0].pop("salt"), "fact 1 has no field salt"),
    "a version that is true": (set_in(1, version=True), "version of fact 1 is not a whole number"),
    "a time in a text": (change_in(1, "at", str), "at of fact 1 is not a whole number"),
    "a time before all time": (change_in(1, "at", lambda at: -at), "at of fact 1 is below zero"),
    "no salt at all": (set_in(1, salt=None), "salt of fact 1 is not a text"),
    "a body that is no text": (change_in(1, "data", json.loads), "data of fact 1 is not a text"),
    "half a character": (set_in(1, data="\ud800"), "data of fact 1 has half a character"),
    "facts by version": (lambda proof: proof.update(facts={}), "facts of the proof is not a list"),
    "a fact that is a list": (lambda proof: proof.update(facts=[[]]), "fact 1 is not an object"),
    "no root": (lambda proof: proof.update(root=None), "root of the proof is not an object"),
    "a step up": (lambda proof: proof["path"][0].__setitem__(0, "up"), "a step of the path has no side"),
    "a step of three": (lambda proof: proof["path"][0].append("x"), "a step of the path has no side"),
    "a step to nowhere": (lambda proof: proof["path"][0].__setitem__(1, "x"), "a step of the path is not 64 hexadecimal digits"),
    "a longer path": (
        lambda proof: proof["path"].extend([["left", "0" * 64]] * 9),
        "the path is longer than the root's orders allow",
    ),
    "no path": (lambda proof: proof["path"].clear(), "the order is not under the root"),
    "another account": (lambda proof: proof.update(account_id="T9"), "the hash of fact 1 does not follow"),
    "a root of another account": (lambda proof: proof["root"].update(account_id="T9"), "the root is of another account"),
    "another root": (lambda proof: proof["root"].update(root="0" * 64), "the order is not under the root"),
    "a root that is a word": (lambda proof: proof["root"].update(root="x"), "the hash of the root is not 64 hexadecimal digits"),
    "a root of more orders": (lambda proof: proof["root"].update(orders=9), "another root is signed"),
    "a root of another time": (lambda proof: proof["root"].update(at=9), "another root is signed"),
    "no signature": (change_signature(lambda _: ""), "the signature is not one of three parts"),
    "a signature of four parts": (change_signature(lambda text: text + ".x"), "the signature is not one of three parts"),
    "a signature with a line's end": (change_signature(lambda text: text + "\n"), "the signature or a key is not base64"),
    "a signature written otherwise": (change_signature(unlike_base64), "the signature or a key is not base64"),
    "a signature of nobody": (
        lambda proof: signature_of(proof, 2, lambda text: bytes([text[0] ^ 1]) + text[1:]),
        "the signature is not good",
    ),
    "something else signed": (
        lambda proof: signature_of(proof, 1, lambda text: text.replace(b'"orders":', b'"orders":1')),
        "the signature is not good",
    ),
    "no algorithm": (
        lambda proof: signature_of(proof, 0, lambda text: text.replace(b"EdDSA", b"none")),
        "the signature is of another kind",
    ),
    "a head with more": (
        lambda proof: signature_of(proof, 0, lambda text: text.replace(b"{", b'{"b64":false,')),
        "the head of the signature has the field b64, which is not known",
    ),
    "another key's name": (
        lambda proof: signature_of(proof, 0, lambda text: text.replace(b'"kid":"', b'"kid":"x')),
        "the root is signed with a key that is not among the keys",
    ),
}
"""Name -> what is done to the file of a proof, and what is said of it. The database has no such thing."""

TEXTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "facts twice": (lambda text: text.replace(b"{", b'{"facts":[],', 1), "the proof has the field facts twice"),
    "a salt twice": (lambda text: text.replace(b'"salt":', b'"salt":"","salt":', 1), "the proof has the field salt twice"),
    "a version with a point": (
        lambda text: text.replace(b'"version":1', b'"version":1.0', 1),
        "the proof has the number 1.0, which is not a whole number",
    ),
    "a version with a power": (
        lambda text: text.replace(b'"version":1', b'"version":1e0', 1),
        "the proof has the number 1e0, which is not a whole number",
    ),
    "a version below nothing": (
        lambda text: text.replace(b'"version":1', b'"version":-0', 1),
        "the proof has the number -0, which is not written as one",
    ),
    "a version with a nought before": (
        lambda text: text.replace(b'"version":1', b'"version":01', 1),
        "the proof is not JSON: ",
    ),
    "a version that is no number": (
        lambda text: text.replace(b'"version":1', b'"version":NaN', 1),
        "the proof has the number NaN, which is not a whole number",
    ),
    "a version without end": (
        lambda text: text.replace(b'"version":1', b'"version":Infinity', 1),
        "the proof has the number Infinity, which is not a whole number",
    ),
    "a version of many digits": (
        lambda text: text.replace(b'"version":1', b'"version":1' + b"0" * 9_000, 1),
        "the proof has the number 1" + "0" * 29 + ", which is not written as one",
    ),
    "something after the end": (lambda text: text + b"{}", "the proof is not JSON: Extra data"),
    "no end": (lambda text: text[:-9], "the proof is not JSON: "),
    "nothing": (lambda _: b"", "the proof is not JSON: "),
    "no UTF-8": (lambda text: text.replace(b'"type":"', b'"type":"\xff', 1), "the proof is not JSON: 'utf-8' codec"),
    "a mark of bytes' order": (lambda text: b"\xef\xbb\xbf" + text, "the proof is not JSON: Unexpected UTF-8 BOM"),
    "a thing without a floor": (lambda _: b"[" * 1_000_000, "the proof is not JSON: "),
    "a list": (lambda text: b"[" + text + b"]", "the proof is not an object"),
}
"""Name -> what is done to the text of a proof's file, and how what is said of it begins."""

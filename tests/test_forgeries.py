"""No forged history is taken for a true one: neither in the file of a proof, nor in the rows of the database."""

import asyncio
import copy
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from commands import CHECKER
from database import ENGINES, new_database, sql
from forgeries import COLUMNS, FORGERIES, FORMS, NESTED, TEXTS, Proof, as_of_before
from ordre import audit
from ordre.auth.roots import signed_root
from ordre.bootstrap import snapshot
from ordre.domain.merkle import Head, leaf
from ordre.settings import Settings
from service import operation, serving

pytestmark = pytest.mark.slow

ACCOUNT = "T00000001"


@pytest.fixture(scope="module", params=ENGINES)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A database with an order of each kind, and the keys of its server in a file."""
    database, keys = new_database(request, request.param, tmp_path_factory), tmp_path_factory.mktemp("keys") / "keys.json"
    with serving(database) as service, service.shop(account_id=ACCOUNT) as shop:
        orders = {name: shop.order(4321, order_id=name)["id"] for name in ("live", "talked", "erased")}
        live, talked, erased = (f"/orders/{one}" for one in orders.values())
        shop.post(f"{live}/comments", {"body": NESTED})
        shop.post(f"{live}/authorizations", operation((1, 4321)))
        shop.post(f"{live}/captures", operation((1, 4321)))
        gone = shop.post(f"{talked}/comments", {"body": "goes"})
        shop.post(f"{talked}/comments", {"body": "stays"})
        shop.delete(f"{talked}/comments/{gone['id']}")
        shop.post(f"{erased}/comments", {"body": "goes, too"})
        shop.delete(erased)
        sql(database, "drop index facts_by_ref")  # which stands in an intruder's way
        keys.write_text(shop.http.get("/.well-known/jwks.json").text, encoding="utf-8")
    return database, keys


@pytest.fixture(scope="module")
def proofs(original: tuple[str, Path]) -> dict[str, Proof]:
    """The proof of each order."""
    settings = Settings(database=original[0])

    def proof_of(order: str) -> Proof:
        made: Proof = json.loads(json.dumps(audit.verify(settings, ACCOUNT, 1, lambda *_: None, audit.Wishes(proof=order)).proof))
        return made

    return {name: proof_of(name) for name in ("live", "talked", "erased")}


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    """The example, as a module."""
    described = importlib.util.spec_from_file_location("verify_order", CHECKER)
    assert described is not None
    assert described.loader is not None
    made = sys.modules["verify_order"] = importlib.util.module_from_spec(described)
    described.loader.exec_module(made)
    return made


Told = Callable[[Proof | bytes], str]


@pytest.fixture
def told(checker: ModuleType, original: tuple[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Checks a proof, or a text that should be one; returns what is said at the end."""

    def checked(proof: Proof | bytes) -> str:
        file = tmp_path / "proof.json"
        file.write_bytes(proof if isinstance(proof, bytes) else json.dumps(proof).encode())
        status = checker.main([str(file), str(original[1])])
        said = capsys.readouterr().out.strip()
        assert status == (0 if said.endswith("\nproven") else 1)
        return said

    return checked


def test_what_is_not_forged_is_proven(told: Told, proofs: dict[str, Proof]) -> None:
    without = {"live": 0, "talked": 1, "erased": 2}
    for name, proof in proofs.items():
        assert f"{without[name]} facts without a body" in told(proof)


def test_an_order_of_before_is_proven_as_before(original: tuple[str, Path], told: Told, proofs: dict[str, Proof]) -> None:
    """Its facts have digests without a mark, and it is signed anew: to be proven, it has to be as the server of then wrote it."""

    async def signed(root: str) -> dict[str, Any]:
        async with snapshot(Settings(database=original[0])) as database:
            (key,) = await database.signing_keys()
            return signed_root(key, ACCOUNT, 1, root, 1)

    for proof in copy.deepcopy(proofs).values():
        as_of_before(proof)
        proof |= {"path": [], "root": asyncio.run(signed(leaf(ACCOUNT, Head(**proof["order"]))))}
        assert told(proof).endswith("\nproven")


@pytest.mark.once
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_proof_is_refused(told: Told, proofs: dict[str, Proof], name: str) -> None:
    forgery = FORGERIES[name]
    proof = copy.deepcopy(proofs[forgery.of])
    forgery.change(proof)
    for fact in proof["facts"]:
        fact.pop("ref", None)
    assert proof != proofs[forgery.of]
    assert told(proof) == f"NOT PROVEN: {forgery.said}"


@pytest.mark.once
@pytest.mark.parametrize("name", FORMS)
def test_a_proof_of_another_form_is_refused(told: Told, proofs: dict[str, Proof], name: str) -> None:
    proof = copy.deepcopy(proofs["live"])
    change, said = FORMS[name]
    change(proof)
    assert told(proof) == f"NOT PROVEN: {said}"


@pytest.mark.once
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_can_be_read_in_two_ways_is_refused(told: Told, proofs: dict[str, Proof], name: str) -> None:
    text = json.dumps(proofs["live"], separators=(",", ":")).encode()
    change, said = TEXTS[name]
    assert change(text) != text
    assert told(change(text)).startswith(f"NOT PROVEN: {said}")


def test_keys_that_are_none_prove_nothing(
    checker: ModuleType, original: tuple[str, Path], proofs: dict[str, Proof], tmp_path: Path
) -> None:
    (key,) = json.loads(original[1].read_text(encoding="utf-8"))["keys"]
    proof, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    proof.write_text(json.dumps(proofs["live"]), encoding="utf-8")
    for found, said in (
        ([], "are not a list of keys"),
        ({"keys": ["x"]}, "are not a list of keys"),
        ({"keys": []}, "not among the keys"),
        ({"keys": [key, key]}, "two of the keys"),
        ({"keys": [{**key, "crv": "Ed448"}]}, "of another kind"),
        ({"keys": [{**key, "x": "AAAA"}]}, "not 32 bytes"),
        ({"keys": [{**key, "x": "="}]}, "not base64"),
        ({"keys": [{**key, "x": "A" * 43}]}, "not good"),
    ):
        keys.write_text(json.dumps(found), encoding="utf-8")
        with pytest.raises(checker.NotProvenError, match=said):
            checker.proven(str(proof), str(keys))
    with pytest.raises(checker.NotProvenError, match="cannot be read"):
        checker.proven(str(proof), str(tmp_path / "none"))
    assert checker.main([str(proof)]) == 2


def write(database: str, order: dict[str, Any], facts: list[dict[str, Any]]) -> None:
    """Have these facts be those of the order, and its row end in its hash, as an intruder would."""
    sql(database, "delete from facts where id = $1", order["order"])
    columns, marks = ", ".join(("account_id", "id", *COLUMNS)), ", ".join(f"${n}" for n in range(1, len(COLUMNS) + 3))
    for fact in facts:
        values = [fact[name] for name in COLUMNS]
        sql(database, f"insert into facts ({columns}) values ({marks})", ACCOUNT, order["order"], *values)
    sql(database, "update orders set version = $2, hash = $3 where id = $1", *order.values())


@pytest.mark.once
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_row_is_found(original: tuple[str, Path], proofs: dict[str, Proof], name: str) -> None:
    database, forgery = original[0], FORGERIES[name]
    order = proofs[forgery.of]["order"]
    rows = sql(database, f"select {', '.join(COLUMNS)} from facts where id = $1 order by version", order["order"])
    facts = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    proof: Proof = copy.deepcopy({"account_id": ACCOUNT, "order": order, "facts": facts})
    forgery.change(proof)
    try:
        write(database, proof["order"], proof["facts"])
        report = audit.verify(Settings(database=database), ACCOUNT, 1, lambda *_: None)
    finally:
        write(database, order, facts)
    assert {one.order for one in report.differences if one.order is not None} == {order["order"]}
    assert report.differences[0].reason == forgery.found


def test_nothing_is_found_where_nothing_is_forged(original: tuple[str, Path]) -> None:
    assert audit.verify(Settings(database=original[0]), ACCOUNT, 1, lambda *_: None).differences == []

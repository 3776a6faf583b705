"""The keys that sign tokens are encrypted at rest where there is a secret, and only whoever has it can serve."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from commands import run
from database import sql
from forked import run_forked
from marks import everything_in
from ordre.auth.sealing import CannotUnseal, Sealer, key_of_passphrase, key_of_secret, seal, unseal
from ordre.settings import BadSetting, Settings, environment_of, settings_from
from service import Service

pytestmark = [pytest.mark.slow, pytest.mark.once]

ONE, TWO, THREE = (base64.b64encode(bytes([number]) * 32).decode() for number in range(3))


def test_what_is_sealed_opens_under_its_key_and_its_name_alone() -> None:
    key = key_of_secret(ONE, "test")
    sealed = seal(key, b"content", "a thing")
    assert b"content" not in sealed
    assert seal(key, b"content", "a thing") != sealed, "no two are alike"
    assert unseal(key, sealed, "a thing") == b"content"
    changed = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]
    others = [(key_of_secret(TWO, "test"), sealed), (key_of_secret(ONE, "another"), sealed), (key, b""), (key, sealed[:-1])]
    for other, text in [*others, *((key, one) for one in changed)]:
        with pytest.raises(CannotUnseal):
            unseal(other, text, "a thing")
    with pytest.raises(CannotUnseal):
        unseal(key, sealed, "another thing")


def test_a_passphrase_makes_a_key_with_its_salt() -> None:
    made = key_of_passphrase("correct horse", b"0" * 16)
    assert len(made) == 32
    assert made == key_of_passphrase("correct horse", b"0" * 16)
    assert made != key_of_passphrase("correct horse", b"1" * 16)
    assert made != key_of_passphrase("correct horsf", b"0" * 16)


def test_a_sealer_seals_under_the_first_secret_and_opens_under_each() -> None:
    old, new, both, none = Sealer([ONE]), Sealer([TWO]), Sealer([TWO, ONE]), Sealer()
    sealed = old.seal("text", "x")
    assert both.unseal(sealed, "x") == old.unseal(sealed, "x") == "text"
    assert (old.is_current(sealed), both.is_current(sealed), none.is_current(sealed)) == (True, False, False)
    anew = both.seal(both.unseal(sealed, "x"), "x")
    assert new.unseal(anew, "x") == "text"
    for sealer, said in ((new, "another secret key"), (none, "no secret key")):
        with pytest.raises(CannotUnseal, match=said):
            sealer.unseal(sealed, "x")
    with pytest.raises(CannotUnseal):
        old.unseal(sealed[:-3] + "!!!", "x")
    assert none.seal("text", "x") == none.unseal("text", "x") == both.unseal("text", "x") == "text"
    assert (none.is_current("text"), old.is_current("text")) == (True, False)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ORDRE_SECRET_KEY": "short"}, "at least 32 characters"),
        ({"ORDRE_SECRET_KEY": f"{ONE} short"}, "at least 32 characters"),
        ({"ORDRE_SECRET_KEY": " "}, "at least 32 characters"),
        ({"ORDRE_SECRET_KEY": ONE, "ORDRE_SECRET_KEY_FILE": "/x"}, "are both set"),
    ],
)
def test_a_secret_that_does_not_fit_is_said_and_not_shown(environment: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said) as raised:
        settings_from(environment)
    assert "short" not in str(raised.value)


def test_a_secret_is_read_from_its_file_and_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{ONE}\n{TWO}\n", encoding="utf-8")
    read = settings_from({"ORDRE_SECRET_KEY_FILE": str(file)})
    assert settings_from(environment_of(read)).secret_keys() == [ONE, TWO]
    given = Settings(secret_key=f"{ONE} {TWO}")
    assert settings_from(environment_of(given)).secret_keys() == [ONE, TWO]
    assert ONE not in repr(given)
    file.write_text("\n", encoding="utf-8")
    for settings, said in ((read, "at least 32"), (Settings(secret_key_file=str(tmp_path / "none")), "cannot be read")):
        with pytest.raises(BadSetting, match=said):
            settings.secret_keys()


def with_secret(*arguments: str, database: str, secret: str, status: int = 0) -> str:
    """What the command says, with this secret."""
    environment = {**os.environ, "ORDRE_DATABASE": database, "ORDRE_SECRET_KEY": secret, "ORDRE_UNSAFE_STORAGE": "allow"}
    done = run_forked(arguments, environment)
    assert done.returncode == status, done.stdout + done.stderr
    assert all(one not in done.stdout + done.stderr for one in secret.split())
    return " ".join((done.stdout + done.stderr).split())


def private_parts(database: str) -> list[bytes]:
    """The secret part of each key that stands in the database in clear."""
    stored = [row[0] for row in sql(database, "select jwk from signing_keys order by kid")]
    return [json.loads(one)["d"].encode() for one in stored if one.startswith("{")]


def test_keys_are_encrypted_when_a_server_starts_with_a_secret(own_database: str) -> None:
    run("migrate", database=own_database)
    run("key", "rotate", database=own_database)
    (plain,) = private_parts(own_database)
    service = Service(own_database, "--workers", "2", environment={**os.environ, "ORDRE_SECRET_KEY": ONE})
    service.start()
    try:
        with service.shop() as shop:
            made = shop.order(100)
            with_secret("key", "rotate", database=own_database, secret=ONE)
            with service.shop(account_id=shop.account_id) as later:
                assert later.get(f"/orders/{made['id']}") == made
    finally:
        service.stop()
    assert private_parts(own_database) == []
    listed = json.loads(with_secret("key", "list", "--json", database=own_database, secret=ONE))
    assert [key["encrypted"] for key in listed] == [True, True]
    assert plain not in everything_in(own_database), "nor in the file, its log, or a row"


@pytest.mark.parametrize("secret", ["", TWO])
def test_without_the_right_secret_nothing_starts(own_database: str, secret: str) -> None:
    run("migrate", database=own_database)
    with_secret("key", "rotate", database=own_database, secret=ONE)
    stored = sql(own_database, "select jwk from signing_keys")
    reason = "another secret key than the one given" if secret else "no secret key is given"
    for command in (("serve", "--port", "0"), ("key", "list"), ("key", "rotate"), ("key", "decrypt")):
        said = with_secret(*command, database=own_database, secret=secret, status=1)
        assert "the key " in said
        assert reason in said
    assert sql(own_database, "select jwk from signing_keys") == stored


def test_a_new_secret_takes_the_place_of_an_old_one(own_database: str) -> None:
    run("migrate", database=own_database)
    assert "set ORDRE_SECRET_KEY" in run("key", "encrypt", database=own_database, status=1)
    run("key", "rotate", database=own_database)
    (plain,) = private_parts(own_database)
    assert with_secret("key", "encrypt", database=own_database, secret=ONE) == "encrypted: 1 keys: 1"
    assert with_secret("key", "encrypt", database=own_database, secret=ONE) == "encrypted: 0 keys: 1"
    assert plain not in everything_in(own_database)
    assert with_secret("key", "encrypt", database=own_database, secret=f"{TWO} {ONE}") == "encrypted: 1 keys: 1"
    assert "another secret key" in with_secret("key", "list", database=own_database, secret=ONE, status=1)
    assert with_secret("key", "decrypt", database=own_database, secret=TWO) == "decrypted: 1 keys: 1"
    assert private_parts(own_database) == [plain], "the same key as in the beginning"


def test_a_server_that_has_no_secret_goes_on_with_the_keys_that_it_knows(own_database: str) -> None:
    service = Service(own_database)
    service.start()
    try:
        with service.shop() as shop:
            made = shop.order(100)
            with_secret("key", "encrypt", database=own_database, secret=ONE)
            time.sleep(5.1)  # keys are read again after 5 s
            with service.shop(account_id=shop.account_id) as later:
                assert later.get(f"/orders/{made['id']}") == made
    finally:
        service.stop()


def test_a_sealed_key_cannot_be_put_in_the_place_of_another(own_database: str) -> None:
    run("migrate", database=own_database)
    for _ in range(2):
        with_secret("key", "rotate", database=own_database, secret=ONE)
    rows: list[Any] = sql(own_database, "select kid, jwk from signing_keys order by kid")
    sql(own_database, "update signing_keys set jwk = $1 where kid = $2", rows[0][1], rows[1][0])
    assert "sealed under another key, or changed" in with_secret("key", "list", database=own_database, secret=ONE, status=1)

"""`ordre key`."""

from typing import Any

from cyclopts import App

from ordre.application.directory import SigningKey
from ordre.application.store import Access, Store
from ordre.auth.roots import new_root_key, public_jwk, root_key
from ordre.auth.tokens import rotate_keys
from ordre.cli.options import By, Database, Json, Switch, now, settings_with, with_store
from ordre.cli.output import json_text, print_fields, print_rows
from ordre.settings import BadSetting

app = App(name="key", help="List, rotate, encrypt and decrypt the keys that sign tokens; make one that signs roots.")


@app.command(name="list")
def list_keys(*, database: Database = None, json: Json = False) -> None:
    """List the keys that sign tokens. Private keys are never printed."""
    found = with_store(database, lambda store: store.signing_keys(), Access.READ)
    print_rows([_key_fields(key) for key in found], json=json)


@app.command(name="rotate")
def rotate_signing_keys(*, by: By = None, database: Database = None, json: Json = False) -> None:
    """Sign with a new key from now on. Tokens that were already issued stay valid until they expire."""

    async def work(store: Store) -> SigningKey:
        made = await rotate_keys(store, now())
        return next(key for key in await store.signing_keys() if key.kid == made.kid)

    key = with_store(database, work, by=by)
    print_fields(_key_fields(key), json=json, done=f"key {key.kid} signs tokens from now on")


@app.command(name="encrypt")
def encrypt_signing_keys(*, by: By = None, database: Database = None, json: Json = False) -> None:
    """Encrypt every key under ORDRE_SECRET_KEY; those that are under an older secret are encrypted anew.

    `ordre serve` does this when it starts. Say it by hand before an older secret is taken away.
    """
    if not settings_with(database=database).secret_keys():
        raise BadSetting("set ORDRE_SECRET_KEY or ORDRE_SECRET_KEY_FILE, under which the keys are to be encrypted")
    _print_sealed(database, by, "encrypted", plain=False, json=json)


@app.command(name="decrypt")
def decrypt_signing_keys(*, by: By = None, database: Database = None, json: Json = False) -> None:
    """Keep every key as it is, so that servers need no ORDRE_SECRET_KEY any more. A server that still has one encrypts again."""
    _print_sealed(database, by, "decrypted", plain=True, json=json)


@app.command(name="root")
def print_root_key(*, public: Switch = False) -> None:
    """Print a new private key to sign roots with, which is stored nowhere: keep it where the database is not.

    Give it to `ordre verify` and `ordre witness` as ORDRE_ROOT_KEY, or in the file that ORDRE_ROOT_KEY_FILE names.

    Args:
        public: Print the public half of the key that is set instead, as a JSON Web Key Set, for whoever checks roots and proofs.
    """
    if not public:
        print(new_root_key())
        return
    private = settings_with().own_root_key()
    if not private:
        raise BadSetting("set ORDRE_ROOT_KEY or ORDRE_ROOT_KEY_FILE, whose public half is to be printed")
    print(json_text({"keys": [public_jwk(root_key(private).jwk)]}))


def _print_sealed(database: str | None, by: str | None, what: str, *, plain: bool, json: bool) -> None:
    async def work(store: Store) -> tuple[int, int]:
        changed = await store.seal_signing_keys(plain=plain)
        await store.seal_hook_secrets(plain=plain)
        await store.settle()
        return changed, len(await store.signing_keys())

    changed, total = with_store(database, work, by=by)
    print_fields({what: changed, "keys": total}, json=json)


def _key_fields(key: SigningKey) -> dict[str, Any]:
    return {"kid": key.kid, "created_at": key.created_at, "retired_at": key.retired_at, "encrypted": key.encrypted}

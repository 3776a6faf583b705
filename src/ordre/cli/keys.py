"""`ordre key`."""

from cyclopts import App

from ordre.auth.tokens import rotate_keys
from ordre.cli.options import Database, Json, now, with_store
from ordre.cli.output import print_fields, print_rows

app = App(name="key", help="List and rotate the keys that sign tokens.")


@app.command(name="list")
def list_keys(*, database: Database = None, json: Json = False) -> None:
    """List the keys that sign tokens. Private parts are never shown."""
    found = with_store(database, lambda store: store.signing_keys())
    print_rows([{"kid": key.kid, "created_at": key.created_at, "retired_at": key.retired_at} for key in found], json=json)


@app.command(name="rotate")
def rotate_signing_keys(*, database: Database = None, json: Json = False) -> None:
    """Sign with a new key from now on. Tokens that are out stay good until they expire."""
    key = with_store(database, lambda store: rotate_keys(store, now()))
    print_fields({"kid": key.kid, "created_at": key.created_at, "retired_at": key.retired_at}, json=json)

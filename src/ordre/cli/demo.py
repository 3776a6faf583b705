"""`ordre demo`."""

from dataclasses import asdict

from ordre.application.ports import Access
from ordre.cli.options import Database, Json, now, with_store
from ordre.cli.output import print_fields
from ordre.demo import make_demo


def demo(*, database: Database = None, json: Json = False) -> None:
    """Fill a new account with orders in every state, and print the id and secret of a client that can read them."""
    made = with_store(database, lambda store: make_demo(store, now()), Access.MAKE)
    print_fields(asdict(made), json=json)

"""`ordre serve`."""

import os
import re
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from ordre.application.accounts import ACCOUNT_ID, CLIENT_ID
from ordre.application.troubles import StoreUnavailable
from ordre.cli.options import Flags, Switch
from ordre.cli.running import begin_log, fail
from ordre.settings import BadSetting, Settings, settings_from, variable_of


def serve(
    flags: Annotated[Flags, Parameter(name="*")] | None = None,
    *,
    ephemeral: Switch = False,
    account: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    demo: Switch = False,
) -> None:
    """Serve the API until interrupted; requests in flight finish.

    An SQLite database is created and migrated where needed. Prepare a PostgreSQL database with `ordre migrate`.
    Every setting can be given in the environment; see docs/settings.md and `ordre settings`.

    Args:
        ephemeral: Keep everything in memory, for tests, and print a line of JSON: the URL, an account, a client's id and secret.
            ORDRE_DATABASE is not read then; --database is refused.
        account: With --ephemeral: the account to create [default: T00000001]
        client_id: With --ephemeral: the id of its client [default: a new one]
        client_secret: With --ephemeral: the client's secret [default: a new one]
        demo: With --ephemeral: fill the account with the orders of `ordre demo`.
    """
    try:
        settings = _settings(flags or Flags(), ephemeral=ephemeral)
        guest = _guest(settings, account, client_id, client_secret, demo=demo)
    except BadSetting as error:
        fail(error, (flags and flags.log_format) or os.environ.get(variable_of("log_format"), "auto"))
    from ordre.served import Guest  # noqa: PLC0415 - help and completion need nothing of what serves
    from ordre.server import CannotListen, serve_until_interrupted  # noqa: PLC0415 - as above

    begin_log(settings)
    try:
        started = serve_until_interrupted(settings, None if guest is None else Guest(**guest))
    except (BadSetting, CannotListen, StoreUnavailable) as error:
        fail(error, settings.log_format)
    if not started:
        sys.exit(1)


def _settings(flags: Flags, *, ephemeral: bool) -> Settings:
    settings = settings_from(os.environ, **flags.given(memory=ephemeral))
    if ephemeral and flags.database not in (None, settings.database):
        raise BadSetting("--ephemeral keeps everything in memory: leave out --database, or --ephemeral")
    return settings


def _guest(
    settings: Settings, account: str | None, client_id: str | None, client_secret: str | None, *, demo: bool
) -> dict[str, Any] | None:
    """Return the account and client that a server in memory begins with; None for another server."""
    if account is not None and not re.fullmatch(ACCOUNT_ID, account):
        raise BadSetting(f"--account is {account!r}; it must be T (test) or P (production) and eight digits")
    if client_id is not None and not re.fullmatch(CLIENT_ID, client_id):
        raise BadSetting("--client-id must be 1 to 64 letters, digits, '-', '_' and '.'")
    if client_secret is not None and not client_secret:
        raise BadSetting("--client-secret is empty; leave it out for a new one")
    asked = {"account_id": account, "client_id": client_id, "client_secret": client_secret}
    named = {name: value for name, value in asked.items() if value is not None}
    if settings.ephemeral:
        return {**named, "demo": demo}
    if named or demo:
        raise BadSetting("--account, --client-id, --client-secret and --demo go with --ephemeral")
    return None

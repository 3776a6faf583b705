"""`ordre conformance`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ordre.cli.notices import console
from ordre.cli.options import Json
from ordre.cli.output import print_rows
from ordre.settings import BadSetting


def conformance(
    url: str,
    *,
    account: str,
    client_id: Annotated[str, Parameter(env_var="ORDRE_CLIENT_ID")],
    client_secret: Annotated[str, Parameter(env_var="ORDRE_CLIENT_SECRET")],
    evidence: Literal["seen", "derived", "inferred"] = "inferred",
    extras: bool = True,
    junit: Path | None = None,
    json: Json = False,
) -> None:
    """Check a server against the table of docs/compatibility.md; exit with 1 if a check fails, or none can be made.

    The checks create orders on the account: use a test account. Against the original API, add --no-extras.
    A check that fails says what is known of what it broke: seen in public pages, derived from them, inferred, or Ordre's own.

    Args:
        url: The server's URL, such as http://127.0.0.1:8080.
        account: The account, such as T12345678.
        client_id: The id of a client with the scopes admin:shopping and admin:hooks.
        client_secret: Its secret.
        evidence: How far to judge: by what public pages of the original API show, also by what is derived from them, or also by
            what is inferred where they are silent.
        extras: Also check what differs from the original API, and Ordre's extras.
        junit: Write JUnit XML to this file.
    """
    from rich.progress import track  # noqa: PLC0415 - help and completion need nothing of what it loads

    from ordre.conformance import run as conformity  # noqa: PLC0415 - as above
    from ordre.conformance.table import Evidence  # noqa: PLC0415 - as above

    fault = conformity.fault_of_address(url, account, client_id, client_secret)
    if fault is not None:
        raise BadSetting(fault)
    level = Evidence(evidence)
    wanted = conformity.checks(extras=extras, level=level)
    running = conformity.against(url, account, client_id, client_secret, wanted, level)
    results = list(track(running, "Checking", len(wanted), console=console(), disable=json or not console().is_terminal))
    if junit is not None:
        junit.write_text(conformity.junit(results, url), encoding="utf-8")
    print_rows([conformity.fields_of(one, level) for one in results], json=json)
    if not json:
        print(conformity.summary(results))
    if any(one.faults for one in results):
        sys.exit(1)

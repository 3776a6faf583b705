"""`ordre webhooks`."""

import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from ordre.application import accounts
from ordre.application import hooks as use
from ordre.application.hooks import HookQuery, HookState, Standing, Subscription
from ordre.application.store import Access, Store
from ordre.application.summaries import printable
from ordre.cli.notices import print_warning
from ordre.cli.options import AccountId, Database, Json, now, with_store
from ordre.cli.output import counted, print_rows
from ordre.cli.timeline import minute
from ordre.domain.hooks import EVENTS
from ordre.settings import BadSetting

if TYPE_CHECKING:
    import httpx

    from ordre.webhooks.listening import Received

_RIGHT = ("unread", "waiting", "due", "failed")
_DONE = {
    "placed": "placed",
    "replaced": "replaced",
    "lines_added": "more lines",
    "updated": "changed",
    "authorization": "authorized",
    "capture": "captured",
    "refund": "refunded",
    "cancellation": "an authorization cancelled",
    "session": "a payment session started",
    "service_event": "a service reported",
    "comment": "commented on",
    "comment_deleted": "a comment deleted",
    "opened": "opened again",
    "closed": "closed",
    "cancelled": "cancelled",
    "erased": "erased",
}
"""Kind of an entry of the feed -> in words."""
_WAIT_SECONDS = 0.5
_PING_SECONDS = 30.0

app = App(name="webhooks", help="Show where webhooks stand, let them go on, and listen to them.")


@app.command(name="status")
def show_status(account_id: AccountId | None = None, *, database: Database = None, json: Json = False) -> None:
    """Show where each subscription stands: how much is due and not sent, and what was given up.

    `unread` counts entries of the account's feed from which deliveries are yet to be made, `waiting` deliveries that are not
    done, and `due` those of them whose time has come.
    """

    async def work(store: Store) -> list[Standing]:
        ids = await store.accounts_with_hooks()
        if account_id is not None:
            await accounts.known_account(store, account_id)
            ids = [account_id]
        return [standing for one in ids for standing in await store.standings(one, now())]

    print_rows([_standing(one) for one in with_store(database, work, Access.READ)], json=json, right=_RIGHT)


@app.command(name="resume")
def resume_subscriptions(account_id: AccountId, subscription: str | None = None, *, database: Database = None) -> None:
    """Let subscriptions go on that were suspended, such as all of a database that was restored.

    Args:
        subscription: Only the one with this id.
    """

    async def work(store: Store) -> int:
        await accounts.known_account(store, account_id)
        found = [await use.known(store, account_id, subscription)] if subscription else await _suspended(store, account_id)
        for one in found:
            await use.resume(store, account_id, one.id, now())
        return len(found)

    print(f"{counted(with_store(database, work), 'subscription')} of {account_id} resumed")


@app.command(name="listen")
def listen(
    *,
    url: Annotated[str, Parameter(env_var="ORDRE_URL")] = "http://127.0.0.1:8080",
    account: Annotated[str, Parameter(env_var="ORDRE_ACCOUNT")],
    client_id: Annotated[str, Parameter(env_var="ORDRE_CLIENT_ID")],
    client_secret: Annotated[str, Parameter(env_var="ORDRE_CLIENT_SECRET")],
    event: Annotated[list[str], Parameter(negative="", show_default=False)] | None = None,
    forward: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    public: str | None = None,
) -> None:
    """Listen to webhooks, for developers: subscribe, verify and print what comes, and unsubscribe at Ctrl-C.

    The server must be allowed to send here: set ORDRE_HOOK_NETWORKS=127.0.0.0/8 where it runs.

    Args:
        url: The server's URL.
        account: The account, such as T12345678.
        client_id: The id of a client with the scope write:hooks.
        client_secret: Its secret.
        event: Only this event; may be given several times [default: every event].
        forward: Send what comes on to this URL, with its headers, and answer with its status.
        host: The address to listen on.
        port: The port to listen on; 0 picks one that is free.
        public: The URL by which the server reaches this port, such as that of a tunnel [default: http://HOST:PORT].
    """
    unknown = [one for one in event or () if one not in EVENTS]
    if unknown:
        raise BadSetting(f"--event is {unknown[0]}; it must be one of {', '.join(EVENTS)}")
    import httpx  # noqa: PLC0415 - help and completion need nothing of what it loads

    from ordre.client.exchange import account_url  # noqa: PLC0415 - as above
    from ordre.webhooks.listening import Listener  # noqa: PLC0415 - as above

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    secret, came = secrets.token_urlsafe(32), threading.Event()
    with httpx.Client(timeout=30) as http:

        def answer(received: "Received") -> int:
            status = _told(http, received, forward)
            came.set()
            return status

        listener = Listener(host, port, secret, answer)
        try:
            api = account_url(url, account)
            place = public or f"http://{host}:{listener.port}"
            config = {"url": place, "secret": {"type": "HMAC-SHA1", "value": secret}}
            body = {"config": config, "events": event or list(EVENTS)}
            with _subscribed(http, api, (client_id, client_secret), body) as path:
                _wait_for_ping(http, api, (client_id, client_secret), path, came)
                print(f"listening at {place}; Ctrl-C ends it", flush=True)
                threading.Event().wait()
        except KeyboardInterrupt:
            print("unsubscribed")
        finally:
            listener.close()


@contextmanager
def _subscribed(http: "httpx.Client", api: str, client: tuple[str, str], body: Mapping[str, Any]) -> Iterator[str]:
    """Subscribe, and unsubscribe at the end."""
    made = _asked(http, "POST", f"{api}/hooks/subscriptions", client, api, body)
    path = f"{api}/hooks/subscriptions/{made['id']}"
    try:
        yield path
    finally:
        _asked(http, "DELETE", path, client, api)


def _wait_for_ping(http: "httpx.Client", api: str, client: tuple[str, str], path: str, came: threading.Event) -> None:
    """Wait until the first delivery comes.

    Raises:
        BadSetting: The server cannot send here.
    """
    waited = 0.0
    while not came.wait(_WAIT_SECONDS):
        waited += _WAIT_SECONDS
        deliveries = _asked(http, "GET", f"{path}/deliveries", client, api)
        faults = [attempt["error"] for one in deliveries for attempt in one["attempts"] if "error" in attempt]
        if faults or waited >= _PING_SECONDS:
            raise BadSetting(f"the server cannot send here: {faults[0] if faults else 'nothing came; does it send webhooks?'}")


def _asked(http: "httpx.Client", method: str, url: str, client: tuple[str, str], api: str, body: object = None) -> Any:
    """Send a request with a new token; return the answer."""
    wanted = {"grant_type": "client_credentials", "audience": api}
    token = _answered(http.post(f"{api}/auth/token", json=wanted, auth=client))["access_token"]
    return _answered(http.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}))


def _answered(answer: "httpx.Response") -> Any:
    if answer.is_success:
        return answer.json()
    try:
        reason = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        reason = answer.text[:200]
    raise BadSetting(f"{answer.request.url} answered {answer.status_code}: {reason}")


def _told(http: "httpx.Client", received: "Received", forward: str | None) -> int:
    """Print a delivery; return the status that it is answered with."""
    from httpx import HTTPError  # noqa: PLC0415 - loaded by now

    sentence, status = _sentence(received.content), 200
    if forward is not None:
        headers = {name: value for name, value in received.headers.items() if name not in ("host", "connection")}
        try:
            status = http.post(forward, content=received.body, headers=headers).status_code
        except HTTPError as error:
            print_warning(f"cannot forward to {forward}: {error}")
            status = 500
        sentence = f"{sentence}; forwarded, answered {status}"
    print(sentence, flush=True)
    return status


def _sentence(body: Mapping[str, Any]) -> str:
    """Return a delivery in a sentence."""
    told = body.get("feed")
    if told is None:
        return f"{minute(now())}  ping: the subscription works, and its signature is right"
    kind, version = str(told["kind"]), told["version"]
    if kind.startswith("draft_"):
        what = f"draft {told['id']}: {kind.removeprefix('draft_')}"
    else:
        order = body.get("order") or {}
        name = order.get("order_number") or order.get("order_id") or told["id"]
        what = f"order {printable(str(name))}: {_DONE.get(kind, kind)}"
    return f"{minute(told['created_at'])}  {what} (version {version}, by {told['created_by']}; {body['event']})"


async def _suspended(store: Store, account_id: str) -> list[Subscription]:
    found: list[Subscription] = []
    after = None
    while True:
        page = await store.subscriptions(account_id, HookQuery(limit=100, after=after))
        found += [one for one in page.rows if one.state is HookState.SUSPENDED]
        if not page.more:
            return found
        after = page.rows[-1].id


def _standing(one: Standing) -> dict[str, Any]:
    subscription = one.subscription
    return {
        "account_id": subscription.account_id,
        "subscription": subscription.id,
        "url": subscription.url,
        "state": subscription.state.value,
        "unread": one.unread,
        "waiting": one.waiting,
        "due": one.due,
        "failed": one.failed,
        "oldest_due_at": one.oldest_due_at,
        "delivered_by": one.held_by,
        "reason": subscription.suspended_reason,
    }

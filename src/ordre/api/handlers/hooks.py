"""Handlers of webhooks: subscriptions, and the deliveries to them."""

import time

from ordre.api.handlers.orders import page_headers
from ordre.api.http.context import Context, Reply, reply
from ordre.api.wire.hooks import (
    DeliveryList,
    NewSubscription,
    Redelivery,
    SubscriptionList,
    bare,
    delivery_answer,
    hook_query,
    new_subscription,
    subscription_answer,
)
from ordre.api.wire.queries import NoBody, NoQuery
from ordre.application import hooks as use
from ordre.application.hooks import Subscription


async def create(context: Context, sent: NewSubscription, _: NoQuery) -> Reply:
    """Tell a receiver of what happens from now on, beginning with a `ping` that has the subscription in its body."""
    made = new_subscription(sent, context.account_id, context.new_id(), context.call.at, context.call.by)
    return _one(await use.subscribe(context.store, made, context.new_id(), _due(context), context.limits.subscriptions))


async def list_all(context: Context, _: NoBody, asked: SubscriptionList) -> Reply:
    """The account's subscriptions, newest first, in no envelope."""
    page = await context.store.subscriptions(context.account_id, hook_query(asked))
    last = page.rows[-1].id if page.rows else None
    return Reply(
        body=bare([subscription_answer(one) for one in page.rows]), headers=page_headers(context, page.more, page.total, last)
    )


async def read(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One subscription, and where it stands."""
    return _one(await use.known(context.store, context.account_id, context.path["hid"]))


async def delete(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Send nothing more. The subscription can still be read; deleting it again changes nothing."""
    call = context.call
    return _one(await use.unsubscribe(context.store, call.account_id, context.path["hid"], call.by, call.at))


async def ping(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Send a `ping`, which has the subscription in its body."""
    await use.ping(context.store, context.account_id, context.path["hid"], context.new_id(), context.call.at, _due(context))
    return Reply(body=None, status=204)


async def resume(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Let a subscription go on that was suspended or not active: it is told of everything since."""
    return _one(await use.resume(context.store, context.account_id, context.path["hid"], context.call.at))


async def redeliver(context: Context, sent: Redelivery, _: NoQuery) -> Reply:
    """Send everything after a position of the feed again, under the ids that it had."""
    return _one(await use.go_back(context.store, context.account_id, context.path["hid"], sent.after))


async def list_deliveries(context: Context, _: NoBody, asked: DeliveryList) -> Reply:
    """What was sent to a receiver, or waits to be, newest first, in no envelope."""
    hook_id = context.path["hid"]
    await use.known(context.store, context.account_id, hook_id)
    page = await context.store.deliveries(context.account_id, hook_id, hook_query(asked))
    last = page.rows[-1].id if page.rows else None
    return Reply(
        body=bare([delivery_answer(one) for one in page.rows]), headers=page_headers(context, page.more, page.total, last)
    )


async def read_delivery(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One delivery, with its latest attempts."""
    path = context.path
    return reply(delivery_answer(await use.known_delivery(context.store, context.account_id, path["hid"], path["delivery_id"])))


async def redeliver_one(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Send a delivery once more, under its id. One that waits to be sent stays as it is."""
    path, at = context.path, _due(context)
    return reply(delivery_answer(await use.send_again(context.store, context.account_id, path["hid"], path["delivery_id"], at)))


def _due(context: Context) -> int:
    """Return an instant at which something is due at once: who sends has the machine's clock, of which a set one may be ahead."""
    return min(context.call.at, time.time_ns() // 1_000_000)


def _one(subscription: Subscription) -> Reply:
    return reply(subscription_answer(subscription))

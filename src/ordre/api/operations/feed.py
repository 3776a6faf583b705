"""The operation of the feed."""

from ordre.api.handlers import feed
from ordre.api.operations.row import ACCOUNT, READ, Route
from ordre.api.wire.feed import Feed, FeedOf
from ordre.api.wire.queries import NoBody

FEED_ROUTES = (
    Route(
        id="aid_feed_get",
        method="GET",
        path=f"{ACCOUNT}/shopping/feed",
        tag="feed",
        summary="Read the feed",
        access=READ,
        body=NoBody,
        query=FeedOf,
        answer=Feed,
        handler=feed.read,
    ),
)

"""Events and comments: made by services and people, and shown for each change of an order."""

from typing import Any

import pytest

from service import Shop, faults_of, item, operation


def test_every_change_is_an_api_event(shop: Shop) -> None:
    path = f"/orders/{shop.paid(100)['id']}"
    shop.put(path, {"comment": "æøå"})
    found = shop.get(f"{path}/events")
    assert [event["version"] for event in found["events"]] == [1, 2, 3, 4]
    assert [event["request"]["path"].rsplit("/", 1)[-1] for event in found["events"][:3]] == [
        "orders",
        "authorizations",
        "captures",
    ]
    assert found["events"][3]["request"]["method"] == "PUT"
    assert "æøå" in found["events"][3]["request"]["body"]
    assert {event["event_type"] for event in found["events"]} == {"api-event"}
    assert found["state"] == "pending"
    assert shop.get(f"{path}/events") == found
    assert len({event["id"] for event in found["events"]}) == 4


def test_services_report_and_the_state_combines(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    body: dict[str, Any] = {
        "service": "kitchen",
        "service_status": "ready_for_pickup",
        "description": "food prepared",
        "metadata": {"pickup_location": {"latitude": 37.42242, "longitude": -122.08585}},
    }
    made = shop.post(f"{path}/events", body)
    assert {name: made[name] for name in body} == body
    assert (made["state"], made["_links"], made["event_type"], made["version"]) == ("success", [], "service-event", 2)
    assert shop.get(f"{path}/events")["events"][-1] == made
    assert shop.get(f"{path}/events")["state"] == "success"
    shop.post(f"{path}/events", {**body, "service": "courier", "state": "pending"})
    assert shop.get(f"{path}/events")["state"] == "pending"
    shop.post(f"{path}/events", {**body, "service": "courier", "state": "error"})
    shop.post(f"{path}/events", {**body, "service": "courier", "state": "success"})
    found = shop.get(f"{path}/events", params={"include_events": "service-event"})
    assert found["state"] == "failure"
    assert found["events"][0] == made
    assert len(found["events"]) == 4


def test_an_event_is_answered_again_as_it_was(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}/events"
    sent = {"body": {"service": "a", "service_status": "b"}, "headers": {"Idempotency-Key": "event"}}
    first = shop.send("POST", path, **sent)
    shop.post(path, {"service": "a", "service_status": "c"})
    again = shop.send("POST", path, **sent)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


@pytest.mark.parametrize(
    ("asked", "types"),
    [
        (None, None),
        ("false", None),
        ("true", ["api-event", "service-event"]),
        ("api-event", ["api-event"]),
        ("service-event", ["service-event"]),
        ("api-event,service-event", ["api-event", "service-event"]),
    ],
)
def test_an_order_includes_events_when_asked(shop: Shop, asked: str | None, types: list[str] | None) -> None:
    made = shop.order(100)
    shop.post(f"/orders/{made['id']}/events", {"service": "a", "service_status": "b"})
    query = {} if asked is None else {"include_events": asked}
    listed = shop.get("/orders", params=query)["orders"][0]
    found = shop.get(f"/orders/{made['id']}", params=query)
    assert listed == found
    assert [event["event_type"] for event in found["events"]] == (types or [])
    assert found.get("state") == ("success" if types else None)


def test_a_new_order_includes_events_when_asked(shop: Shop) -> None:
    made = shop.post("/orders", {"currency": "NOK", "items": [item(1, 5)]}, params={"include_events": "true"})
    assert ([event["version"] for event in made["events"]], made["state"]) == ([1], "pending")


def test_events_have_pages(shop: Shop) -> None:
    path = f"/orders/{shop.paid(100)['id']}"
    events = shop.get(f"{path}/events")["events"]
    page = shop.get(f"{path}/events", params={"limit": 1, "starting_after": events[0]["id"]})["events"]
    assert page == [events[1]]


def test_an_event_is_refused(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}/events"
    assert faults_of(shop.refused("POST", path, {"service": "a"})) == [("missing_field", "service_status")]
    wrong = {"service": "a", "service_status": "b", "state": "good"}
    assert faults_of(shop.refused("POST", path, wrong)) == [("invalid_value", "state")]
    good = {"service": "a", "service_status": "b"}
    assert faults_of(shop.refused("POST", "/orders/none/events", good, status=404)) == [("unknown_order", "")]
    assert faults_of(shop.refused("GET", "/orders/none/events", status=404)) == [("unknown_order", "")]
    shop.post(path, {**good, "id": "e1"})
    assert faults_of(shop.refused("POST", path, {**good, "id": "e1"}, status=409)) == [("already_used", "id")]


def test_comments(shop: Shop) -> None:
    path = f"/orders/{shop.paid(100)['id']}"
    private = shop.post(f"{path}/comments", {"body": "careful"})
    public = shop.post(f"{path}/comments", {"body": "on its way", "visibility": "public"})
    assert (private["visibility"], private["created_by"], public["visibility"]) == ("private", shop.client_id, "public")
    assert shop.get(path)["comments"] == [private, public]
    gone = shop.delete(f"{path}/comments/{private['id']}")
    assert ("body" in gone, gone["deleted_by"]) == (False, shop.client_id)
    assert shop.delete(f"{path}/comments/{private['id']}") == gone
    assert shop.get(path)["comments"] == [gone, public]


def test_a_comment_is_refused(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    for body, then in (
        ({}, ("missing_field", "body")),
        ({"body": ""}, ("invalid_value", "body")),
        ({"body": "x" * 4001}, ("invalid_value", "body")),
        ({"body": "x", "visibility": 1}, ("invalid_value", "visibility")),
    ):
        assert faults_of(shop.refused("POST", f"{path}/comments", body)) == [then]
    assert faults_of(shop.refused("POST", "/orders/none/comments", {"body": "x"}, status=404)) == [("unknown_order", "")]
    assert faults_of(shop.refused("DELETE", f"{path}/comments/none", status=404)) == [("unknown_comment", "")]
    capture = shop.post(f"{path}/authorizations", operation((1, 100)))
    assert faults_of(shop.refused("DELETE", f"{path}/comments/{capture['id']}", status=404)) == [("unknown_comment", "")]


def test_a_comment_of_no_order_is_refused_as_every_write_is(shop: Shop) -> None:
    assert faults_of(shop.refused("DELETE", "/orders/none/comments/c", status=404)) == [("unknown_order", "")]

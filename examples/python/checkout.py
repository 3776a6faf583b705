"""One order from draft to refund, with httpx alone. See ../README.md."""

import os
import uuid

import httpx

API = f"{os.environ['ORDRE_URL']}/v1/accounts/{os.environ['ORDRE_ACCOUNT']}"


def token(http: httpx.Client) -> str:
    """Get a token: good for a day, so keep it."""
    answer = http.post(
        f"{API}/auth/token",
        auth=(os.environ["ORDRE_CLIENT_ID"], os.environ["ORDRE_CLIENT_SECRET"]),
        json={"grant_type": "client_credentials", "audience": API},
    )
    return str(answer.raise_for_status().json()["access_token"])


def main() -> None:
    """Take an order through its life."""
    with httpx.Client(base_url=f"{API}/shopping/", timeout=30) as http:
        http.headers["Authorization"] = f"Bearer {token(http)}"
        chair = {
            "id": "175938",
            "line_id": 1,
            "quantity": 2,
            "gross_amount": 39800,
            "tax_lines": [{"amount": 7960, "percentage": 25}],
        }
        order = {"currency": "NOK", "items": [chair], "customer": {"first_name": "Kari", "email": "kari@example.com"}}
        options = {"generate_order_id": "ALPHANUMERIC_9"}
        draft = http.post("draft_orders", json={"options": options, "order": order}).raise_for_status().json()
        cushion = {"id": "003929", "line_id": 2, "gross_amount": 5000, "tax_lines": [{"amount": 1000, "percentage": 25}]}
        http.post(f"draft_orders/{draft['id']}/items", json=cushion).raise_for_status()
        order_id = http.put(f"draft_orders/{draft['id']}/complete", json={}).raise_for_status().json()["orders"][0]["order_id"]
        print("order", order_id)

        payment = {"payment_details": {"payment_id": f"PID-{order_id}"}}
        both = [{"line_id": 1, "amount": 39800}, {"line_id": 2, "amount": 5000}]
        http.post(f"orders/{order_id}/authorizations", json={"items": both, **payment}).raise_for_status()

        # A key makes a write safe to send again: the second answer is the first one, and one capture is recorded.
        key = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"items": both[:1], **payment}
        http.post(f"orders/{order_id}/captures", json=body, headers=key).raise_for_status()
        again = http.post(f"orders/{order_id}/captures", json=body, headers=key).raise_for_status()
        print("captured", again.json()["amount"], "replayed", again.headers["idempotency-replayed"])

        refused = http.post(f"orders/{order_id}/captures", json={"items": [{"line_id": 2, "amount": 5001}]})
        (fault,) = refused.json()["error"]["errors"]
        print("refused", refused.status_code, fault["code"], fault["remaining"])

        http.post(f"orders/{order_id}/captures", json={"items": both[1:], **payment}).raise_for_status()
        refund = http.post(f"orders/{order_id}/refunds", json={"items": both[1:], **payment}).raise_for_status().json()
        print("refunded", refund["amount"])

        found = http.get("orders", params={"q": f"kari {order_id}", "total": "true"}).raise_for_status()
        print("found", found.headers["total-count"])
        closed = http.post(f"orders/{order_id}/close").raise_for_status().json()
        print(closed["status"], closed["payment_status"], closed["payment_details"]["remaining_refund_amount"])


if __name__ == "__main__":
    main()

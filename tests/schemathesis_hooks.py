"""What the sequences of Schemathesis need to get anywhere: where they begin, and bodies that obey the rules of money.

Schemathesis takes `courier_id` or `payment_id` for ids of resources that nothing makes, and so would begin no sequence with a new
order. And no schema says that an order's total is the sum of its lines, so that hardly any body drawn by chance is an order.
Everything else of a body stays as it was drawn; bodies that are meant to be wrong stay as they are. Idempotency keys drawn by
chance repeat, and would end a sequence with a 422.
"""

from typing import Any

import schemathesis
from schemathesis.specs.openapi import stateful

ORDERS = "/v1/accounts/{aid}/shopping/orders"
DRAFTS = "/v1/accounts/{aid}/shopping/draft_orders"
BEGINNINGS = {f"POST {ORDERS}", f"POST {DRAFTS}"}
OPERATIONS = {f"POST {ORDERS}/{{order_id}}/{name}" for name in ("authorizations", "captures", "refunds", "cancellations")}
CHECKED = ("gross_amount", "net_amount", "discount_lines", "additions", "quantity", "original_currency")


def _begins(operation: Any, _node: Any, _produced: Any) -> bool:
    return operation.label in BEGINNINGS


setattr(stateful, "is_likely_root_transition", _begins)  # noqa: B010 - the name is not part of its types


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    case.headers.pop("Idempotency-Key", None)
    if not isinstance(case.body, dict) or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    case.body = _whole(case.body)
    if case.operation.label == f"POST {ORDERS}":
        _as_order(case.body)
    elif case.operation.label == f"POST {DRAFTS}":
        case.body["options"] = {}
        _as_order(case.body["order"])
    elif case.operation.label in OPERATIONS:
        case.body["success"] = True
        case.body.pop("authorization_id", None)
        case.body["items"] = case.body["items"][:1]
        case.body["items"][0].pop("original_currency", None)
    elif case.operation.label == f"POST {ORDERS}/{{order_id}}/sessions":
        case.body["items"] = [{"line_id": "1"}]


def _as_order(order: Any) -> None:
    for name in (*CHECKED, "multiple_authorizations"):
        order.pop(name, None)
    lines = order.get("items") or [{"id": "A"}]
    for place, line in enumerate(lines, 1):
        for name in CHECKED:
            line.pop(name, None)
        line |= {"line_id": place, "gross_amount": 100, "tax_lines": []}
    order["items"] = lines


def _whole(value: Any) -> Any:
    """1.0 is an integer to JSON Schema; money here has no point in it."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value

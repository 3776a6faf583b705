#!/usr/bin/env bash
# One order from draft to refund, with curl alone. See ../README.md.
set -euo pipefail

API="$ORDRE_URL/v1/accounts/$ORDRE_ACCOUNT"

# value NAME [N]: the first (or Nth) value of that name, from JSON on standard input.
value() { grep -o "\"$1\":[^,}]*" | sed -n "${2:-1}p" | cut -d: -f2- | tr -d '"'; }

TOKEN=$(curl -sSf -u "$ORDRE_CLIENT_ID:$ORDRE_CLIENT_SECRET" -H 'Content-Type: application/json' \
    -d "{\"grant_type\": \"client_credentials\", \"audience\": \"$API\"}" "$API/auth/token" | value access_token)

# send METHOD PATH BODY [more arguments of curl]
send() {
    curl -sS -X "$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "${3:-}" "${@:4}" "$API/shopping/$2"
}

CHAIR='{"id": "175938", "line_id": 1, "quantity": 2, "gross_amount": 39800, "tax_lines": [{"amount": 7960, "percentage": 25}]}'
CUSHION='{"id": "003929", "line_id": 2, "gross_amount": 5000, "tax_lines": [{"amount": 1000, "percentage": 25}]}'
CUSTOMER='{"first_name": "Kari", "email": "kari@example.com"}'

DRAFT=$(send POST draft_orders "{\"options\": {\"generate_order_id\": \"ALPHANUMERIC_9\"},
    \"order\": {\"currency\": \"NOK\", \"items\": [$CHAIR], \"customer\": $CUSTOMER}}" | value id)
send POST "draft_orders/$DRAFT/items" "$CUSHION" >/dev/null
ORDER=$(send PUT "draft_orders/$DRAFT/complete" '{}' | value order_id)
echo "order $ORDER"

PAYMENT="\"payment_details\": {\"payment_id\": \"PID-$ORDER\"}"
ONE='{"line_id": 1, "amount": 39800}' TWO='{"line_id": 2, "amount": 5000}'
send POST "orders/$ORDER/authorizations" "{\"items\": [$ONE, $TWO], $PAYMENT}" >/dev/null

# A key makes a write safe to send again: the second answer is the first one, and one capture is recorded.
KEY="Idempotency-Key: capture-$ORDER"
send POST "orders/$ORDER/captures" "{\"items\": [$ONE], $PAYMENT}" -H "$KEY" >/dev/null
AGAIN=$(send POST "orders/$ORDER/captures" "{\"items\": [$ONE], $PAYMENT}" -H "$KEY" -i | tr -d '\r')
echo "captured $(value amount <<<"$AGAIN") replayed $(sed -n 's/^idempotency-replayed: //p' <<<"$AGAIN")"

REFUSED=$(send POST "orders/$ORDER/captures" '{"items": [{"line_id": 2, "amount": 5001}]}' -w '\n%{http_code}')
echo "refused $(tail -n 1 <<<"$REFUSED") $(value code 2 <<<"$REFUSED") $(value remaining <<<"$REFUSED")"

send POST "orders/$ORDER/captures" "{\"items\": [$TWO], $PAYMENT}" >/dev/null
echo "refunded $(send POST "orders/$ORDER/refunds" "{\"items\": [$TWO], $PAYMENT}" | value amount)"
send GET "orders?q=kari+$ORDER&total=true" '' -o /dev/null -D - | tr -d '\r' | sed -n 's/^total-count: /found /p'
CLOSED=$(send POST "orders/$ORDER/close")
echo "$(value status <<<"$CLOSED") $(value payment_status <<<"$CLOSED") $(value remaining_refund_amount <<<"$CLOSED")"

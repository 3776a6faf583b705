#!/usr/bin/env bash
# Check a webhook: its body comes on standard input, its headers and the secret from the environment. See ../README.md.
set -euo pipefail

case "$WEBHOOK_SECRET" in
whsec_*) KEY=$(printf %s "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n') ;;
*) KEY=$(printf %s "$WEBHOOK_SECRET" | od -An -v -tx1 | tr -d ' \n') ;;
esac
WANTED=$({ printf '%s.%s.' "$WEBHOOK_ID" "$WEBHOOK_TIMESTAMP"; cat; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | openssl base64 -A)

case " $WEBHOOK_SIGNATURE " in
*" v1,$WANTED "*) ;;
*) echo "not signed with the secret" >&2; exit 1 ;;
esac
AGE=$(($(date +%s) - WEBHOOK_TIMESTAMP))
if [ "${AGE#-}" -gt 300 ]; then echo "too old" >&2; exit 1; fi
echo "verified $WEBHOOK_ID"

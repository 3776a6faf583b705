#!/usr/bin/env bash
# Follow the feed from where the last run ended, with curl alone, and keep the place in a file. See ../README.md.
set -euo pipefail

API="$ORDRE_URL/v1/accounts/$ORDRE_ACCOUNT"
PLACE="${PLACE:-feed.position}"

TOKEN=$(curl -sSf -u "$ORDRE_CLIENT_ID:$ORDRE_CLIENT_SECRET" -H 'Content-Type: application/json' \
    -d "{\"grant_type\": \"client_credentials\", \"audience\": \"$API\"}" "$API/auth/token" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
POSITION=$(cat "$PLACE" 2>/dev/null || echo 0)

# A program that goes on for ever waits for 20 seconds, not 2.
while true; do
    PAGE=$(curl -sSf -H "Authorization: Bearer $TOKEN" "$API/shopping/feed?after=$POSITION&wait=2")
    { grep -o '{"position":[0-9]*,[^}]*"kind":"[a-z_]*"' <<<"$PAGE" || true; } |
        sed 's/{"position":\([0-9]*\),.*"version":\([0-9]*\),"kind":"\([a-z_]*\)"/\1 \3 version \2/'
    READ=$(sed 's/.*"position":\([0-9]*\),"end":[0-9]*}$/\1/' <<<"$PAGE")
    END=$(sed 's/.*"end":\([0-9]*\)}$/\1/' <<<"$PAGE")
    if [ "$READ" = "$POSITION" ] && [ "$READ" = "$END" ]; then exit 0; fi
    POSITION=$READ
    echo "$POSITION" >"$PLACE"
done

// Follow the feed from where the last run ended, and keep the place in a file. See ../README.md.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./ordre.d.ts";

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const baseUrl = environment("ORDRE_URL");
const aid = environment("ORDRE_ACCOUNT");
const place = process.env["PLACE"] ?? "feed.position";
const ordre = createClient<paths>({ baseUrl });

const basic = Buffer.from(`${environment("ORDRE_CLIENT_ID")}:${environment("ORDRE_CLIENT_SECRET")}`).toString("base64");
const token = await ordre.POST("/v1/accounts/{aid}/auth/token", {
  params: { path: { aid } },
  headers: { Authorization: `Basic ${basic}` },
  body: { grant_type: "client_credentials", audience: `${baseUrl}/v1/accounts/${aid}` },
});
if (token.data === undefined) throw new Error(JSON.stringify(token.error));
const headers = { Authorization: `Bearer ${token.data.access_token}` };

let position = existsSync(place) ? Number(readFileSync(place, "utf8")) : 0;
// A program that goes on for ever waits for 20 seconds, not 2.
for (;;) {
  const { data: page, error } = await ordre.GET("/v1/accounts/{aid}/shopping/feed", {
    params: { path: { aid }, query: { after: position, wait: 2 } },
    headers,
  });
  if (page === undefined) throw new Error(JSON.stringify(error));
  for (const entry of page.entries) console.log(entry.position, entry.kind, `version ${entry.version}`);
  if (page.position === position && page.position === page.end) break;
  position = page.position;
  writeFileSync(place, String(position));
}

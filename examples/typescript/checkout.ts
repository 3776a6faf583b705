// One order from draft to refund, with openapi-fetch and types generated from Ordre's own document. See ../README.md.

import { randomUUID } from "node:crypto";
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./ordre.d.ts";

type NewItem = components["schemas"]["NewItem"];
type NewOperation = components["schemas"]["NewOperation"];

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const baseUrl = environment("ORDRE_URL");
const aid = environment("ORDRE_ACCOUNT");
const ordre = createClient<paths>({ baseUrl });

// Every answer above 399 becomes an exception with the error's own words; those that are expected are looked at first.
const good = <T>(answer: { data?: T; error?: unknown; response: Response }): T => {
  if (answer.data === undefined) throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
};

const basic = Buffer.from(`${environment("ORDRE_CLIENT_ID")}:${environment("ORDRE_CLIENT_SECRET")}`).toString("base64");
const token = good(
  await ordre.POST("/v1/accounts/{aid}/auth/token", {
    params: { path: { aid } },
    headers: { Authorization: `Basic ${basic}` },
    body: { grant_type: "client_credentials", audience: `${baseUrl}/v1/accounts/${aid}` },
  }),
);
const authorized: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${token.access_token}`);
    return request;
  },
};
ordre.use(authorized);

const chair: NewItem = { id: "175938", line_id: 1, quantity: 2, gross_amount: 39800, tax_lines: [{ amount: 7960, percentage: 25 }] };
const cushion: NewItem = { id: "003929", line_id: 2, gross_amount: 5000, tax_lines: [{ amount: 1000, percentage: 25 }] };
const customer = { first_name: "Kari", email: "kari@example.com" };
const draft = good(
  await ordre.POST("/v1/accounts/{aid}/shopping/draft_orders", {
    params: { path: { aid } },
    body: { options: { generate_order_id: "ALPHANUMERIC_9" }, order: { currency: "NOK", items: [chair], customer } },
  }),
);
const drafted = { path: { aid, id: draft.id } };
good(await ordre.POST("/v1/accounts/{aid}/shopping/draft_orders/{id}/items", { params: drafted, body: cushion }));
const { orders } = good(
  await ordre.PUT("/v1/accounts/{aid}/shopping/draft_orders/{id}/complete", { params: drafted, body: {} }),
);
const order_id = orders[0]!.order_id;
console.log("order", order_id);

const path = { aid, order_id };
const about = (line_id: number, amount: number): NewOperation => ({
  items: [{ line_id, amount }],
  payment_details: { payment_id: `PID-${order_id}` },
});
const whole: NewOperation = { ...about(1, 39800), items: [...about(1, 39800).items, ...about(2, 5000).items] };
good(await ordre.POST("/v1/accounts/{aid}/shopping/orders/{order_id}/authorizations", { params: { path }, body: whole }));

// A key makes a write safe to send again: the second answer is the first one, and one capture is recorded.
const captures = "/v1/accounts/{aid}/shopping/orders/{order_id}/captures";
const header = { "Idempotency-Key": randomUUID() };
good(await ordre.POST(captures, { params: { path, header }, body: about(1, 39800) }));
const again = await ordre.POST(captures, { params: { path, header }, body: about(1, 39800) });
console.log("captured", good(again).amount, "replayed", again.response.headers.get("idempotency-replayed"));

const refused = await ordre.POST(captures, { params: { path }, body: about(2, 5001) });
const fault = refused.error?.error.errors[0];
console.log("refused", refused.response.status, fault?.code, fault?.remaining);

good(await ordre.POST(captures, { params: { path }, body: about(2, 5000) }));
const refund = good(
  await ordre.POST("/v1/accounts/{aid}/shopping/orders/{order_id}/refunds", { params: { path }, body: about(2, 5000) }),
);
console.log("refunded", refund.amount);

const query = { q: `kari ${order_id}`, total: true };
const found = await ordre.GET("/v1/accounts/{aid}/shopping/orders", { params: { path: { aid }, query } });
console.log("found", found.response.headers.get("total-count"));
const closed = good(await ordre.POST("/v1/accounts/{aid}/shopping/orders/{order_id}/close", { params: { path } }));
console.log(closed.status, closed.payment_status, closed.payment_details.remaining_refund_amount);

// Check a webhook: its body comes on standard input, its headers and the secret from the environment. See ../README.md.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const fail = (reason: string): never => {
  console.error(reason);
  process.exit(1);
};

const body = readFileSync(0);
const id = environment("WEBHOOK_ID");
const at = environment("WEBHOOK_TIMESTAMP");
const secret = environment("WEBHOOK_SECRET");
const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
const wanted = Buffer.from(`v1,${createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest("base64")}`);

const signatures = environment("WEBHOOK_SIGNATURE").split(" ").map((one) => Buffer.from(one));
if (!signatures.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted))) fail("not signed with the secret");
if (Math.abs(Date.now() / 1000 - Number(at)) > 300) fail("too old");
console.log("verified", id);

// The page at /docs: one step from id and secret to a token, which is kept for this tab until it expires.
"use strict";

const KEPT = "ordre.session"; // {account, token, expires}, expires in milliseconds since 1970

const element = (id) => document.getElementById(id);

function session() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  return kept && kept.expires > Date.now() ? kept : null;
}

async function signIn(account, client, secret) {
  const path = `/v1/accounts/${account}`;
  const answer = await fetch(`${path}/auth/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Basic " + btoa(`${client}:${secret}`) },
    body: JSON.stringify({ grant_type: "client_credentials", audience: location.origin + path }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  const expires = Date.now() + body.expires_in * 1000;
  sessionStorage.setItem(KEPT, JSON.stringify({ account, token: body.access_token, expires }));
}

// The examples of parameters that may be left out would narrow a list to nothing: on this page they start empty.
// The account starts as the one that is signed in to.
function prepared(openapi, account) {
  for (const path of Object.values(openapi.paths)) {
    for (const operation of Object.values(path)) {
      for (const parameter of operation.parameters) {
        if (!parameter.required) delete parameter.example;
        if (parameter.name === "aid" && account) parameter.example = account;
      }
    }
  }
  return openapi;
}

let openapi; // the document as it was fetched

function show() {
  const now = session();
  element("sign-in").hidden = now !== null;
  element("signed-in").hidden = now === null;
  if (now) {
    element("account").textContent = now.account;
    element("until").dateTime = new Date(now.expires).toISOString();
    element("until").textContent = new Date(now.expires).toLocaleString();
  }
  SwaggerUIBundle({
    spec: prepared(structuredClone(openapi), now?.account),
    dom_id: "#api",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    requestInterceptor: (request) => {
      const one = session();
      if (one && !request.headers.Authorization) request.headers.Authorization = `Bearer ${one.token}`;
      return request;
    },
  });
}

function tell(error) {
  element("trouble").hidden = !error;
  element("trouble").textContent = error ? error.message : "";
}

element("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target.elements;
  try {
    await signIn(form.account.value.trim(), form.client.value.trim(), form.secret.value.trim());
    event.target.reset();
    tell(null);
    show();
  } catch (error) {
    tell(error);
  }
});

element("signed-in").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.removeItem(KEPT);
  show();
});

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((found) => {
    openapi = found;
    show();
  })
  .catch(tell);

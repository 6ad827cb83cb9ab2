// oidc-provider (npm), as it comes: one user, one public client, refresh tokens that rotate. `--dpop` lets it
// take nothing but DPoP, with nonces (RFC 9449). The rest of the command line, and /lab, as in the servers beside
// it; `oidc_provider.py` starts this. See https://github.com/panva/node-oidc-provider.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import Provider from "oidc-provider";

const ACCESS_TTL = 300; // s, as in lab.py
const REFRESH_TTL = 3600; // s
const KEEP_ALIVE = 60_000; // ms; no connection is closed while a test is about to use it again
const PAGE = "/tests/e2e/page/index.html"; // where pages of an allowed origin come back to

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "allow-origin": { type: "string", multiple: true, default: [] },
    dpop: { type: "boolean", default: false },
  },
});
const origins = ["https://app.example", ...options["allow-origin"]]; // the first is of the pages in CPython

// Tokens expire by this clock, which the lab moves.
const realNow = Date.now;
let shift = 0; // ms
Date.now = () => realNow() + shift;

// How often a nonce was asked for is counted with `--dpop` only, at the token endpoint and at the resource.
const counters = { refresh: 0, unauthorized: 0, ...(options.dpop && { token_nonces: 0, resource_nonces: 0 }) };

function makeProvider(issuer) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "demo-page",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [`${issuer}/callback`, ...origins.map((origin) => origin + PAGE)],
        id_token_signed_response_alg: "ES256",
        dpop_bound_access_tokens: options.dpop,
      },
    ],
    claims: { openid: ["sub"], profile: ["name"] },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: "Demo" }) }),
    // By itself it doesn't rotate a refresh token that is bound to a key.
    rotateRefreshToken: true,
    // So long, because the lab moves the clock: only the two that tests wait for shall end.
    ttl: { AccessToken: ACCESS_TTL, RefreshToken: REFRESH_TTL, Grant: 1e9, Session: 1e9, Interaction: 1e9 },
    clockTolerance: 0, // s
    clientBasedCORS: (ctx, origin) => origins.includes(origin),
    cookies: { keys: [randomBytes(32).toString("hex")] },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
    routes: { authorization: "/authorize", token: "/token", revocation: "/revoke", userinfo: "/api/me" },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      dPoP: { enabled: options.dpop, nonceSecret: randomBytes(32), requireNonce: () => true },
    },
  });
  const count = (name, { error }) => error === "use_dpop_nonce" && (counters[name] += 1);
  provider.on("grant.error", (ctx, error) => count("token_nonces", error));
  provider.on("userinfo.error", (ctx, error) => count("resource_nonces", error));
  return provider;
}

// The demo user is signed in always, and agrees to everything.
async function agree(provider, request, response) {
  const { params, grantId } = await provider.interactionDetails(request, response);
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: "demo", clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: "demo" }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}

const switches = {
  "POST /lab/expire": () => (shift += (ACCESS_TTL + 1) * 1000),
  "POST /lab/expire-refresh-tokens": () => (shift += (REFRESH_TTL + 1) * 1000),
  "POST /lab/reset": () => Object.keys(counters).forEach((name) => (counters[name] = 0)),
  "GET /lab/counters": () => counters,
};

const server = createServer({ keepAliveTimeout: KEEP_ALIVE });
server.listen(Number(options.port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = makeProvider(issuer);
  const callback = provider.callback();
  server.on("request", (request, response) => {
    const path = request.url.split("?")[0];
    const call = `${request.method} ${path}`;
    if (call in switches) {
      const answer = JSON.stringify(switches[call]());
      response.writeHead(200, { "Content-Type": "application/json" }).end(answer);
      return;
    }
    if (path.startsWith("/interaction/")) {
      agree(provider, request, response);
      return;
    }
    const isRefresh = call === "POST /token";
    counters.refresh += isRefresh;
    response.on("finish", () => (counters.unauthorized += response.statusCode === 401 && !isRefresh));
    callback(request, response);
  });
  console.log(`ready: ${issuer}`);
});

// Runs dpop.js without a browser, for test_prover.py: `node prover.mjs NAME` prints what came of it, as JSON.
//
// The database is a Map here, and the servers are functions.

import { hashed, makeProver, thumbprint } from "../../app/silent_refresh/browser/dpop.js";

const API = "https://api.example/things?q=1#top";
const claimsOf = (jwt) => JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));

/** Returns a prover, its key, and what is sent by it: `answer(claims, number)` is the server. */
const start = async (answer, options = {}) => {
  const prover = makeProver(async (mode, work) => work({ get: () => undefined, put: () => undefined }));
  const key = await prover.makeKey();
  const proofs = [];
  const send = (token = "a-token", url = API) =>
    prover.send({ key, method: "get", url, token, ...options }, async ([name, proof]) => {
      proofs.push({ name, proof });
      await new Promise((resolve) => setTimeout(resolve, 1));
      return answer(claimsOf(proof), proofs.length);
    });
  return { prover, key, proofs, send };
};

const wantsNonce = (nonce) => (claims) =>
  claims.nonce === nonce
    ? new Response("", { headers: { "DPoP-Nonce": nonce } })
    : new Response("", {
        status: 401,
        headers: { "DPoP-Nonce": nonce, "WWW-Authenticate": 'DPoP error="use_dpop_nonce", algs="ES256"' },
      });

const stories = {
  async known() {
    const jwk = {
      kty: "EC",
      x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
      y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
      crv: "P-256",
    };
    const rsa =
      '{"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6t' +
      "Soc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAta" +
      "Sqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqb" +
      'w0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}';
    return {
      jkt: await thumbprint(jwk),
      rsa: await hashed(rsa),
      ath: await hashed("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
    };
  },

  async proof() {
    const { key, proofs, send } = await start(() => new Response(""));
    await send();
    await send("", "https://API.example:443/a%20b/../c");
    return { key, proofs };
  },

  async nonce() {
    const { proofs, send } = await start(wantsNonce("one"));
    const statuses = [(await send()).status, (await send()).status];
    return { statuses, sent: proofs.length, jti: new Set(proofs.map(({ proof }) => claimsOf(proof).jti)).size };
  },

  async storm() {
    const { proofs, send } = await start(wantsNonce("one"));
    const responses = await Promise.all(Array.from({ length: 200 }, () => send()));
    return { statuses: [...new Set(responses.map(({ status }) => status))], sent: proofs.length };
  },

  async storm_of_a_silent_server() {
    const { proofs, send } = await start(() => new Response(""));
    await Promise.all(Array.from({ length: 200 }, () => send()));
    return { sent: proofs.length };
  },

  async dead_network() {
    let failed = 0;
    const { proofs, send } = await start(() => Promise.reject(new TypeError("Failed to fetch")));
    await Promise.all(Array.from({ length: 50 }, () => send().catch(() => (failed += 1))));
    return { sent: proofs.length, failed };
  },

  async token_endpoint() {
    const { proofs, send } = await start((claims) =>
      claims.nonce
        ? new Response("{}")
        : new Response('{"error": "use_dpop_nonce"}', { status: 400, headers: { "DPoP-Nonce": "two" } }),
    );
    const response = await send("");
    return { status: response.status, sent: proofs.length, names_token: "ath" in claimsOf(proofs[0].proof) };
  },

  async always_another_nonce() {
    const { proofs, send } = await start((_, number) => wantsNonce(`${number}`)({}));
    return { status: (await send()).status, sent: proofs.length };
  },

  async hidden_nonce() {
    const { send } = await start(
      () => new Response("", { status: 401, headers: { "WWW-Authenticate": "DPoP error=use_dpop_nonce" } }),
    );
    return send().catch(({ problem, message }) => ({ problem, message }));
  },

  async hidden_reason() {
    const { proofs, send } = await start((claims) =>
      claims.nonce ? new Response("") : new Response("", { status: 401, headers: { "DPoP-Nonce": "three" } }),
    );
    return { status: (await send()).status, sent: proofs.length };
  },

  async body_sent_once() {
    const { proofs, send } = await start(wantsNonce("one"), { isOnce: true });
    return { status: (await send()).status, sent: proofs.length };
  },

  async clock() {
    const ahead = 3_600_000;
    const { proofs, send } = await start((claims) =>
      Math.abs(claims.iat * 1000 - Date.now() - ahead) < 5000
        ? new Response("")
        : new Response("", {
            status: 401,
            headers: {
              Date: new Date(Date.now() + ahead).toUTCString(),
              "WWW-Authenticate": 'DPoP error="invalid_dpop_proof"',
            },
          }),
    );
    return { statuses: [(await send()).status, (await send()).status], sent: proofs.length };
  },

  async refused_for_good() {
    const { proofs, send } = await start(
      () =>
        new Response("", {
          status: 401,
          headers: { Date: new Date().toUTCString(), "WWW-Authenticate": 'DPoP error="invalid_dpop_proof"' },
        }),
    );
    return { status: (await send()).status, sent: proofs.length };
  },

  async sent_twice_by_the_browser() {
    const { proofs, send } = await start((_, number) =>
      number > 1
        ? new Response("")
        : new Response("", { status: 401, headers: { "WWW-Authenticate": 'DPoP error="invalid_dpop_proof"' } }),
    );
    return { status: (await send()).status, sent: proofs.length };
  },

  async gone() {
    const { prover } = await start(() => new Response(""));
    const what = { key: "none", method: "GET", url: API, token: "a-token" };
    return prover.send(what, () => "sent").catch(({ problem }) => ({ problem }));
  },
};

console.log(JSON.stringify(await stories[process.argv[2]]()));

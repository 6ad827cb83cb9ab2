// Proofs that a request comes from whoever has the session's key: DPoP, RFC 9449.
//
// bridge.js imports this file, or browser/prover.py runs its text, when tokens are bound to a key, and not before. The
// private half of a key can be used here and read nowhere: no script gets more of it than a handle, and that is in no
// global. A key's name is its thumbprint (RFC 7638).

const KIND = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const PENDING = "pending-key:"; // what the name begins with of a key that no session has yet
const PENDING_FOR = 3_600_000; // ms that somebody may take to sign in
const FRESH_FOR = 30_000; // ms after which a server's nonce may be out of date
const PATIENCE = 5_000; // ms to wait for another's answer: longer than that takes, shorter than a long poll
const MOST_SERVERS = 100;
const LONGEST_NONCE = 2_000; // characters
const LONGEST_FIELD = 4_000; // characters of a challenge that are read
const LEAST_OFFSET = 2_000; // ms that two clocks differ without harm; Date has whole seconds
const COMPLAINT = /\berror\s*=\s*"?(use_dpop_nonce|invalid_dpop_proof)\b/i;

const utf8 = new TextEncoder();
const BASE64URL = { alphabet: "base64url", omitPadding: true };
const base64url = (bytes) =>
  bytes.toBase64?.(BASE64URL) ?? // browsers of before 2025 lack it
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const encoded = (value) => base64url(utf8.encode(JSON.stringify(value)));
const hashed = async (text) => base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8.encode(text))));
const thumbprint = ({ crv, kty, x, y }) => hashed(JSON.stringify({ crv, kty, x, y })); // RFC 7638 §3.2
const nameOf = (journal) => `key:${journal}`;
const pendingNameOf = (jkt, journal) => `${PENDING}${jkt}:${journal}`;

/** Makes an error of which Python is told by `problem`: "key" for one that is gone, "proof" for what CORS hides. */
const failure = (problem, message) => Object.assign(new TypeError(message), { problem });

/** Waits for what another request finds out; not for long, and no longer than it is wanted. */
const foundOut = (found, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, PATIENCE);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    found.then(end);
    if (signal) EventTarget.prototype.addEventListener.call(signal, "abort", end, { once: true });
  });

/** What is known of one origin: its newest nonce (RFC 9449 §8, §9), and how far its clock is from this one. */
class Server {
  nonce;
  offset = 0; // ms
  asking; // a promise, while the first request that doesn't know what it wants is under way
  #wantsNonces; // undefined: nobody knows
  #heardAt = -Infinity;

  constructor(origin) {
    this.origin = origin;
  }

  get isKnown() {
    return this.#wantsNonces === false || performance.now() - this.#heardAt < FRESH_FOR;
  }

  hear(response) {
    if (response.redirected && new URL(response.url).origin !== this.origin) return; // another's word
    const nonce = response.headers.get("dpop-nonce");
    if (nonce && nonce.length <= LONGEST_NONCE) {
      this.nonce = nonce;
      this.#wantsNonces = true;
    } else if (response.ok && this.nonce === undefined) {
      this.#wantsNonces = false;
    }
    if (this.#wantsNonces && (response.ok || nonce)) this.#heardAt = performance.now();
  }

  /** Tells whether another proof would be a better one, now that this one was answered like that. */
  mends(complaint, response, usedNonce) {
    const told = response.headers.get("dpop-nonce");
    switch (complaint) {
      case "use_dpop_nonce":
        if (this.nonce === undefined) {
          throw failure(
            "proof",
            "the server wants a nonce in each proof, and its answer hides the nonce from this page: let it send " +
              "Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate",
          );
        }
        return this.nonce !== usedNonce;
      case "hidden": // a 401 that may say anything
        if (!told) this.#warn();
        return Boolean(told) && told !== usedNonce;
      case "invalid_dpop_proof": {
        const offset = Date.parse(response.headers.get("date") ?? "") - Date.now();
        if (Math.abs(offset - this.offset) > LEAST_OFFSET) this.offset = offset;
        return true; // a browser sends a request again when a kept connection breaks, and so its proof
      }
    }
    return false;
  }

  #warned = false;
  #warn() {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(
      `silent-refresh: ${this.origin} answered 401 to a request with a proof, and hides from this page why. Let it ` +
        "send Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate",
    );
  }
}

/** Returns what an answer says against a proof; at a token endpoint, where no token was sent, that is in the body. */
const complaintOf = async (response, token) => {
  const { status, headers, redirected } = response;
  if (redirected || !(status === 401 || (status === 400 && !token))) return undefined;
  const field = headers.get("www-authenticate");
  const found = COMPLAINT.exec((field ?? "").slice(0, LONGEST_FIELD))?.[1].toLowerCase();
  if (found || token) return found ?? (field === null ? "hidden" : undefined);
  try {
    const { error } = await response.clone().json();
    return error;
  } catch {
    return undefined; // no JSON: not a token endpoint's own
  }
};

/** Returns what keeps keys and signs with them; `withDatabase` is bridge.js's own. */
const makeProver = (withDatabase) => {
  const keys = new Map(); // thumbprint → promise of {jkt, jwk, privateKey, at}
  const journals = new Set(); // the names of those that keys are kept beside
  const servers = new Map(); // origin → Server
  let lastToken;
  let lastHash;
  let lastURL;
  let lastPlace;

  /** Returns {origin, htu} of a whole URL; pages ask for the same again, and parsing costs as much as a claim. */
  const placeOf = (url) => {
    if (url !== lastURL) {
      const { origin, pathname } = new URL(url);
      [lastPlace, lastURL] = [{ origin, htu: origin + pathname }, url];
    }
    return lastPlace;
  };

  const checked = async (value, jkt) => {
    const { privateKey, jwk } = value ?? {};
    const isKey = privateKey instanceof CryptoKey && !privateKey.extractable && privateKey.usages.includes("sign");
    return isKey && (await thumbprint(jwk ?? {})) === jkt;
  };

  const look = async (jkt) => {
    const names = [...journals].flatMap((journal) => [nameOf(journal), pendingNameOf(jkt, journal)]);
    let values = [];
    try {
      if (names.length) values = await withDatabase("readonly", (store) => names.map((name) => store.get(name)));
    } catch (error) {
      if (error.name === "TimeoutError") throw error; // it may be there
    }
    for (const value of values) if (value?.jkt === jkt && (await checked(value, jkt))) return value;
    throw failure("key", "the key of these tokens is not in this browser any more");
  };

  /** Returns a key that is at hand, or in the database. */
  const find = (jkt) => {
    let found = keys.get(jkt);
    if (found === undefined) {
      found = look(jkt);
      keys.set(jkt, found);
      found.catch(() => keys.get(jkt) === found && keys.delete(jkt));
    }
    return found;
  };

  const serverOf = (origin) => {
    let server = servers.get(origin);
    if (server === undefined) {
      if (servers.size >= MOST_SERVERS) servers.clear();
      servers.set(origin, (server = new Server(origin)));
    }
    return server;
  };

  const hashOf = async (token) => {
    if (token !== lastToken) [lastHash, lastToken] = [await hashed(token), token];
    return lastHash;
  };

  /** Returns a proof (RFC 9449 §4.2); fetch writes the usual methods in capitals, and so does this. */
  const proofFor = async ({ key, method, url, token }, server) => {
    const pair = await find(key);
    const { nonce } = server;
    const ath = token ? await hashOf(token) : undefined;
    const claims = {
      jti: crypto.randomUUID(),
      htm: /^(get|head|post|put|delete|options)$/i.test(method) ? method.toUpperCase() : method,
      htu: placeOf(url).htu,
      iat: Math.floor((Date.now() + server.offset) / 1000),
      ath,
      nonce,
    };
    pair.header ??= encoded({ typ: "dpop+jwt", alg: "ES256", jwk: pair.jwk });
    const signed = `${pair.header}.${encoded(claims)}`;
    const signature = await crypto.subtle.sign(SIGNING, pair.privateKey, utf8.encode(signed));
    return { proof: `${signed}.${base64url(new Uint8Array(signature))}`, nonce };
  };

  /**
   * Sends by `begin(field)`, which is given the header field of the proof, and again with a new proof where the answer
   * says what that has to have: at most once for a nonce, and once for a clock that is wrong, or a proof that came
   * twice. `what` is {key, method, url, token, signal, isOnce}; what is sent once can't be repeated.
   *
   * Where it isn't known which nonce a server wants, one request goes first and finds out for all.
   */
  const send = async (what, begin) => {
    const server = serverOf(placeOf(what.url).origin);
    let tell = () => {};
    if (!server.isKnown) {
      if (server.asking) await foundOut(server.asking, what.signal);
      else {
        server.asking = new Promise((resolve) => {
          tell = () => {
            server.asking = undefined;
            resolve();
          };
        });
      }
    }
    try {
      for (const tried = new Set(); ; ) {
        const { proof, nonce } = await proofFor(what, server);
        const response = await begin(["DPoP", proof]);
        server.hear(response);
        tell();
        const complaint = await complaintOf(response, what.token);
        if (what.isOnce || tried.has(complaint) || !server.mends(complaint, response, nonce)) return response;
        tried.add(complaint);
        response.body?.cancel().catch(() => {});
      }
    } finally {
      tell();
    }
  };

  return {
    find,
    send,
    /** Makes a key, and returns its thumbprint. */
    async makeKey() {
      const { publicKey, privateKey } = await crypto.subtle.generateKey(KIND, false, ["sign"]);
      const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
      const jwk = { kty, crv, x, y };
      const jkt = await thumbprint(jwk);
      keys.set(jkt, Promise.resolve({ jkt, jwk, privateKey, at: Date.now() }));
      return jkt;
    },
    /** Writes one down beside a journal, for the sign-in that it is made for. */
    async keep(jkt, journal) {
      const value = await find(jkt);
      await withDatabase("readwrite", (store) => [store.put(value, pendingNameOf(jkt, journal))]);
    },
    /** Looks for keys beside this journal, too. */
    lookIn(journal) {
      journals.add(journal);
    },
    letGo(jkt) {
      keys.delete(jkt);
    },
    /** Removes the keys of sign-ins long ago, and beside this journal that of a session, where there is none. */
    async sweep(journal, hasSession) {
      const range = IDBKeyRange.bound(PENDING, `${PENDING}\uffff`);
      const [names, values, [own]] = await withDatabase("readonly", (store) => [
        store.getAllKeys(range),
        store.getAll(range),
        store.getAllKeys(nameOf(journal)),
      ]);
      const over = names.filter((_, i) => !(Math.abs(Date.now() - values[i]?.at) < PENDING_FOR));
      if (own !== undefined && !hasSession) over.push(own);
      if (over.length) await withDatabase("readwrite", (store) => over.map((name) => store.delete(name)));
    },
    /** Returns a proof for a request that somebody else sends. */
    async prove(key, method, url, token) {
      return (await proofFor({ key, method, url, token }, serverOf(placeOf(url).origin))).proof;
    },
    /** Learns from the answer to that; returns whether a new proof would be a better one. */
    async hears(url, token, status, fields, text) {
      const response = new Response(status === 204 || status === 304 ? null : text, { status, headers: fields });
      const server = serverOf(placeOf(url).origin);
      server.hear(response);
      return server.mends(await complaintOf(response, token), response);
    },
    /** Hands a key to the other end of a port; `accept` takes it there. */
    async share(jkt, port) {
      port.postMessage(await find(jkt));
    },
    accept(value) {
      keys.set(value.jkt, Promise.resolve(value));
    },
  };
};

export { hashed, makeProver, thumbprint };

// The few lines of JavaScript that the platform demands, for app/silent_refresh/browser.
//
// Pyodide's await hangs for ever on a promise that was rejected with something that is no Error, an unawaited
// crossing costs a tenth of an awaited one, and a cancelled task aborts nothing: so promises end here, and Python
// gets plain values through callbacks. A page under a strict CSP loads this file as a module
// (`[js_modules.main]` in pyscript.toml, as silent_refresh_bridge); elsewhere Python runs its text.

const SMALL = 65536; // bytes of JSON that are read in the same trip
const asError = (e) => (e instanceof Error ? e : new DOMException(String(e ?? "aborted"), "AbortError"));

// --- fetch ------------------------------------------------------------------------------------------------

// A PyScript worker runs from a blob: URL, which is no base for others; its page tells it a better one.
const inWorker = globalThis.WorkerGlobalScope !== undefined;
let base;
const setBase = (url) => (base = url);
const baseURI = () => base ?? (inWorker ? new URL("/", location.origin).href : document.baseURI);
const here = () => (inWorker ? baseURI() : location.href);

let ownFetch; // the browser's, while another stands in its place
const pageFetch = (url, init) => (ownFetch ?? globalThis.fetch)(url, init);
// What depends on the page's folder fails in a worker that doesn't know it.
const isResolved = (url) => !inWorker || (base === undefined && !/^(\/|[a-z][a-z\d+.-]*:)/i.test(url));
const resolved = (url) => (isResolved(url) || !URL.canParse(url, baseURI()) ? url : new URL(url, baseURI()).href);
const controllers = new WeakMap(); // response → what aborts the rest of its body

/**
 * Returns the header fields as text, and whether they tell of JSON that is known to be small, or of unknown length as
 * compressed JSON is; never a stream, a download, a picture.
 */
const readFields = (headers) => {
  let fields = "";
  let isJson = false;
  let length = 0;
  for (const [name, value] of headers) {
    fields += `${name}: ${value}\n`;
    if (name === "content-type") isJson = /[/+]json\b/i.test(value);
    else if (name === "content-length") length = Number(value);
  }
  return [fields, isJson && length <= SMALL];
};

// Some browsers quote what they couldn't take, and that may be a secret.
const without = (secrets, message) =>
  secrets.reduce((told, secret) => (secret ? told.replaceAll(secret, "…") : told), message);

// A TypeError is fetch's word for a dead network and for a bad argument; only the latter can be had again offline.
const kindOf = (error, url, init) => {
  if (error.name === "AbortError") return "aborted";
  try {
    new Request(url, init);
    return "network";
  } catch {
    return "input";
  }
};

/**
 * Returns what calls `callback`, a Python function, at once and so that what it wakes may use run_sync.
 *
 * Pyodide's own callPromising does the latter, but goes through the event loop first, lest it be called in the middle
 * of other Python; here nothing else runs, for a promise has just been settled. Should a Pyodide not ask `api` for that
 * trip, or not let us answer, it is made: slower by 30 µs, and as right.
 */
const entering = (callback, api) => {
  if (!callback.callPromising || !WebAssembly.Suspending) return callback;
  if (!Object.getOwnPropertyDescriptor(api ?? {}, "scheduleCallback")?.writable) {
    return (...args) => void callback.callPromising(...args);
  }
  return (...args) => {
    const { scheduleCallback } = api;
    api.scheduleCallback = atOnce;
    try {
      callback.callPromising(...args);
    } finally {
      api.scheduleCallback = scheduleCallback;
    }
  };
};
const atOnce = (go) => go();

/** Returns what calls `callback` with a number in a microtask. */
const soon = (callback, api) => {
  const go = entering(callback, api);
  return (number) => queueMicrotask(() => go(number));
};

const LONGEST_TIMER = 2 ** 31 - 1; // ms; a longer one overflows and goes off at once

/** What is under way, by ticket, with what aborts it and when its time is up. */
class Running {
  #jobs = new Map(); // ticket → {controller, end, isLate}
  #timer; // one for all, for the earliest end that it knows of: it hardly ever goes off
  #due = Infinity;

  add(ticket, seconds, controller) {
    const end = seconds ? performance.now() + seconds * 1000 : Infinity;
    const job = { controller, end, isLate: false };
    this.#jobs.set(ticket, job);
    if (end < this.#due) this.#arm(end);
    return job;
  }

  remove(ticket) {
    this.#jobs.delete(ticket);
  }

  abort(ticket) {
    this.#jobs.get(ticket)?.controller.abort();
  }

  #arm(end) {
    clearTimeout(this.#timer);
    this.#due = end;
    if (end < Infinity) this.#timer = setTimeout(() => this.#ring(), Math.min(end - performance.now(), LONGEST_TIMER));
  }

  #ring() {
    const now = performance.now();
    let next = Infinity;
    const late = [];
    for (const job of this.#jobs.values()) {
      if (job.isLate) continue;
      if (job.end <= now) late.push(job);
      else next = Math.min(next, job.end);
    }
    this.#arm(next);
    for (const job of late) {
      job.isLate = true;
      job.controller.abort();
    }
  }
}

/**
 * Returns {send, read, chunk, abort}, each of which ends in one call of `done(ticket, problem, …)`, where `problem`
 * is undefined or one of "network", "aborted", "timeout", "input", followed by a message.
 */
const transport = (callback, api) => {
  const done = entering(callback, api);
  const running = new Running();
  let headers = []; // of the last request: the next one's are mostly the same, and costly to bring here

  const settle = async (ticket, seconds, controller, answer, told = (error) => ["network", error.message]) => {
    const job = running.add(ticket, seconds, controller);
    let outcome;
    try {
      outcome = await answer();
    } catch (reason) {
      outcome = job.isLate ? ["timeout", ""] : told(asError(reason));
    }
    running.remove(ticket);
    done(ticket, ...outcome);
  };

  return {
    /** Done: undefined, status, final URL, redirected, header fields, text or undefined, response or undefined. */
    send(ticket, seconds, readsAhead, method, address, body, options, areKnown, ...fields) {
      if (!areKnown) {
        headers = [];
        for (let i = 0; i < fields.length; i += 2) headers.push([fields[i], fields[i + 1]]);
      }
      const url = resolved(address);
      const controller = new AbortController();
      const own = headers.map((field) => [...field]); // whoever stands before the page's fetch may add to them
      const init = { ...options, method, body, headers: own, signal: controller.signal };
      const answer = async () => {
        await undefined; // Python's frames are left: DevTools, when open, would list them all for each request
        const response = await pageFetch(url, init);
        const { status, redirected } = response;
        const [fields, isSmallJson] = readFields(response.headers);
        const answered = [undefined, status, response.url, redirected, fields];
        if (readsAhead && isSmallJson) return [...answered, await response.text(), undefined];
        controllers.set(response, controller);
        return [...answered, undefined, response];
      };
      const told = (error) => {
        const secrets = [url, address, ...own.flat()];
        return [kindOf(error, url, init), without(secrets, error.message)];
      };
      settle(ticket, seconds, controller, answer, told);
    },
    /** Reads a whole body; `how` is "text" or "arrayBuffer". Done: undefined, the body. */
    read(ticket, seconds, response, how) {
      settle(ticket, seconds, controllers.get(response), async () => [undefined, await response[how]()]);
    },
    /** Reads the next piece of a body. Done: undefined, a Uint8Array or, at the end, undefined. */
    chunk(ticket, seconds, response, reader) {
      settle(ticket, seconds, controllers.get(response), async () => [undefined, (await reader.read()).value]);
    },
    /** Aborts one of these. */
    abort(ticket) {
      running.abort(ticket);
    },
    /** Gives up a body that nobody will read, so that its connection is free. */
    discard(response) {
      controllers.get(response)?.abort();
    },
  };
};

// --- the page's own fetch ---------------------------------------------------------------------------------

const MOST_KNOWN = 500; // URLs whose place is remembered
const isStream = (body) => globalThis.ReadableStream !== undefined && body instanceof ReadableStream;

/** One call of the page's fetch that may be sent twice. What most calls don't need isn't made for them. */
class Call {
  constructor(input, init) {
    this.request = input instanceof Request ? input : undefined;
    this.url = this.request?.url ?? input;
    const headers = init?.headers ?? this.request?.headers;
    this.headers = headers && new Headers(headers);
    this.mode = init?.mode ?? this.request?.mode;
    this.method = init?.method ?? this.request?.method ?? "GET";
    this.signal = init?.signal ?? this.request?.signal;
    this.init = init;
    this.next = input; // what is sent the next time; undefined when it can't be sent again
    this.times = 0;
  }

  /** Sends it with this token; what was sent with it already, or can't be sent again, keeps its last response. */
  async send(token) {
    if (this.times > 0 && token === this.token) return this.response;
    if (this.times > 0 && this.next === undefined) {
      console.warn("silent-refresh: a request whose body is a stream was answered 401; it can't be sent again.");
    }
    if (this.times > 1 || this.next === undefined) return this.response;
    const input = this.next;
    this.next = this.times === 0 ? this.spare() : undefined;
    this.times += 1;
    this.token = token;
    const init = { ...this.init };
    if (this.headers) {
      if (token) this.headers.set("Authorization", `Bearer ${token}`);
      init.headers = this.headers;
    } else if (token) {
      init.headers = { Authorization: `Bearer ${token}` };
    }
    this.response = await ownFetch(input, init);
    return this.response;
  }

  spare() {
    if (isStream(this.init?.body)) return undefined;
    const hasBody = this.request && !this.init?.body && !/^(GET|HEAD)$/.test(this.method);
    return hasBody && !this.request.bodyUsed ? this.request.clone() : this.next;
  }
}

/**
 * Puts a fetch in the place of the page's that sends the access token, and asks Python for help only when there is
 * none to send, or when it was refused: `help(url, method, refusal, session, send, resolve, reject)`, where `refusal`
 * is the 401 if there was one, to a token of `session`, and `send(token)` sends, or gives the response that came
 * already. Returns {set(…), undo()}, or undefined when that was done before.
 */
const wrapFetch = (help) => {
  if (ownFetch) return undefined;
  const pages = globalThis.fetch;
  const native = pages.bind(globalThis);
  let token;
  let until;
  let untilDate;
  let origins = [];
  let exempt = [];
  let session;

  // Time stands still on the one clock while the computer sleeps, and the other may be set.
  const isUsable = () => token !== undefined && performance.now() < until && Date.now() < untilDate;

  const isOurs = (url) => {
    const { origin, pathname } = new URL(url, baseURI());
    return origins.includes(origin) && !exempt.includes((origin + pathname).replace(/\/+$/, ""));
  };

  // Pages ask for the same places again and again; what these parse to doesn't depend on where the page is just now.
  const ours = new Map();
  const isOursAsBefore = (url) => {
    if (typeof url !== "string" || !/^(\/(?![/\\])|https?:\/\/)/i.test(url)) return isOurs(url);
    let known = ours.get(url);
    if (known === undefined) {
      if (ours.size >= MOST_KNOWN) ours.clear();
      ours.set(url, (known = isOurs(url)));
    }
    return known;
  };

  const mayCarryToken = ({ url, headers, mode }) =>
    mode !== "no-cors" && !headers?.has("authorization") && isOursAsBefore(url);

  const helped = (call) =>
    new Promise((resolve, reject) => {
      const { signal } = call;
      const abort = () => reject(signal.reason);
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      const over = (settle) => (value) => {
        signal?.removeEventListener("abort", abort);
        settle(value);
      };
      const send = async (accessToken) => {
        try {
          return await call.send(accessToken);
        } catch (reason) {
          throw asError(reason);
        }
      };
      help(new URL(call.url, baseURI()).href, call.method, call.response, call.session, send, over(resolve), over(reject));
    });

  const fetch = async (input, init) => {
    let call;
    try {
      call = new Call(input, init);
      if (ownFetch !== native || !mayCarryToken(call)) return native(input, init);
    } catch {
      return native(input, init); // which says what is wrong
    }
    if (!isUsable()) return helped(call);
    call.session = session;
    const response = await call.send(token);
    return response.status === 401 ? helped(call) : response;
  };
  ownFetch = native;
  globalThis.fetch = fetch;
  return {
    /** `valid` is in seconds; undefined for no end that is known. */
    set(accessToken, valid, itsOrigins, itsExempt, itsSession) {
      token = accessToken;
      until = valid === undefined ? Infinity : performance.now() + valid * 1000;
      untilDate = valid === undefined ? Infinity : Date.now() + valid * 1000;
      origins = itsOrigins;
      exempt = itsExempt;
      session = itsSession;
      ours.clear();
    },
    /** Whoever keeps a reference to it, or has wrapped it once more, goes on with the browser's. */
    undo() {
      ownFetch = undefined;
      if (globalThis.fetch === fetch) globalThis.fetch = pages;
    },
  };
};

// --- the page ---------------------------------------------------------------------------------------------

/** Returns "origin path" of a URL as fetch would parse it, undefined for what is none. */
const parse = (url) => {
  try {
    const parsed = new URL(url, baseURI());
    return `${parsed.origin} ${parsed.pathname}${parsed.search}${parsed.hash}`;
  } catch {
    return undefined;
  }
};

const listen = (target, type, heard) => {
  target.addEventListener(type, heard);
  return () => target.removeEventListener(type, heard);
};

/** Calls `changed` when another tab wrote or cleared `key`, and when the page comes back from the bfcache or the background. */
const watch = (key, changed) => {
  const stops = [
    listen(globalThis, "storage", (event) => (event.key === key || event.key === null) && changed()),
    listen(globalThis, "pageshow", (event) => event.persisted && changed()),
    listen(document, "visibilitychange", () => document.visibilityState === "visible" && changed()),
  ];
  return () => stops.forEach((stop) => stop());
};

// --- tabs -------------------------------------------------------------------------------------------------

/** Waits for a Web Lock. `granted` rejects when the wait is given up; after that `release` alone is left to call. */
const lock = (name) => {
  const waiting = new AbortController();
  let isHeld = false;
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const granted = new Promise((resolve, reject) => {
    const hold = () => {
      isHeld = true;
      resolve();
      return released;
    };
    navigator.locks.request(name, { signal: waiting.signal }, hold).catch((reason) => {
      isHeld = false; // given up while waiting, or stolen
      reject(asError(reason));
    });
  });
  return {
    granted,
    isHeld: () => isHeld,
    release() {
      isHeld = false;
      waiting.abort();
      release();
    },
  };
};

const hasLocks = () => Boolean(globalThis.navigator?.locks);

let marks; // the open database
const FENCE_WAIT = 2000; // ms; a database that doesn't answer must not hold the lock
const FENCE_WAIT_AGAIN = 100; // ms; nor, when it stays like that, slow every renewal down
let patience = FENCE_WAIT;

const openMarks = () =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open("silent-refresh", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("marks");
    opening.onsuccess = () => {
      const database = opening.result;
      // Closed by the browser when site data is cleared, by us when that is what another tab waits for.
      database.onclose = () => (marks = undefined);
      database.onversionchange = () => {
        marks = undefined;
        database.close();
      };
      resolve(database);
    };
    opening.onerror = () => reject(asError(opening.error));
  });

const withMarks = async (mode, work) => {
  const job = async () => {
    marks ??= openMarks();
    const transaction = (await marks).transaction("marks", mode);
    const request = work(transaction.objectStore("marks"));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve; // only now can other processes see it
      transaction.onabort = transaction.onerror = () => reject(asError(transaction.error));
    });
    return request.result;
  };
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => {
      patience = FENCE_WAIT_AGAIN;
      reject(Object.assign(new Error("IndexedDB did not answer"), { name: "TimeoutError" }));
    }, patience);
  });
  try {
    const result = await Promise.race([job(), tooLong]);
    patience = FENCE_WAIT;
    return result;
  } catch (reason) {
    marks = undefined;
    throw asError(reason);
  } finally {
    clearTimeout(timer);
  }
};

/** Reads the text under `name` in the database that all tabs share; undefined when there's none. */
const readMark = (name) => withMarks("readonly", (store) => store.get(name));

/** Writes it, and resolves when every tab can see it. */
const writeMark = (name, text) => withMarks("readwrite", (store) => store.put(text, name));

/** Opens a channel to the other tabs of this origin: {post(text), close()}. */
const channel = (name, heard) => {
  if (!globalThis.BroadcastChannel) return { post() {}, close() {} };
  const broadcast = new BroadcastChannel(name);
  broadcast.onmessage = ({ data }) => typeof data === "string" && heard(data);
  return { post: (text) => broadcast.postMessage(text), close: () => broadcast.close() };
};

export { channel, hasLocks, here, lock, parse, readMark, setBase, soon, transport, watch, wrapFetch, writeMark };

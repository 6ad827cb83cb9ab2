// The few lines of JavaScript that the platform demands, for app/silent_refresh/browser.
//
// Pyodide's await hangs for ever on a promise that was rejected with what it takes for no error, an unawaited
// crossing costs a tenth of an awaited one, and a cancelled task aborts nothing: so promises end here, and Python
// gets plain values through callbacks. A page under a strict CSP loads this file as a module
// (`[js_modules.main]` in pyscript.toml, as silent_refresh_bridge); elsewhere Python runs its text.

/** Gives an error a stack. By that Pyodide knows errors, and WebKit gives none to those of a dead network, or of import(). */
const withStack = (e) => {
  const isWithout = e instanceof Error && !("stack" in e);
  if (isWithout) Reflect.defineProperty(e, "stack", { value: String(e), configurable: true, writable: true });
  return e;
};
/** Returns what Python can await: the error, or one in place of what is none, or may not be changed. */
const asError = (e) =>
  e instanceof Error && "stack" in withStack(e) ? e : new DOMException(String(e ?? "aborted"), "AbortError");
const orError = (promise) => promise.catch((reason) => Promise.reject(asError(reason)));

// --- the platform's own ------------------------------------------------------------------------------------

// Elements with a name or an id (`<img name=baseURI>`, `<a id=WorkerGlobalScope>`) take the place of what a document
// has, and of what a page's global object lacks. These don't see them.
const inWorker = /Worker/.test(Object.prototype.toString.call(globalThis));
const getter = (prototype, name) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name) ?? {}; // a browser may lack one
  return (object = document) => get?.call(object);
};
const documentBase = inWorker ? undefined : getter(Node.prototype, "baseURI");
const referrer = inWorker ? undefined : getter(Document.prototype, "referrer");
const visibility = inWorker ? undefined : getter(Document.prototype, "visibilityState");
const address = inWorker ? () => location.href : getter(Document.prototype, "URL");
const { addEventListener, removeEventListener } = EventTarget.prototype;

// --- fetch ------------------------------------------------------------------------------------------------

// A PyScript worker runs from a blob: URL, which is no base for others; its page tells it a better one.
let base;
const setBase = (url) => (base = url);
const baseURI = () => base ?? (inWorker ? new URL("/", location.origin).href : documentBase());
const here = () => (inWorker ? baseURI() : address());

let ownFetch; // the browser's, while another stands in its place
const pageFetch = (url, init) => (ownFetch ?? globalThis.fetch)(url, init);
// What depends on the page's folder fails in a worker that doesn't know it.
const isResolved = (url) => !inWorker || (base === undefined && !/^(\/|[a-z][a-z\d+.-]*:)/i.test(url));
const resolved = (url) => (isResolved(url) || !URL.canParse(url, baseURI()) ? url : new URL(url, baseURI()).href);
const isWhole = (url) => /^https?:\/\//i.test(url); // it depends on no base
const controllers = new WeakMap(); // response → what aborts the rest of its body

let prover; // a promise of what signs for tokens that are bound to a key; dpop.js is loaded when there are any
/** Makes that, from what dpop.js exports; without it, the file beside this one is loaded. */
const useProver = (found) =>
  (prover ??= Promise.resolve(found ?? import("./dpop.js")).then(({ makeProver }) => makeProver(withDatabase)));
const askProver = async (name, ...args) => (await prover)[name](...args);
const withProver = (name, ...args) => orError(askProver(name, ...args)); // Python's
const proven = (what, begin) => askProver("send", what, begin); // see there

/**
 * Returns the header fields as text, and whether they tell of JSON that is known to be small, or of unknown length as
 * compressed JSON is; never a stream, a download, a picture.
 */
const readFields = (headers, small) => {
  let fields = "";
  let isJson = false;
  let length = 0;
  for (const [name, value] of headers) {
    fields += `${name}: ${value}\n`;
    if (name === "content-type") isJson = /[/+]json\b/i.test(value);
    else if (name === "content-length") length = Number(value);
  }
  return [fields, isJson && length <= small];
};

// Some browsers quote what they couldn't take, and that may be a secret.
const without = (secrets, message) =>
  secrets.reduce((told, secret) => (secret ? told.replaceAll(secret, "…") : told), message);

// A TypeError is fetch's word for a dead network and for a bad argument; only the latter can be had again offline.
const kindOf = (error, url, init) => {
  if (error.name === "AbortError") return "aborted";
  if (error.problem) return error.problem;
  try {
    new Request(url, init);
    return "network";
  } catch {
    return "input";
  }
};

/**
 * Returns what calls `callback`, a Python function, at once and so that what it wakes may use run_sync; `over` is called with
 * the same when Python has done its part.
 *
 * Pyodide's own callPromising does the former, but goes through the event loop first, lest it be called in the middle
 * of other Python; here nothing else runs, for a promise has just been settled. Should a Pyodide not ask its `_api` for
 * that trip, or not let us answer, it is made: slower by 30 µs, and as right. An older Pyodide has callPromising, and
 * can't use the WebAssembly.Suspending of a newer browser: its own word counts.
 */
const entering = (callback, pyodide, over) => {
  const { _api: api } = pyodide;
  if (!canSwitch(callback, pyodide)) return insistent(callback, over);
  if (!Object.getOwnPropertyDescriptor(api ?? {}, "scheduleCallback")?.writable) {
    return insistent((...args) => callback.callPromising(...args), over);
  }
  const enter = (...args) => {
    const { scheduleCallback } = api;
    api.scheduleCallback = atOnce;
    try {
      return callback.callPromising(...args);
    } finally {
      api.scheduleCallback = scheduleCallback;
    }
  };
  return insistent(enter, over);
};
const atOnce = (go) => go();

/** Tells whether what `callback` wakes by `entering` may use run_sync, wherever it began to wait. */
const canSwitch = (callback, { _module: module }) =>
  Boolean(callback.callPromising && (module?.jspiSupported ?? WebAssembly.Suspending));

/**
 * Returns what calls `enter`, and calls it again when a keyboard interrupt struck it: Pyodide's interrupt buffer raises
 * that in whatever Python runs next, and what Python was to be told would be lost.
 */
const insistent = (enter, over) => {
  const call = (...args) => {
    const again = (error) => {
      if (error.type === "KeyboardInterrupt") setTimeout(call, 0, ...args);
      throw error;
    };
    try {
      const entered = enter(...args);
      if (entered?.then) entered.then(() => over?.(...args), again);
      else over?.(...args);
    } catch (error) {
      again(error);
    }
  };
  return call;
};

/** Returns what calls `callback` with a number in a microtask. */
const soon = (callback, pyodide) => {
  const go = entering(callback, pyodide);
  return (number) => queueMicrotask(() => go(number));
};

// A timer that goes off so late (ms) tells that the page stood still. What it was for may have come meanwhile, and be
// behind it in the queue: so it is looked at once more, after a second.
const LATE = 500;
const ONCE_MORE = 1000;
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
      if (now - job.end > LATE && !job.isLastLook) Object.assign(job, { end: now + ONCE_MORE, isLastLook: true });
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
 * Where Python reads what a request was answered: a piece of its own memory, which has room for one answer at a time.
 *
 * A string that is handed to a Python function is copied character by character, twice: 10 µs a kilobyte.
 */
class Answers {
  #buffer; // a proxy of Python's bytearray: six numbers, the header fields and the URL in Latin-1, the body
  #room; // for fields and URL
  #memory; // the buffer from this side, until Python's memory grows and is another one
  #head;
  #untold = new Map(); // ticket → what was answered

  constructor(buffer, room) {
    this.#buffer = buffer;
    this.#room = room;
    this.#open();
  }

  #open() {
    this.#memory?.release();
    this.#memory = this.#buffer.getBuffer("u8");
    const { buffer, byteOffset } = this.#memory.data;
    this.#head = new DataView(buffer, byteOffset);
  }

  /** Keeps and writes an answer, and returns the fields and the URL if there is no room for them. */
  add(ticket, answer) {
    const { fields, url } = answer;
    const fits = fields.length + url.length <= this.#room;
    this.#untold.set(ticket, fits ? answer : { ...answer, fields: "", url: "" });
    this.write(ticket);
    return fits ? undefined : [fields, url];
  }

  remove(ticket) {
    this.#untold.delete(ticket);
  }

  /** Writes an answer, once more if others came in between. */
  write(ticket) {
    const { status, redirected, fields, url, bytes } = this.#untold.get(ticket);
    if (!this.#memory.data.length) this.#open();
    const { data } = this.#memory;
    const head = this.#head;
    const put = (text, at) => {
      for (let i = 0; i < text.length; i += 1) data[at + i] = text.charCodeAt(i);
      return at + text.length;
    };
    const fieldsEnd = put(fields, 24);
    const urlEnd = put(url, fieldsEnd);
    if (bytes) data.set(bytes, urlEnd);
    head.setUint32(0, ticket, true);
    head.setUint32(4, status, true);
    head.setUint32(8, redirected, true);
    head.setUint32(12, fieldsEnd, true);
    head.setUint32(16, urlEnd, true);
    head.setUint32(20, urlEnd + (bytes?.length ?? 0), true);
  }
}

/**
 * Returns {send, again, read, chunk, write, abort, discard}.
 *
 * What `send` and `again` begin ends in one call of `answered(ticket, response, fields, URL)`, where `buffer` has the rest, as
 * `Answers` writes it, and the small body of JSON in place of the response; or, as what else is begun here, in one of
 * `done(ticket, problem, …)`, where `problem` is undefined or one of "network", "aborted", "timeout", "input", or dpop.js's
 * "key" and "proof", followed by a message. `room` and `small` are the bytes that the buffer has for fields and body.
 */
const transport = (whenAnswered, whenDone, buffer, room, small, pyodide) => {
  const answers = new Answers(buffer, room);
  const answered = entering(whenAnswered, pyodide, (ticket) => answers.remove(ticket));
  const done = entering(whenDone, pyodide);
  const running = new Running();
  // Of the last request: the next one's are mostly the same, and costly to bring here.
  let how = { seconds: 0, readsAhead: true, method: "GET" };
  let headers = [];
  let credentials = "same-origin"; // fetch's option that goes with them, for a request that has none
  let key; // and whose proof goes with them, for which token
  let token;

  /** Waits for `answer`, which returns what tells Python. */
  const settle = async (ticket, seconds, controller, answer, told = (error) => ["network", error.message]) => {
    const job = running.add(ticket, seconds, controller);
    let tell;
    try {
      tell = await answer();
    } catch (reason) {
      const outcome = job.isLate ? ["timeout", ""] : told(asError(reason));
      tell = () => done(ticket, ...outcome);
    }
    running.remove(ticket);
    tell();
  };

  const begin = (ticket, address, body, options) => {
    const url = resolved(address);
    const controller = new AbortController();
    const own = headers.map(([name, value]) => [name, value]); // whoever stands before the page's fetch may add to them
    const { signal } = controller;
    const { seconds, readsAhead, method } = how;
    const init = { credentials, ...options, method, body, headers: own, signal };
    const what = key && { key, token, method, signal, isOnce: isStream(body) };
    const answer = async () => {
      await undefined; // Python's frames are left: DevTools, when open, would list them all for each request
      const response = await (what
        ? proven({ ...what, url: isWhole(url) ? url : new URL(url, baseURI()).href }, (proof) =>
            pageFetch(url, { ...init, headers: [...own.map((field) => [...field]), proof] }),
          )
        : pageFetch(url, init));
      const { status, redirected } = response;
      const [fields, isSmallJson] = readFields(response.headers, small);
      const isRead = readsAhead && isSmallJson;
      const bytes = isRead ? new Uint8Array(await response.arrayBuffer()) : undefined;
      const isHere = isRead && bytes.length <= small;
      const rest = isHere ? undefined : isRead ? new Response(bytes) : response;
      if (rest) controllers.set(rest, controller);
      return () => {
        const itsURL = response.url === url ? "" : response.url;
        const apart = answers.add(ticket, { status, redirected, fields, url: itsURL, bytes: isHere ? bytes : undefined });
        if (isHere && !apart) answered(ticket);
        else answered(ticket, rest, ...(apart ?? []));
      };
    };
    const told = (error) => [kindOf(error, url, init), without([url, address, ...own.flat()], error.message)];
    settle(ticket, seconds, controller, answer, told);
  };

  return {
    /** Sends a request; `fields` are credentials, key, token, and name, value, …, or none where they are the last one's. */
    send(ticket, address, seconds, readsAhead, method, body, options, areKnown, ...fields) {
      how = { seconds, readsAhead, method };
      if (!areKnown) {
        [credentials, key, token] = fields;
        headers = [];
        for (let i = 3; i < fields.length; i += 2) headers.push([fields[i], fields[i + 1]]);
      }
      begin(ticket, address, body, options);
    },
    /** Sends one that differs from the last in its address, and has neither body nor options. */
    again: (ticket, address) => begin(ticket, address),
    /** Reads a whole body. Done: undefined, an ArrayBuffer. */
    read(ticket, seconds, response) {
      const answer = async () => {
        const bytes = await response.arrayBuffer();
        return () => done(ticket, undefined, bytes);
      };
      settle(ticket, seconds, controllers.get(response), answer);
    },
    /** Reads the next piece of a body. Done: undefined, a Uint8Array or, at the end, undefined. */
    chunk(ticket, seconds, response, reader) {
      const answer = async () => {
        const { value } = await reader.read();
        return () => done(ticket, undefined, value);
      };
      settle(ticket, seconds, controllers.get(response), answer);
    },
    /** Writes an answer once more: others have come since it was told. */
    write: (ticket) => answers.write(ticket),
    /** Aborts one of these. */
    abort: (ticket) => running.abort(ticket),
    /** Gives up a body that nobody will read, so that its connection is free. */
    discard: (response) => controllers.get(response)?.abort(),
  };
};

// --- the page's own fetch ---------------------------------------------------------------------------------

const MOST_KNOWN = 500; // URLs whose place is remembered
const LONGEST_KNOWN = 2000; // characters
const ONCE_A_SECOND = 1000; // ms
// A session whose tokens are in HttpOnly cookies has a name in the token's place, which nobody is sent.
const isSent = (token) => Boolean(token) && !/^(in-cookies|not-yet)~/.test(token);
const { FormData: OwnFormData, Request: OwnRequest, URL: OwnURL, URLSearchParams: OwnParams } = globalThis;
const { has: hasField, set: setField } = Headers.prototype;
const cloneRequest = OwnRequest.prototype.clone;
const fieldsOf = OwnFormData.prototype.entries;
const sliceOf = ArrayBuffer.prototype.slice;
const isResizable = getter(ArrayBuffer.prototype, "resizable");
const textOfParams = OwnParams.prototype.toString;
const sizeOf = getter(Blob.prototype, "size");
const [bodyOf, headersOf, keepaliveOf, methodOf, modeOf, policyOf, referrerOf, signalOf, urlOf] = [
  "body", "headers", "keepalive", "method", "mode", "referrerPolicy", "referrer", "signal", "url",
].map((name) => getter(OwnRequest.prototype, name));
const [isAborted, reasonOf] = ["aborted", "reason"].map((name) => getter(AbortSignal.prototype, name));

const isLocked = getter(ReadableStream.prototype, "locked");
/** Tells whether an object is what it says: `get` is a getter of the browser's, which throws for any other. */
const isGenuine = (object, get) => {
  try {
    get(object);
    return true;
  } catch {
    return false;
  }
};
/** Tells whether this is a signal, and was aborted; what is none, fetch itself will say. */
const wasAborted = (signal) => Boolean(signal) && isGenuine(signal, isAborted) && isAborted(signal);

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
const kindOfObject = (value) => Object.prototype.toString.call(value).slice(8, -1);
const isStream = (body) => isObject(body) && kindOfObject(body) === "ReadableStream" && isGenuine(body, isLocked);

/** Returns a body that nobody else can change; undefined for a stream, and for objects that aren't known here. */
const settled = (body) => {
  if (!isObject(body)) return body;
  try {
    return copyOf(body);
  } catch {
    return undefined; // it isn't what it says, or its bytes have been transferred
  }
};

/** Tells whether these are bytes as fetch takes them everywhere: neither shared memory nor of a size that may change. */
const isFixed = (buffer) => !isResizable(buffer); // throws for what is none

// By the browser's own methods, as fetch does it: an object may have others, and a name that isn't its.
const copyOf = (body) => {
  if (ArrayBuffer.isView(body)) {
    const { buffer, byteOffset, byteLength } = body;
    return isFixed(buffer) ? new Uint8Array(buffer, byteOffset, byteLength).slice() : undefined;
  }
  switch (kindOfObject(body)) {
    case "Blob":
    case "File":
      sizeOf(body); // throws for what is none
      return body;
    case "ArrayBuffer":
      return isFixed(body) ? sliceOf.call(body, 0) : undefined;
    case "URLSearchParams":
      return new OwnParams(textOfParams.call(body));
    case "FormData": {
      const copy = new OwnFormData();
      for (const [name, value] of fieldsOf.call(body)) copy.append(name, value);
      return copy;
    }
  }
  return undefined;
};

const textOfURL = (url) => {
  try {
    return `${url}`;
  } catch {
    return undefined; // it's none, and fetch itself will say so
  }
};

const asText = (value) => (isObject(value) ? `${value}` : value);

/** Returns what `read` gives for each of an iterable's items; what is none as it is, for fetch to say so. */
const listOf = (items, iterate, read) =>
  typeof iterate === "function" ? Array.from({ [Symbol.iterator]: () => iterate.call(items) }, read) : items;
const asPair = (pair) => (isObject(pair) ? listOf(pair, pair[Symbol.iterator], asText) : pair);

/** Returns header fields, read as fetch does it, for it to read again: pairs, or a record. */
const readHeaders = (headers) => {
  if (typeof headers !== "object" || headers === null) return headers;
  const iterate = headers[Symbol.iterator];
  if (iterate != null) return listOf(headers, iterate, asPair);
  const record = { ...headers };
  for (const name in record) record[name] = asText(record[name]);
  return record;
};

// A token put beside what fetch will refuse would be in its error: Firefox quotes the whole object, `({…}) is not iterable`.
const isPlainFields = (headers) =>
  Array.isArray(headers) || (typeof headers === "object" && headers !== null && !(Symbol.iterator in headers));

/** What most calls send: a URL in text, and plain options. As they came at first, and then from copies. */
class Plain {
  constructor(input, place, init, from, spareBody) {
    this.input = input;
    this.from = from;
    this.url = place.url; // the whole one: what it is relative to may change
    this.isOurs = place.isOurs;
    this.init = init;
    this.spareBody = spareBody;
    this.isOnce = isStream(init?.body);
    this.method = String(init?.method ?? "GET");
    this.mode = init?.mode;
    const signal = init?.signal;
    this.signal = signal && isGenuine(signal, isAborted) ? signal : undefined; // WebKit takes others, and forgets them
    this.keepalive = init?.keepalive;
  }

  /** Returns it; undefined if an option says more than is known here. `init` is nobody else's, or undefined. */
  static of(input, place, init, from) {
    let spareBody;
    for (const name in init) {
      const value = init[name];
      if (name === "referrer" || (name === "headers" && !isPlainFields(value))) return undefined;
      if (name === "body" && !isStream(value)) {
        spareBody = settled(value);
        if (spareBody === undefined) return undefined;
      } else if (isObject(value) && !/^(body|headers|signal)$/.test(name)) {
        return undefined;
      }
    }
    return new Plain(input, place, init, from, spareBody);
  }

  has(header) {
    const headers = this.init?.headers;
    if (!headers) return false;
    const names = Array.isArray(headers) ? headers.map((pair) => String(pair?.[0])) : Object.keys(headers);
    return names.some((name) => name.length === header.length && name.toLowerCase() === header.toLowerCase());
  }

  send(native, isLast, header, value, proof) {
    const { input, init } = this;
    const sent = { ...init }; // whoever stands before the page's fetch may add to it
    const { headers } = sent;
    if ((isLast || proof) && address() !== this.from) sent.referrer = this.from; // the page has moved on
    if (value && Array.isArray(headers)) {
      sent.headers = [...headers, [header, value]];
      if (proof) sent.headers.push(proof);
    } else if (value) {
      sent.headers = { ...headers, [header]: value };
      if (proof) sent.headers[proof[0]] = proof[1];
    }
    this.settle();
    return native(input, sent);
  }

  /** Sends from copies from now on. */
  settle() {
    this.input = this.url;
    if (this.spareBody !== undefined) this.init = { ...this.init, body: this.spareBody };
  }

  giveUp() {}
}

/** Returns a copy; undefined of one whose frame has gone, and its body with it. */
const copied = (request) => {
  try {
    return cloneRequest.call(request);
  } catch {
    return undefined;
  }
};

/** Returns options whose body the page can't change any more: WebKit's Request refers to the page's bytes until it is sent. */
const withOwnBytes = (init) => {
  const body = init?.body;
  const isReferredTo = ArrayBuffer.isView(body) || /^(ArrayBuffer|URLSearchParams)$/.test(kindOfObject(body));
  const copy = isReferredTo ? settled(body) : undefined;
  return copy === undefined ? init : { ...init, body: copy };
};

/** What the others send: the one Request that fetch makes of its arguments, and a copy of it. */
class Whole {
  constructor(input, init, placeOf) {
    this.request = new OwnRequest(input, withOwnBytes(init)); // what is sent next
    this.body = init?.body; // kept for WebKit: the files of a form are gone there with whoever refers to them
    this.from = address();
    this.isOnce = isStream(init?.body);
    this.url = urlOf(this.request);
    this.isOurs = placeOf(this.url).isOurs;
    this.method = methodOf(this.request);
    this.mode = modeOf(this.request);
    this.signal = signalOf(this.request);
    this.keepalive = keepaliveOf(this.request);
  }

  has(header) {
    return hasField.call(headersOf(this.request), header);
  }

  send(native, isLast, header, value, proof) {
    let { request } = this;
    if (address() !== this.from && referrerOf(request) === "about:client") {
      request = new OwnRequest(request, { referrer: this.from, referrerPolicy: policyOf(request) });
    }
    if (isLast || this.isOnce || !header) this.request = undefined;
    else if (!/^(GET|HEAD)$/.test(this.method)) this.request = copied(request); // dear, and for a body
    if (value) setField.call(headersOf(request), header, value);
    if (proof) setField.call(headersOf(request), ...proof);
    // Firefox 153 forgets this of a Request.
    const { keepalive } = this;
    if (!keepalive) return native(request);
    return native(request, { keepalive, referrer: referrerOf(request), referrerPolicy: policyOf(request) });
  }

  settle() {}

  /** Ends a body that nobody will send, so that what it comes from ends too: a recorder, say. */
  giveUp(reason) {
    if (this.request) bodyOf(this.request)?.cancel(reason).catch(() => {});
  }
}

/**
 * One call of the page's fetch, sent at most twice. It stays what it was when it was made, whatever becomes of the
 * page's objects. Its token is judged in `mayCarryToken`: JavaScript's own of what engine/pipeline.py and
 * engine/origins.py decide for all that runs in Python.
 */
class Call {
  times = 0;

  constructor(message, native, scheme, session, key) {
    this.message = message;
    this.native = native;
    this.scheme = scheme; // {header, prefix}: how the token travels
    this.session = session; // whose token is sent first
    this.key = key; // and the name of the key that it is bound to, if it is
  }

  /** Sends it with this token; what was sent with it already, or can't be sent again, keeps its last response. */
  async send(token, key) {
    const { message, times } = this;
    if (times > 0 && token === this.token) return this.response;
    if (times === 1 && message.isOnce) {
      console.warn("silent-refresh: a request whose body is a stream was answered 401; it can't be sent again.");
    }
    if (times > 1 || (times === 1 && message.isOnce)) return this.response;
    const refusal = this.response;
    try {
      // What outlives the page shares 64 KiB, and counts until its answer is read.
      if (refusal && message.keepalive) await refusal.clone().arrayBuffer();
      this.response = await this.begin(token, key);
    } catch (reason) {
      if (reason?.problem === "key") throw reason; // nothing was sent
      this.failure = { reason };
      message.giveUp(reason);
      throw reason;
    }
    refusal?.body?.cancel().catch(() => {});
    return this.response;
  }

  begin(token, key = this.key) {
    const { header, prefix } = this.scheme;
    this.times += 1;
    this.token = token;
    if (key && isSent(token)) return this.prove(token, key);
    return this.message.send(this.native, this.times > 1, header, isSent(token) && prefix + token);
  }

  /** Sends with a proof, which takes a moment: what the page changes meanwhile changes nothing here. */
  async prove(token, key) {
    const { message, native, scheme, times } = this;
    const { url, method, signal, isOnce } = message;
    message.settle();
    const begin = (proof) => message.send(native, false, scheme.header, scheme.prefix + token, proof);
    try {
      return await proven({ key, token, url, method, signal, isOnce }, begin);
    } catch (reason) {
      if (reason?.problem === "key") this.times = times - 1;
      throw reason;
    }
  }
}

const asFetchs = (error) => {
  if (error instanceof TypeError) {
    const where = inWorker ? "WorkerGlobalScope" : "Window";
    error.message = error.message
      .replace(/^Failed to construct 'Request':/, `Failed to execute 'fetch' on '${where}':`)
      .replace(/^Request constructor:/, `${where}.fetch:`);
  }
  return error;
};

/**
 * Puts a fetch in the place of the page's that sends the access token, and asks Python for help only when there is
 * none to send, or when it was refused: `help(url, method, keepalive, refusal, token, session, send, resolve, reject)`,
 * where `refusal` is the 401 if there was one, to `token` of `session`; `send(token)` sends, or gives the response that
 * came already when that can't be had again; `reject` takes what is told of an error that isn't fetch's. Returns
 * {set(…), undo()}, or undefined when that was done before. `send` takes the name of the token's key, too, if it has one.
 * Throws where the page's fetch can't be replaced.
 */
const wrapFetch = (help) => {
  if (ownFetch) return undefined;
  const pages = globalThis.fetch;
  const native = pages.bind(globalThis);
  let scheme;
  let token;
  let until;
  let untilDate;
  let origins = [];
  let exempt = [];
  let session;
  let key;
  let fields; // the token as a header field; undefined where it isn't one, or needs a proof

  // Time stands still on the one clock while the computer sleeps, and the other may be set. The former costs as much
  // as all the rest of a call, and is looked at once a second: should it be late, there's a 401 and a new token.
  let lookedAt;
  const isUsable = () => {
    if (token === undefined) return false;
    const now = Date.now();
    if (!(now >= lookedAt && now < lookedAt + ONCE_A_SECOND)) {
      lookedAt = performance.now() < until ? now : undefined;
    }
    return lookedAt !== undefined && now < untilDate;
  };

  const members = []; // of fetch's options, as this browser reads them
  new OwnRequest("about:blank", new Proxy({}, { get: (_, name) => void members.push(name) }));

  // Once each, inherited ones too: what a getter gives, or an iterator, may be had once.
  const readInit = (init) => {
    if (!isObject(init)) return init ?? undefined;
    const read = {};
    for (const name of members) {
      const value = init[name];
      if (value !== undefined) read[name] = name === "headers" ? readHeaders(value) : value;
    }
    return read;
  };

  const isOurs = ({ protocol, origin, pathname, search }) => {
    if (!/^https?:$/.test(protocol) || !origins.includes(origin)) return false;
    const path = origin + pathname;
    let end = path.length;
    while (path[end - 1] === "/") end -= 1;
    return ![path.slice(0, end), path + search].some((url) => exempt.includes(url));
  };

  // Pages ask for the same places again and again.
  const places = new Map(); // text → {url, isOurs}
  let placesBase;
  let from; // the page's address, where it is its base: what depends on the one is read with the other
  const placeOf = (text) => {
    const base = inWorker ? address() : documentBase();
    if (base !== placesBase) {
      places.clear();
      placesBase = base;
      from = address() === base ? base : undefined;
    }
    let place = places.get(text);
    if (place === undefined && OwnURL.canParse(text, base)) {
      const url = new OwnURL(text, base);
      place = { url: url.href, isOurs: isOurs(url) };
      if (places.size >= MOST_KNOWN) places.clear();
      if (text.length <= LONGEST_KNOWN) places.set(text, place);
    }
    return place;
  };

  // What has to wait is made a Request of in any case: that says at once what is wrong with the arguments.
  const read = (input, rawInit, mustWait) => {
    const init = readInit(rawInit);
    const text = typeof input === "string" ? input : input instanceof OwnURL ? textOfURL(input) : undefined;
    const isPlain = !mustWait && text !== undefined && (init === undefined || isObject(init));
    const place = isPlain ? placeOf(text) : undefined;
    return (place && Plain.of(text, place, init, from ?? address())) ?? new Whole(text ?? input, init, placeOf);
  };

  const mayCarryToken = (message) => message.isOurs && message.mode !== "no-cors" && !message.has(scheme.header);

  const helped = (call) =>
    new Promise((resolve, reject) => {
      const { message, response, token, session } = call;
      const { signal, url, method, keepalive } = message;
      const abort = () => {
        message.giveUp(reasonOf(signal));
        reject(reasonOf(signal));
      };
      if (wasAborted(signal)) return abort();
      if (signal) addEventListener.call(signal, "abort", abort, { once: true });
      const over = (settle) => (value) => {
        if (signal) removeEventListener.call(signal, "abort", abort);
        message.giveUp();
        settle(value);
      };
      const send = (token, key) => orError(call.send(token, key));
      // Libraries know a dead network by fetch's own text.
      const fail = (told) =>
        reject(call.failure ? call.failure.reason : new TypeError("Failed to fetch", { cause: new Error(told) }));
      help(url, method, keepalive === true, response, token, session, send, over(resolve), over(fail));
    });

  /** Rejects with fetch's own reason, for a caller that may be Python: `pyfetch`, `pyscript.fetch`. */
  const rejected = (reason) => Promise.reject(withStack(reason));

  // What most calls are, a URL in text and a good token, in few steps: all else is made when it is refused.
  const sendBare = (text, place) => {
    const sent = { scheme, session, token };
    const calledFrom = from ?? address();
    const answered = (response) => {
      if (response.status !== 401 || ownFetch !== native) return response;
      const message = new Plain(text, place, undefined, calledFrom);
      message.settle();
      const call = new Call(message, native, sent.scheme, sent.session);
      Object.assign(call, { times: 1, token: sent.token, response });
      return helped(call);
    };
    return native(text, { headers: { ...fields } }).then(answered, rejected);
  };

  // A method, and no async function: it is no constructor either, and what isn't ours settles when it would.
  const { fetch } = {
    fetch(input) {
      if (ownFetch !== native || arguments.length === 0) return native(...arguments);
      const mustWait = !isUsable();
      if (typeof input === "string" && arguments[1] === undefined && !mustWait && fields !== undefined) {
        const place = placeOf(input);
        if (place?.isOurs) return sendBare(input, place);
      }
      let message;
      try {
        message = read(input, arguments[1], mustWait);
      } catch (error) {
        return Promise.reject(asFetchs(error));
      }
      if (!mayCarryToken(message) || wasAborted(message.signal)) return message.send(native);
      const call = new Call(message, native, scheme, session, key);
      // What outlives the page leaves now, with the token that there is.
      if (mustWait && !(message.keepalive && token !== undefined)) return helped(call);
      return call.begin(token).then(
        (response) => {
          call.response = response;
          if (response.status === 401 && ownFetch === native) return helped(call);
          message.giveUp();
          return response;
        },
        (reason) => {
          if (reason?.problem === "key") return helped(call);
          message.giveUp(reason);
          return rejected(reason);
        },
      );
    },
  };

  try {
    globalThis.fetch = fetch;
  } catch {
    // a frozen page: told below
  }
  if (globalThis.fetch !== fetch) throw new TypeError("the page's fetch can't be replaced");
  ownFetch = native;
  return {
    /**
     * The token travels in the field `header`, behind `prefix`; `valid` is in seconds, undefined for no known end.
     * `itsKey` names the key that it is bound to.
     */
    set(header, prefix, accessToken, valid, itsOrigins, itsExempt, itsSession, itsKey) {
      scheme = { header, prefix };
      token = accessToken;
      until = valid === undefined ? Infinity : performance.now() + valid * 1000;
      untilDate = valid === undefined ? Infinity : Date.now() + valid * 1000;
      lookedAt = undefined;
      origins = itsOrigins;
      exempt = itsExempt;
      session = itsSession;
      key = itsKey;
      fields = isSent(token) && !key ? { [header]: prefix + token } : undefined;
      places.clear();
    },
    /** Whoever keeps a reference to it, or has wrapped it once more, goes on with the browser's. */
    undo() {
      if (ownFetch === native) ownFetch = undefined;
      if (globalThis.fetch === fetch) globalThis.fetch = pages;
    },
  };
};

/** Reads the body of a response, and leaves it to be read. */
const readCopy = (response) => orError(response.clone().arrayBuffer());

// --- the page ---------------------------------------------------------------------------------------------

/**
 * Returns "origin path" of a URL as fetch would parse it, undefined for what is none; behind a line feed the whole URL
 * when it isn't just the one after the other.
 */
const parse = (url) => {
  try {
    const { origin, pathname, search, hash, href } = new URL(url, baseURI());
    const path = pathname + search + hash;
    return `${origin} ${path}${href === origin + path ? "" : `\n${href}`}`;
  } catch {
    return undefined;
  }
};

/** Returns the URL of this origin's page that led here, "" if unknown; undefined when the user reloaded or came back. */
const cameFrom = () => {
  if (inWorker || performance.getEntriesByType("navigation")[0]?.type !== "navigate") return undefined;
  const from = referrer();
  return from && new URL(from).origin === location.origin ? from : "";
};

const listen = (target, type, heard, options) => {
  addEventListener.call(target, type, heard, options);
  return () => removeEventListener.call(target, type, heard, options);
};

/** Calls `changed` when another tab wrote or cleared `key`, or a key that begins with `key@`, and when the page comes back from the bfcache or the background. */
const watch = (key, changed) => {
  const stops = [
    listen(globalThis, "storage", ({ key: of }) => (of === null || of === key || of.startsWith(`${key}@`)) && changed()),
    listen(globalThis, "pageshow", (event) => event.persisted && changed()),
    listen(document, "visibilitychange", () => visibility() === "visible" && changed()),
  ];
  return () => stops.forEach((stop) => stop());
};

/** Calls `stayed(true)` when the page comes back from the bfcache, and `stayed(false)` when somebody uses it. */
const whenStayed = (stayed) => {
  const used = ({ isTrusted }) => isTrusted && stayed(false);
  const stops = [
    listen(globalThis, "pageshow", (event) => event.persisted && stayed(true)),
    ...["pointerdown", "keydown"].map((type) => listen(globalThis, type, used, { capture: true })),
  ];
  return () => stops.forEach((stop) => stop());
};

// --- tabs -------------------------------------------------------------------------------------------------

/** Returns a hold of a Web Lock, to be acquired once; when that is given up it rejects, and `release` alone is left. */
const lock = (name) => {
  const waiting = new AbortController();
  let isHeld = false;
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const request = (resolve, reject) => {
    const hold = () => {
      isHeld = true;
      resolve();
      return released;
    };
    navigator.locks.request(name, { signal: waiting.signal }, hold).catch((reason) => {
      isHeld = false; // given up while waiting, or stolen
      reject(asError(reason));
    });
  };
  return {
    acquire: () => new Promise(request),
    held: () => isHeld,
    release() {
      isHeld = false;
      waiting.abort();
      release();
    },
  };
};

const hasLocks = () => Boolean(globalThis.navigator?.locks);

let database; // a promise of the open one
const PATIENCE = 2000; // ms; a database that doesn't answer must not hold the lock, or a request, for long
const PATIENCE_AGAIN = 100; // ms; nor, when it stays like that, slow every renewal down
let patience = PATIENCE;

// Its name and version are those of versions that kept nothing but a mark there: their tabs may be open, too.
const openDatabase = () =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open("silent-refresh", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("marks");
    opening.onsuccess = () => {
      const opened = opening.result;
      // Closed by the browser when site data is cleared, by us when that is what another tab waits for.
      opened.onclose = () => (database = undefined);
      opened.onversionchange = () => {
        database = undefined;
        opened.close();
      };
      resolve(opened);
    };
    opening.onerror = () => reject(asError(opening.error));
  });

const withDatabase = async (mode, work) => {
  const job = async () => {
    database ??= openDatabase();
    // Strict: on the disk when it is complete, or a browser that dies forgets it.
    const transaction = (await database).transaction("marks", mode, { durability: "strict" });
    const requests = work(transaction.objectStore("marks"));
    const complete = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve; // only now can other processes see it
      transaction.onabort = transaction.onerror = () => reject(asError(transaction.error));
    });
    transaction.commit(); // a tab that is frozen with a transaction open would hold all others up
    await complete;
    return requests.map((request) => request.result);
  };
  let timer;
  const tooLong = new Promise((_, reject) => {
    const due = performance.now() + patience;
    const giveUp = () => {
      patience = PATIENCE_AGAIN;
      reject(Object.assign(new Error("IndexedDB did not answer"), { name: "TimeoutError" }));
    };
    const ring = () => {
      if (performance.now() - due > LATE) timer = setTimeout(giveUp, ONCE_MORE);
      else giveUp();
    };
    timer = setTimeout(ring, patience);
  });
  try {
    const result = await Promise.race([job(), tooLong]);
    patience = PATIENCE;
    return result;
  } catch (reason) {
    database = undefined;
    throw asError(reason);
  } finally {
    clearTimeout(timer);
  }
};

const textOf = (value) => (typeof value === "string" ? value : undefined);

/** Reads what is under these names in the database that all tabs share; undefined for what is no text. */
const readTexts = async (...names) =>
  (await withDatabase("readonly", (store) => names.map((name) => store.get(name)))).map(textOf);

/**
 * Writes texts, and keys: name, value, name, value, …, all or none; undefined removes what is there. Resolves when every
 * tab can see them, and they're on the disk.
 */
const writeTexts = (...pairs) =>
  withDatabase("readwrite", (store) => {
    const requests = [];
    for (let i = 0; i < pairs.length; i += 2) {
      const [name, value] = pairs.slice(i, i + 2);
      requests.push(value === undefined ? store.delete(name) : store.put(value, name));
    }
    return requests;
  });

/** Opens a channel to the other tabs of this origin: {post(text), close()}. */
const channel = (name, heard) => {
  if (!globalThis.BroadcastChannel) return { post() {}, close() {} };
  const broadcast = new BroadcastChannel(name);
  broadcast.onmessage = ({ data }) => typeof data === "string" && heard(data);
  return { post: (text) => broadcast.postMessage(text), close: () => broadcast.close() };
};

/**
 * Shows the tabs of this origin that one of them is at something, and calls `changed` with whether another one is.
 *
 * A raised flag is a Web Lock of its own, whose name the others are told, and then wait for: whatever becomes of the tab,
 * the browser frees it. A tab that comes later finds it among the locks that are held.
 */
const flags = (name, changed) => {
  if (!hasLocks() || !globalThis.BroadcastChannel) return { show() {}, close() {} };
  const broadcast = new BroadcastChannel(name);
  const closing = new AbortController();
  const others = new Set();
  let own; // the name of the flag that this tab has raised
  let raised; // its lock
  const watch = (flag) => {
    if (typeof flag !== "string" || !flag.startsWith(`${name} `) || flag === own || others.has(flag)) return;
    others.add(flag);
    if (others.size === 1) changed(true);
    const over = () => {
      others.delete(flag);
      if (!others.size && !closing.signal.aborted) changed(false);
    };
    navigator.locks.request(flag, { mode: "shared", signal: closing.signal }, () => {}).then(over, over);
  };
  broadcast.onmessage = ({ data }) => watch(data);
  const look = ({ held }) => closing.signal.aborted || held.forEach((lock) => watch(lock.name));
  navigator.locks.query().then(look, () => {}); // refused where the page has no origin
  return {
    show(isRaised) {
      if (isRaised === Boolean(raised)) return;
      raised?.release();
      own = raised = undefined;
      if (!isRaised) return;
      const flag = (own = `${name} ${crypto.randomUUID()}`);
      raised = lock(flag);
      raised.acquire().then(() => broadcast.postMessage(flag)).catch(() => {}); // lowered, or closed, before
    },
    close() {
      closing.abort();
      broadcast.close();
    },
  };
};

export {
  baseURI, cameFrom, canSwitch, channel, flags, hasLocks, here, lock, parse, readCopy, readTexts, setBase, settled, soon, transport,
  watch, useProver, whenStayed, withProver, wrapFetch, writeTexts,
};

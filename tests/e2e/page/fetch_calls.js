// Kinds of calls of fetch, each of which the browser's own and the library's have to answer alike.
//
// A call gets the `fetch` to call, and `note(name, value)` for what else can be seen of it. All are sent to the echo, so
// that what arrived at the server is part of what is seen; test_fetch_stays_fetch.py compares.

const ECHO = "/api/echo";
const post = (body, more) => ({ method: "POST", body, ...more });
const bytes = (...values) => new Uint8Array(values.length ? values : [1, 2, 3]);
const formOf = (fields) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};
const streamOf = (note, text = "streamed") =>
  new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
    cancel: (reason) => note?.("cancelled", String(reason)),
  });
// A browser that can't send one takes it for a text, "[object ReadableStream]", or refuses it, and never looks into it.
// One that can reads `duplex`, of a body that has no type: https://fetch.spec.whatwg.org/#dom-requestinit-duplex
let readsDuplex = false;
const probe = { method: "POST", body: streamOf(), get duplex() { return (readsDuplex = true), "half"; } };
const sendsStreams = !new Request(ECHO, probe).headers.has("content-type") && readsDuplex;
const endless = (note) => {
  let cancelled;
  const ended = new Promise((resolve) => (cancelled = resolve));
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(bytes()),
    cancel: (reason) => (note("cancelled", String(reason)), cancelled()),
  });
  return { stream, ended: sendsStreams ? ended : undefined };
};
const frame = () => {
  const element = document.querySelector("iframe") ?? document.body.appendChild(document.createElement("iframe"));
  return element.contentWindow;
};
const aborted = (reason) => AbortSignal.abort(reason);
const later = (act) => (call) => (act(), call);

export const calls = {};

// --- where to ------------------------------------------------------------------------------------------------

const inputs = {
  "a path": () => ECHO,
  "a relative path": () => "../../../api/echo",
  "a whole URL": () => new URL(ECHO, location).href,
  "a scheme in capitals": () => `HTTP://${location.host}/api/echo`,
  "no scheme": () => `//${location.host}${ECHO}`,
  "backslashes": () => "\\api\\echo",
  "spaces and tabs around it": () => ` \t${ECHO}\n`,
  "dots in it": () => "/static/../api/./echo",
  "a query": () => `${ECHO}?a=1&b=%20+ü`,
  "a fragment": () => `${ECHO}#part`,
  "a URL": () => new URL(`${ECHO}?url`, location),
  "a URL of a subclass": () =>
    new (class extends URL {
      get href() {
        return "/elsewhere";
      }
    })(ECHO, location),
  "a URL of another realm": () => new (frame().URL)(`${ECHO}?frame`, location),
  "a String": () => new String(ECHO),
  "something with toString": () => ({ toString: () => ECHO }),
  "something that tells a URL": () => ({ url: ECHO, method: "POST", headers: new Headers() }),
  "an array": () => [ECHO],
  "nothing to fetch": () => "",
  undefined: () => undefined,
  null: () => null,
  "a number": () => 7,
  "a symbol": () => Symbol(ECHO),
  "no URL": () => "http://",
  "a port too many": () => "http://127.0.0.1:99999/",
  "a name and a password": () => `http://a:b@${location.host}${ECHO}`,
  "a scheme that isn't": () => "javascript:alert(1)",
  "about:blank": () => "about:blank",
  "a lone surrogate": () => `${ECHO}?\ud800`,
};
for (const [kind, input] of Object.entries(inputs)) {
  calls[`to ${kind}`] = (fetch) => fetch(input());
  calls[`to ${kind}, with options`] = (fetch) => fetch(input(), { headers: { "X-A": "1" } });
}
Object.assign(calls, {
  "no arguments": (fetch) => fetch(),
  "a URL that is changed": (fetch) => {
    const url = new URL(ECHO, location);
    return later(() => (url.port = "1"))(fetch(url));
  },
  "a path, and the page moves on": (fetch) => {
    const before = location.href;
    const call = fetch("../../../api/echo");
    history.pushState(null, "", "/elsewhere/");
    return call.finally(() => history.replaceState(null, "", before));
  },
  "a path, and the base moves": (fetch) => {
    const base = document.createElement("base");
    base.href = "/elsewhere/";
    const call = fetch("../../../api/echo");
    document.head.append(base);
    return call.finally(() => base.remove());
  },
  "a blob's URL that is revoked": (fetch) => {
    const url = URL.createObjectURL(new Blob(["text"]));
    return later(() => URL.revokeObjectURL(url))(fetch(url));
  },
  "a data URL": (fetch) => fetch("data:text/plain,text"),
});

// --- options -------------------------------------------------------------------------------------------------

const fields = { method: "POST", body: "text", headers: { "X-A": "1" } };
const inits = {
  "null": () => null,
  "an empty object": () => ({}),
  "a number for options": () => 5,
  "a string for options": () => "POST",
  "a function for options": () => Object.assign(() => {}, fields),
  "an array for options": () => Object.assign([], fields),
  "a frozen object": () => Object.freeze({ ...fields }),
  "no prototype": () => Object.assign(Object.create(null), fields),
  "inherited options": () => Object.create(fields),
  "options of a class": () =>
    new (class {
      get method() {
        return "PUT";
      }
      body = "text";
    })(),
  "options that aren't enumerable": () =>
    Object.defineProperties({}, { method: { value: "DELETE" }, body: { value: "text" } }),
  "options of another realm": () => Object.assign(new (frame().Object)(), fields),
  "a proxy of nothing": () => new Proxy({}, { get: (_, name) => fields[name] }),
  "a proxy of options": () => new Proxy(fields, {}),
  "a Request for options": () => new Request("/elsewhere", fields),
  "a Request that deletes, for options": () => new Request("/elsewhere", { method: "DELETE" }),
  "options that throw": () => ({
    get method() {
      throw new RangeError("mine");
    },
  }),
  "options that throw a TypeError": () => ({
    get body() {
      throw new TypeError("mine");
    },
  }),
  "unknown options": () => ({ nothing: {}, timeout: 5, ...fields }),
};
for (const [kind, init] of Object.entries(inits)) calls[kind] = (fetch) => fetch(ECHO, init());
calls["each option is read once"] = async (fetch, note) => {
  const read = [];
  const init = new Proxy(fields, { get: (target, name) => (read.push(name), target[name]) });
  const call = fetch(ECHO, init);
  note("read", [...read]);
  await call;
  note("read after it", read);
  return call;
};
calls["an option that changes another as it is read"] = (fetch) => {
  const init = {
    method: "POST",
    get body() {
      Object.assign(init, { method: "PUT", headers: { "X-A": "1" } });
      return "text";
    },
  };
  return fetch(ECHO, init);
};
calls["one object for a loop of calls"] = (fetch) => {
  const init = { method: "POST" };
  return Promise.all(["a", "b", "c"].map((body) => fetch(ECHO, Object.assign(init, { body })).then((r) => r.json())));
};
calls["options that are changed"] = (fetch) => {
  const init = { ...fields, headers: { "X-A": "1" } };
  const change = () => {
    init.headers["X-A"] = "2";
    Object.assign(init, { method: "PUT", body: "changed" });
  };
  return later(change)(fetch(ECHO, init));
};

for (const method of ["GET", "HEAD", "post", "PUT", "PATCH", "patch", "DELETE", "OPTIONS", "QUERY", "CONNECT", "TRACE"]) {
  calls[`method ${method}`] = (fetch) => fetch(ECHO, { method });
}
const values = {
  method: ["", " GET", "GET\n", null, { toString: () => "PUT" }],
  mode: ["same-origin", "cors", "no-cors", "navigate", "other", null],
  credentials: ["omit", "same-origin", "include", "other"],
  cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached", "other"],
  redirect: ["follow", "error", "manual", "other"],
  referrer: ["", "about:client", "/elsewhere", "https://other.example/", "http://"],
  referrerPolicy: ["no-referrer", "origin", "unsafe-url", "", "other"],
  integrity: ["", "nonsense", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
  keepalive: [true, false, 1, {}],
  priority: ["high", "low", "auto", "other"],
  window: [null, "window"],
  duplex: ["half", "full"],
  signal: [null, undefined, {}, "signal"],
  headers: [null, undefined, "text", 5, [], {}, [[]], [["X-A"]], ["ab"], [["X-A", "1", "2"]], [5]],
  body: [null, undefined],
};
for (const [name, all] of Object.entries(values)) {
  for (const value of all) calls[`${name}: ${JSON.stringify(value)}`] = (fetch) => fetch(ECHO, { [name]: value });
}

// --- header fields -------------------------------------------------------------------------------------------

const pairs = () => [["X-A", "1"], ["x-a", "2"], ["X-B", " 3 "]];
const headers = {
  "a record": () => ({ "X-A": "1", "x-b": "2" }),
  "a record of numbers": () => ({ "X-A": 1, "X-B": null, "X-C": undefined, "X-D": { toString: () => "4" } }),
  Headers: () => new Headers(pairs()),
  "Headers of another realm": () => new (frame().Headers)(pairs()),
  pairs,
  "a Map": () => new Map(pairs()),
  "a generator": () => (function* () { yield* pairs(); })(),
  "a generator of generators": () => (function* () { for (const pair of pairs()) yield (function* () { yield* pair; })(); })(),
  "an iterator that throws": () => (function* () { yield pairs()[0]; throw new RangeError("mine"); })(),
  "inherited names": () => Object.create({ "X-A": "1" }),
  "names that aren't enumerable": () => Object.defineProperty({}, "X-A", { value: "1" }),
  "pairs that are no sequences": () => [{ 0: "X-A", 1: "1", length: 2 }],
  "a pair of objects": () => [[{ toString: () => "X-A" }, { toString: () => "1" }]],
  "an iterator that is no function": () => ({ [Symbol.iterator]: 5 }),
  "a pair whose iterator is no function": () => [{ [Symbol.iterator]: 5 }],
  "an iterator that is null": () => ({ [Symbol.iterator]: null, "X-A": "1" }),
  "Headers with an iterator of their own": () =>
    Object.assign(new Headers(pairs()), { *[Symbol.iterator]() { yield ["X-C", "1"]; } }),
  "a proxy of a record": () => new Proxy({ "X-A": "1" }, {}),
  "a name that every object has": () => JSON.parse('{"__proto__": "1", "constructor": "2"}'),
  "a symbol for a name": () => ({ [Symbol("X-A")]: "1" }),
  "a symbol for a value": () => ({ "X-A": Symbol("1") }),
  "no name": () => ({ "": "1" }),
  "a name that is none": () => ({ "X A": "1" }),
  "a value with a line feed": () => ({ "X-A": "1\n2" }),
  "a value in Latin-1": () => ({ "X-A": "é" }),
  "a value beyond it": () => ({ "X-A": "界" }),
  "names that pages may not set": () => ({ Cookie: "a=1", Host: "other.example", "Sec-A": "1", "X-A": "1" }),
  "a content type": () => ({ "content-type": "text/x-mine", Accept: "text/x-mine" }),
};
for (const [kind, make] of Object.entries(headers)) {
  calls[`headers: ${kind}`] = (fetch) => fetch(ECHO, post("text", { headers: make() }));
  calls[`headers: ${kind}, beside a Request`] = (fetch) =>
    fetch(new Request(ECHO, { headers: { "X-Other": "1" } }), { headers: make() });
}
const changedHeaders = { Headers: new Headers(pairs()), "a record": { "X-A": "1" } };
for (const [kind, given] of Object.entries(changedHeaders)) {
  calls[`headers: ${kind} that is changed`] = (fetch) => {
    const own = given instanceof Headers ? new Headers(given) : { ...given };
    return later(() => (own instanceof Headers ? own.set("X-A", "9") : (own["X-A"] = "9")))(fetch(ECHO, { headers: own }));
  };
}
calls["headers: an iterator is asked for once"] = (fetch, note) => {
  const asked = [];
  const once = (name, items) => ({ get [Symbol.iterator]() { return asked.push(name), () => items[Symbol.iterator](); } });
  const call = fetch(ECHO, { headers: once("fields", [once("a pair", ["X-A", "1"])]) });
  note("asked", asked);
  return call;
};
calls["headers: a value is read once"] = (fetch, note) => {
  let read = 0;
  const call = fetch(ECHO, { headers: { get "X-A"() { return String((read += 1)); } } });
  note("read", read);
  return call;
};

// --- bodies --------------------------------------------------------------------------------------------------

const bodies = {
  text: () => "two words ü界",
  "empty text": () => "",
  "a lone surrogate": () => "\ud800",
  "a number": () => 5,
  "an object": () => ({ a: 1 }),
  "an array": () => [1, 2],
  "a date": () => new Date(0),
  bytes: () => bytes(),
  "no bytes": () => bytes().subarray(1, 1),
  "a part of bytes": () => bytes(1, 2, 3, 4).subarray(1, 3),
  "an ArrayBuffer": () => bytes().buffer,
  "a resizable ArrayBuffer": () => new ArrayBuffer(3, { maxByteLength: 6 }),
  "a DataView": () => new DataView(bytes(1, 2, 3, 4).buffer, 1, 2),
  floats: () => new Float64Array([1.5]),
  "bytes of another realm": () => new (frame().Uint8Array)([1, 2, 3]),
  "a transferred ArrayBuffer": () => {
    const { buffer } = bytes();
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  },
  "a Blob": () => new Blob(["text"]),
  "a Blob with a type": () => new Blob(["{}"], { type: "application/json" }),
  "a Blob of another realm": () => new (frame().Blob)(["text"]),
  "a File": () => new File(["text"], "name.txt", { type: "text/plain" }),
  FormData: () => formOf({ field: "value ü", file: new File(["text"], "name.txt") }),
  "FormData of a subclass": () => new (class extends FormData {})(),
  "FormData of another realm": () => new (frame().FormData)(),
  URLSearchParams: () => new URLSearchParams({ a: "1 ü", b: "&" }),
  "URLSearchParams of another realm": () => new (frame().URLSearchParams)("a=1"),
  "a symbol": () => Symbol("text"),
  "bytes of a transferred ArrayBuffer": () => {
    const array = bytes();
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  },
  "shared memory": () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer,
  "bytes of shared memory": () =>
    new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 3),
  "FormData with an iterator of its own": () => Object.assign(formOf({ a: "1" }), { *[Symbol.iterator]() {} }),
  "URLSearchParams with an iterator of their own": () =>
    Object.assign(new URLSearchParams("a=1"), { *[Symbol.iterator]() {} }),
  "a Blob that says it is FormData": () => Object.assign(new Blob(["text"]), { [Symbol.toStringTag]: "FormData" }),
  "a Blob by its own word": () => ({ [Symbol.toStringTag]: "Blob" }),
  "FormData by its own word": () => ({ [Symbol.toStringTag]: "FormData", *[Symbol.iterator]() {} }),
  "a stream by its own word": () => ({ [Symbol.toStringTag]: "ReadableStream" }),
};
for (const [kind, make] of Object.entries(bodies)) {
  calls[`body: ${kind}`] = (fetch) => fetch(ECHO, post(make()));
  calls[`body: ${kind}, in a Request`] = (fetch) => fetch(new Request(ECHO, post(make())));
  calls[`body: ${kind}, beside a Request`] = (fetch) => fetch(new Request(ECHO, post("other")), { body: make() });
}
for (const method of ["GET", "HEAD"]) calls[`body: with ${method}`] = (fetch) => fetch(ECHO, { method, body: "text" });

const changed = {
  bytes: [() => bytes(1, 2, 3), (body) => body.fill(9)],
  "an ArrayBuffer": [() => bytes(1, 2, 3).buffer, (body) => bytes.call(null, new Uint8Array(body).fill(9))],
  "an ArrayBuffer, transferred": [() => bytes(1, 2, 3).buffer, (body) => structuredClone(body, { transfer: [body] })],
  FormData: [() => formOf({ a: "1" }), (body) => body.set("a", "9")],
  URLSearchParams: [() => new URLSearchParams("a=1"), (body) => body.set("a", "9")],
  "a text of its own": [() => ({ text: "1", toString() { return this.text; } }), (body) => (body.text = "9")],
};
for (const [kind, [make, change]] of Object.entries(changed)) {
  for (const isForeign of [false, true]) {
    calls[`body: ${kind} that is changed${isForeign ? ", beside a Request" : ""}`] = (fetch) => {
      const body = make();
      const input = isForeign ? new Request(ECHO, { method: "POST" }) : ECHO;
      return later(() => change(body))(fetch(input, post(body)));
    };
  }
}
calls["body: a text of its own is asked for once"] = async (fetch, note) => {
  let asked = 0;
  const call = fetch(ECHO, post({ toString: () => `${(asked += 1)}` }));
  note("asked", asked);
  await call;
  note("asked after it", asked);
  return call;
};
calls["body: chunks through one array"] = async (fetch) => {
  const chunk = new Uint8Array(4);
  const sent = [1, 2, 3].map((value) => fetch(ECHO, post(chunk.fill(value))).then((response) => response.json()));
  return (await Promise.all(sent)).map((echo) => echo.sha256);
};

// --- Requests ------------------------------------------------------------------------------------------------

Object.assign(calls, {
  "a Request": (fetch) => fetch(new Request(ECHO)),
  "a Request with fields": (fetch) => fetch(new Request(ECHO, { headers: pairs() })),
  "a Request of another realm": (fetch) => fetch(new (frame().Request)(new URL(ECHO, location), post("text"))),
  "a Request of a subclass": (fetch) =>
    fetch(
      new (class extends Request {
        get url() {
          return "/elsewhere";
        }
        get method() {
          return "GET";
        }
        get headers() {
          return new Headers({ authorization: "mine" });
        }
      })(ECHO, post("text")),
    ),
  "a Request that is a URL by its prototype": (fetch) => fetch(Object.setPrototypeOf(new Request(ECHO), null)),
  "a Request, and another method": (fetch) => fetch(new Request(ECHO, post("text")), { method: "PUT" }),
  "a Request, and no body": (fetch) => fetch(new Request(ECHO, post("text")), { method: "GET" }),
  "a Request, and null for a body": (fetch) => fetch(new Request(ECHO, post("text")), { body: null }),
  "a Request, and an empty object": (fetch) => fetch(new Request(ECHO, post("text")), {}),
  "a Request for no-cors": (fetch) => fetch(new Request(ECHO, { mode: "no-cors" })),
  "bytes, with a referrer and a policy": (fetch) =>
    fetch(ECHO, post(new Uint8Array([1, 2]), { referrer: "/elsewhere", referrerPolicy: "no-referrer" })),
  "a Request with a referrer": (fetch) =>
    fetch(new Request(ECHO, { referrer: "/elsewhere", referrerPolicy: "unsafe-url" })),
  "a Request with a referrer, and a policy": (fetch) =>
    fetch(new Request(ECHO, { referrer: "/elsewhere" }), { referrerPolicy: "origin" }),
  "a Request that is kept alive": (fetch) => fetch(new Request(ECHO, post("text", { keepalive: true }))),
  "a Request that is kept alive, aborted at once": (fetch) => {
    const controller = new AbortController();
    const call = fetch(new Request(ECHO, post("text", { keepalive: true, signal: controller.signal })));
    controller.abort("reason");
    return call;
  },
  "a Request of a Request, and a signal": (fetch) => {
    const controller = new AbortController();
    const call = fetch(new Request(new Request(ECHO, post("text")), { signal: controller.signal }));
    controller.abort("reason");
    return call;
  },
  "a Request, and a signal": (fetch) => {
    const controller = new AbortController();
    const call = fetch(new Request(ECHO, post("text")), { signal: controller.signal });
    controller.abort("reason");
    return call;
  },
  "a Request with a signal, and another": (fetch) => {
    const [first, second] = [new AbortController(), new AbortController()];
    const call = fetch(new Request(ECHO, { signal: first.signal }), { signal: second.signal });
    first.abort("not asked any more");
    return call;
  },
  "a Request with credentials": (fetch) => fetch(new Request(ECHO, { credentials: "include" })),
  "a Request without credentials": (fetch) => fetch(new Request(ECHO, { credentials: "omit" })),
  "a Request with a priority": (fetch) => fetch(new Request(ECHO, { priority: "low" })),
  "a Request, and duplex": (fetch) => fetch(new Request(ECHO, post("text")), { duplex: "half" }),
  "a Request that redirects by hand": (fetch) => fetch(new Request(ECHO, { redirect: "manual" })),
  "a Request for the cache alone": (fetch) =>
    fetch(new Request("/api/nothing?cached", { cache: "only-if-cached", mode: "same-origin" })),
  "a Request for the same origin": (fetch) => fetch(new Request(ECHO, { mode: "same-origin" })),
  "a Request, and a mode for pages": (fetch) => fetch(new Request(ECHO), { mode: "navigate" }),
  "a Request, and a window": (fetch) => fetch(new Request(ECHO), { window: null }),
  "a Request that is held by a reader": (fetch) => {
    const request = new Request(ECHO, post("text"));
    request.body.getReader();
    return fetch(request);
  },
  "a Request that is held by a reader, and another body": (fetch) => {
    const request = new Request(ECHO, post("text"));
    request.body.getReader();
    return fetch(request, { body: "other" });
  },
  "a Request of another realm, and options": (fetch) =>
    fetch(new (frame().Request)(new URL(ECHO, location), post("text")), { method: "PUT", headers: { "X-A": "1" } }),
  "a Request of a frame that has gone": (fetch) => {
    const element = document.body.appendChild(document.createElement("iframe"));
    const request = new element.contentWindow.Request(new URL(ECHO, location), post("text"));
    element.remove();
    return fetch(request);
  },
  "a Request in a Proxy": (fetch) => fetch(new Proxy(new Request(ECHO, post("text")), {})),
  "a URL in a Proxy": (fetch) => fetch(new Proxy(new URL(ECHO, location), {})),
  "a Request is used at once": (fetch, note) => {
    const request = new Request(ECHO, post("text"));
    const call = fetch(request);
    note("bodyUsed", request.bodyUsed);
    return call;
  },
  "a Request without a body can be sent again": async (fetch) => {
    const request = new Request(ECHO);
    return [(await fetch(request)).status, (await fetch(request)).status];
  },
  "a Request with a body can't": async (fetch) => {
    const request = new Request(ECHO, post("text"));
    const first = await fetch(request);
    return [first.status, await fetch(request).catch((error) => error.message)];
  },
  "a Request that was read": async (fetch) => {
    const request = new Request(ECHO, post("text"));
    await request.text();
    return fetch(request);
  },
  "a Request's copy": async (fetch) => {
    const request = new Request(ECHO, post("text"));
    const copy = request.clone();
    return [await (await fetch(request)).json(), await (await fetch(copy)).json()];
  },
  "a Request whose fields are changed": (fetch) => {
    const request = new Request(ECHO, post("text", { headers: { "X-A": "1" } }));
    return later(() => request.headers.set("X-A", "9"))(fetch(request));
  },
  "a Request stays as it was": async (fetch, note) => {
    const request = new Request(ECHO, { headers: { "X-A": "1" } });
    await fetch(request);
    note("fields", [...request.headers]);
  },
  "options stay as they were": async (fetch, note) => {
    const init = { headers: { "X-A": "1" }, method: "POST", body: "text" };
    await fetch(ECHO, init);
    note("options", init);
  },
  "its classes are replaced": async (fetch) => {
    const { Request, Headers, URL } = globalThis;
    class Other {
      constructor() {
        throw new Error("not the page's");
      }
    }
    Object.assign(globalThis, { Request: Other, Headers: Other, URL: Other });
    const call = fetch(ECHO, { headers: { "X-A": "1" } });
    const wholly = fetch(new Request(ECHO, post("text")));
    Object.assign(globalThis, { Request, Headers, URL });
    return [await (await call).json(), await (await wholly).json()];
  },
});

// --- streams -------------------------------------------------------------------------------------------------

const streamed = (stream, more) => post(stream, { duplex: "half", ...more });
Object.assign(calls, {
  "a stream without duplex": (fetch, note) => fetch(ECHO, post(streamOf(note))),
  "a stream for no-cors": (fetch, note) => fetch(ECHO, streamed(streamOf(note), { mode: "no-cors" })),
  "a stream that is kept alive": (fetch, note) => fetch(ECHO, streamed(streamOf(note), { keepalive: true })),
  "a locked stream": (fetch, note) => {
    const stream = streamOf(note);
    stream.getReader();
    return fetch(ECHO, streamed(stream));
  },
  "a stream that was read": async (fetch, note) => {
    const stream = streamOf(note);
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
    return fetch(ECHO, streamed(stream));
  },
  "a stream is locked at once": async (fetch, note) => {
    const { stream, ended } = endless(note);
    const controller = new AbortController();
    const call = fetch(ECHO, streamed(stream, { signal: controller.signal }));
    note("locked", stream.locked);
    controller.abort();
    await call.catch((error) => note("error", error.name));
    await ended;
  },
  "a stream's source ends with an abort": async (fetch, note) => {
    const { stream, ended } = endless(note);
    const controller = new AbortController();
    const call = fetch(ECHO, streamed(stream, { signal: controller.signal }));
    controller.abort("enough");
    await call.catch((error) => note("error", String(error)));
    await ended;
  },
  "a stream's source ends with an abort, in a Request": async (fetch, note) => {
    const { stream, ended } = endless(note);
    const controller = new AbortController();
    const call = fetch(new Request(ECHO, streamed(stream, { signal: controller.signal })));
    controller.abort(new RangeError("enough"));
    await call.catch((error) => note("error", String(error)));
    await ended;
  },
  "a stream's source ends when it was aborted before": async (fetch, note) => {
    const { stream, ended } = endless(note);
    const call = fetch(ECHO, streamed(stream, { signal: aborted("before") }));
    await call.catch((error) => note("error", String(error)));
    await Promise.race([ended, fetch(ECHO)]); // Chromium 156 doesn't end it
  },
});

// --- signals -------------------------------------------------------------------------------------------------

const abortsLater = (reason, input) => async (fetch) => {
  const controller = new AbortController();
  const { signal } = controller;
  const call = input ? fetch(new Request(ECHO, { signal })) : fetch(ECHO, { signal });
  controller.abort(reason);
  return call;
};
Object.assign(calls, {
  "a signal that stays": (fetch) => fetch(ECHO, { signal: new AbortController().signal }),
  "a signal of another realm": (fetch) => fetch(ECHO, { signal: new (frame().AbortController)().signal }),
  "any of two signals": (fetch) => fetch(ECHO, { signal: AbortSignal.any([aborted("one"), AbortSignal.timeout(9e6)]) }),
  "aborted before": (fetch) => fetch(ECHO, { signal: aborted() }),
  "aborted before, with a reason": (fetch) => fetch(ECHO, { signal: aborted("reason") }),
  "aborted before, with undefined arguments": (fetch) => fetch("http://", { signal: aborted("reason") }),
  "aborted before, with a body for GET": (fetch) => fetch(ECHO, { signal: aborted("reason"), body: "text" }),
  "aborted before, in a Request": (fetch) => fetch(new Request(ECHO, post("text", { signal: aborted("reason") }))),
  "aborted before, beside a Request": (fetch) => fetch(new Request(ECHO), { signal: aborted("reason") }),
  "null beside an aborted Request": (fetch) => fetch(new Request(ECHO, { signal: aborted("x") }), { signal: null }),
  "a signal in a Proxy": (fetch) => fetch(ECHO, { signal: new Proxy(new AbortController().signal, {}) }),
  "kept alive, and aborted at once": (fetch) => {
    const controller = new AbortController();
    const call = fetch(ECHO, post("text", { keepalive: true, signal: controller.signal }));
    controller.abort("reason");
    return call;
  },
  "aborted at once": abortsLater(),
  "aborted at once, with a text": abortsLater("reason"),
  "aborted at once, with an error": abortsLater(new RangeError("mine")),
  "aborted at once, with null": abortsLater(null),
  "aborted at once, in a Request": abortsLater("reason", true),
  "aborted when it is answered": async (fetch) => {
    const controller = new AbortController();
    const response = await fetch(ECHO, { signal: controller.signal });
    controller.abort("late");
    return response.text().catch((error) => `rejected: ${error}`);
  },
});

// --- the rest ------------------------------------------------------------------------------------------------

const order = async (call) => {
  const ends = [];
  await Promise.all([call.catch(() => ends.push("rejected")), Promise.resolve().then(() => ends.push("next microtask"))]);
  return ends;
};
Object.assign(calls, {
  "a body near the quota of keepalive": (fetch) => fetch(ECHO, post("x".repeat(60_000), { keepalive: true })),
  "two bodies near it": async (fetch) => {
    const [first, second] = [1, 2].map(() => fetch(ECHO, post("x".repeat(40_000), { keepalive: true })));
    return Promise.all([first, second].map((call) => call.then(told, String)));
  },
  "a body beyond it": (fetch) => fetch(ECHO, post("x".repeat(70_000), { keepalive: true })),
  "what is not there": (fetch) => fetch("/api/nothing"),
  "what is public": (fetch) => fetch("/static/icon.svg").then(({ status, headers }) => [status, headers.get("content-type")]),
  "a method that isn't allowed": (fetch) => fetch("/api/profile", { method: "DELETE" }),
  "an answer's fields can't be changed": async (fetch) => (await fetch(ECHO)).headers.set("X-A", "1"),
  "an answer is a Response": async (fetch) => Object.prototype.toString.call(await fetch(ECHO)),
  "an answer as a stream": async (fetch) => {
    const reader = (await fetch(ECHO)).body.getReader();
    return [(await reader.read()).done, (await reader.read()).done];
  },
  "an answer's copy": async (fetch) => {
    const response = await fetch(ECHO, post("text"));
    const copy = response.clone();
    return [(await response.json()).body, (await copy.json()).body, response.bodyUsed];
  },
  "a Promise of this realm": async (fetch) => {
    const call = fetch(ECHO);
    await call;
    return call.constructor === Promise;
  },
  "a rejection comes later": async (fetch) => {
    let order = "";
    const call = fetch("http://").catch(() => (order += "rejected"));
    order += "returned ";
    await call;
    return order;
  },
  "a rejection for an abort comes at once": (fetch) => order(fetch(ECHO, { signal: aborted("reason") })),
  "a rejection for an abort comes at once, in a Request": (fetch) =>
    order(fetch(new Request(ECHO, post("text", { signal: aborted("reason") })))),
  "a rejection for bad arguments comes at once": (fetch) => order(fetch(ECHO, { mode: "other" })),
  "without this": (fetch) => (0, fetch)(ECHO),
  "this is the window": (fetch) => fetch.call(window, ECHO),
  "this is something else": (fetch) => fetch.call({}, ECHO),
  "as a class": (fetch) => new fetch(ECHO),
  "its name and length": async (fetch) => [fetch.name, fetch.length],
});

// --- what is seen of them ------------------------------------------------------------------------------------

const withoutBoundary = (text) => text.replaceAll(/-+(WebKitFormBoundary|geckoformboundary)\w+/g, "boundary");
const told = async (response) => {
  const { status, statusText, ok, type, redirected, url, bodyUsed } = response;
  const whole = await response.text();
  const text = withoutBoundary(whole);
  let body = text;
  try {
    body = JSON.parse(text);
    if (text.includes("boundary")) {
      delete body.sha256;
      // Firefox's are of any length.
      const more = JSON.parse(whole).body.length - body.body.length;
      body.bytes -= more;
      body.headers["content-length"] -= more;
    }
  } catch {
    // it is no JSON
  }
  return { status, statusText, ok, type, redirected, url: url.replace(location.origin, ""), bodyUsed, body };
};
const toldOfError = (error) =>
  error instanceof Error || error instanceof DOMException
    ? { class: error.constructor.name, name: error.name, message: error.message.replace(location.origin, "") }
    : { thrown: String(error) };

const TOO_LONG = 30_000; // ms in which nothing comes: it never will

/** Returns what is seen of one kind of call. */
export const observe = async (name, fetch) => {
  const seen = {};
  const note = (what, value) => (seen[what] = value);
  const call = async () => {
    const result = await calls[name](fetch, note);
    return result instanceof Response ? told(result) : result;
  };
  let timer;
  const never = new Promise((resolve) => (timer = setTimeout(resolve, TOO_LONG, "never settled")));
  try {
    seen.result = await Promise.race([call(), never]);
  } catch (error) {
    seen.error = toldOfError(error);
  }
  clearTimeout(timer);
  return JSON.parse(withoutBoundary(JSON.stringify(seen)));
};

/** Returns what is seen of all, or of those that are named; `before` is awaited before each. */
export const observeAll = async (fetch, before = () => {}) => {
  const seen = {};
  for (const name of Object.keys(calls)) {
    await before();
    seen[name] = await observe(name, fetch);
  }
  return seen;
};

// A fetch, and an XMLHttpRequest for `requests`, that answer at once while `stub.isOn`: what is left is what a client costs.
// Loaded before everything else, so that whoever keeps a reference to the page's fetch keeps this one.

const ITEM = { id: 7, name: "Seven", tags: ["a", "b", "c"], done: false, note: "small, as most are" };
const [BODY, LIST] = [ITEM, Array(120).fill(ITEM)].map((value) => JSON.stringify(value));
const HEADERS = { "content-type": "application/json", "x-request-id": "7c0f3d" };

const stub = { isOn: false, isList: false, calls: 0, refused: undefined, last: [] };
globalThis.stub = stub;

const pagesFetch = globalThis.fetch.bind(globalThis);
const bearerOf = (input, init) => new Headers(init?.headers ?? input.headers).get("authorization")?.slice(7);

/** Tells whether the last request had a proof that names its token (RFC 9449 §4.2). */
stub.wasProved = () => {
  const [input, init] = stub.last;
  const [, claims] = (new Headers(init?.headers ?? input.headers).get("dpop") ?? "").split(".");
  return Boolean(claims) && "ath" in JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
};

globalThis.fetch = (input, init) => {
  if (!stub.isOn) return pagesFetch(input, init);
  stub.calls += 1;
  stub.last = [input, init];
  const isRefused = stub.refused !== undefined && stub.refused === bearerOf(input, init);
  return Promise.resolve(isRefused ? new Response(null, { status: 401 }) : new Response(stub.isList ? LIST : BODY, { headers: HEADERS }));
};

const PagesXMLHttpRequest = globalThis.XMLHttpRequest;

class StubbedXMLHttpRequest {
  status = 200;
  readyState = 4;
  response = BODY;
  responseText = BODY;
  open() {}
  setRequestHeader() {}
  overrideMimeType() {}
  send() {
    stub.calls += 1;
  }
  getAllResponseHeaders() {
    return Object.entries(HEADERS)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
  }
}

globalThis.XMLHttpRequest = function XMLHttpRequest() {
  return stub.isOn ? new StubbedXMLHttpRequest() : new PagesXMLHttpRequest();
};

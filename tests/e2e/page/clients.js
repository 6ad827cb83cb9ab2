// JavaScript's HTTP clients, each as its users write it; `body` is what the server heard. Those that speak GraphQL or tus
// are given a fetch that asks the echo, and puts its answer into their words. page_bundles.py bundles this file.

import { ApolloClient, gql, HttpLink, InMemoryCache, ServerError } from "@apollo/client/core";
import { createClient as createSupabase, FunctionsHttpError } from "@supabase/supabase-js";
import axios from "axios";
import htmx from "htmx.org/dist/htmx.esm.js";
import ky, { HTTPError } from "ky";
import { FetchError, ofetch } from "ofetch";
import createTyped from "openapi-fetch";
import { DetailedError, Upload } from "tus-js-client";
import wretch from "wretch";

const ECHO = "/api/echo";
const note = { text: "two words" };
const api = axios.create({ adapter: "fetch" });
// It would keep the fetch that it finds now.
const typed = createTyped({ baseUrl: location.origin, fetch: (...call) => fetch(...call) });
const supabase = createSupabase(location.origin, "anon-key", {
  auth: { persistSession: false, autoRefreshToken: false },
  global: {
    fetch: (input, init) => {
      init.headers.delete("Authorization"); // its own key, in the place of the user's token
      return fetch(ECHO, init);
    },
  },
});
const askGraph = async (uri, options) => {
  const response = await fetch(ECHO, options);
  return response.ok ? Response.json({ data: { create: (await response.json()).body } }) : response;
};
const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: "/graphql", fetch: askGraph }) });

/** tus sends XMLHttpRequests unless it is given another way, such as this. */
class FetchStack {
  createRequest(method, url) {
    const controller = new AbortController();
    const headers = {};
    return {
      getMethod: () => method,
      getURL: () => url,
      setHeader: (name, value) => (headers[name] = value),
      getHeader: (name) => headers[name],
      setProgressHandler() {}, // fetch tells none
      async send(body) {
        const response = await fetch(ECHO, { method, headers, body, signal: controller.signal });
        const text = await response.text();
        return {
          getStatus: () => response.status,
          getHeader: (name) => ({ Location: "/uploads/1", "Upload-Offset": String(body?.size) })[name],
          getBody: () => text,
          getUnderlyingObject: () => response,
        };
      },
      abort: async () => controller.abort(),
      getUnderlyingObject: () => undefined,
    };
  }

  getName = () => "FetchStack";
}

const uploaded = () =>
  new Promise((resolve, reject) => {
    let heard;
    const upload = new Upload(new Blob([JSON.stringify(note)]), {
      endpoint: "/uploads",
      httpStack: new FetchStack(),
      onAfterResponse: (_, response) => (heard = response.getBody()),
      onSuccess: () => resolve(JSON.parse(heard)),
      onError: reject,
    });
    upload.start();
  });

const pushed = async () => {
  const answered = new Promise((resolve) => document.addEventListener("htmx:after:request", resolve, { once: true }));
  await htmx.ajax("POST", ECHO, { values: note, swap: "none" });
  const { ctx } = (await answered).detail;
  if (ctx.response.status !== 200) throw Object.assign(new Error(), { status: ctx.response.status });
  return { body: JSON.stringify(Object.fromEntries(new URLSearchParams(JSON.parse(ctx.text).body))) };
};

const CREATE = gql`mutation Create($text: String) { create(text: $text) }`;
const created = async () => {
  const { data } = await apollo.mutate({ mutation: CREATE, variables: note });
  return { body: JSON.stringify(JSON.parse(data.create).variables) };
};

const invoked = async () => {
  const { data, error } = await supabase.functions.invoke("create", { body: note });
  if (error) throw error;
  return data;
};

const clients = {
  apollo: created,
  axios: async () => (await api.post(ECHO, note)).data,
  htmx: pushed,
  ky: () => ky.post(ECHO, { json: note }).json(),
  ofetch: () => ofetch(ECHO, { method: "POST", body: note }),
  "openapi-fetch": async () => {
    const { data, error, response } = await typed.POST(ECHO, { body: note });
    if (error) throw Object.assign(new Error(), { status: response.status });
    return data;
  },
  supabase: invoked,
  tus: uploaded,
  wretch: () => wretch(ECHO).post(note).json(),
};
const errors = {
  apollo: ServerError,
  axios: axios.AxiosError,
  htmx: Error,
  ky: HTTPError,
  ofetch: FetchError,
  "openapi-fetch": Error,
  supabase: FunctionsHttpError,
  tus: DetailedError,
  wretch: Error,
};

/** Returns what the server heard of a call, or the status that the client's own kind of error tells. */
export const call = async (client) => {
  try {
    return (await clients[client]()).body;
  } catch (error) {
    if (!(error instanceof errors[client])) throw error;
    const response = error.response ?? error.context;
    return error.status ?? response?.status ?? error.originalResponse.getStatus();
  }
};

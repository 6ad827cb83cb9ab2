// The JavaScript clients that the library is measured against, each as its users know it: every one has tokens of its
// own, puts the access token on each request, and renews it after a 401.

import axios from "/bench/axios/dist/esm/axios.min.js";
import createAuthRefresh from "/bench/axios-auth-refresh/dist/index.esm.js";
import ky from "/bench/ky/distribution/index.js";

let storage = localStorage;

/** Lets this tab's peers have sessions of their own. */
const keepApart = () => (storage = sessionStorage);

const tokensOf = (peer) => ({
  get access() {
    return storage.getItem(`${peer}.accessToken`);
  },
  get refresh() {
    return storage.getItem(`${peer}.refreshToken`);
  },
  keep({ accessToken, refreshToken }) {
    storage.setItem(`${peer}.accessToken`, accessToken);
    storage.setItem(`${peer}.refreshToken`, refreshToken);
  },
});

const withBearer = (tokens) => (config) => {
  const token = tokens.access;
  if (token) config.headers.Authorization = `Bearer ${token}`;
  return config;
};

/** The article's recipe: one flag, one array of subscribers, the refresh call through the same instance. */
const recipe = (tokens) => {
  const api = axios.create({ adapter: "fetch" });
  let isRefreshing = false;
  let refreshSubscribers = [];
  api.interceptors.request.use(withBearer(tokens));
  api.interceptors.response.use(
    (response) => response,
    async (error) => {
      const { config, response } = error;
      if (response?.status !== 401 || config._retry) return Promise.reject(error);
      config._retry = true;
      if (isRefreshing) {
        return new Promise((resolve) => {
          refreshSubscribers.push((token) => {
            config.headers.Authorization = `Bearer ${token}`;
            resolve(api(config));
          });
        });
      }
      isRefreshing = true;
      try {
        const { data } = await api.post("/refresh", { refreshToken: tokens.refresh });
        tokens.keep(data);
        refreshSubscribers.forEach((subscriber) => subscriber(data.accessToken));
        refreshSubscribers = [];
        config.headers.Authorization = `Bearer ${data.accessToken}`;
        return api(config);
      } finally {
        isRefreshing = false;
      }
    },
  );
  return async (url) => (await api.get(url)).data;
};

const authRefresh = (tokens) => {
  const api = axios.create({ adapter: "fetch" });
  api.interceptors.request.use(withBearer(tokens));
  createAuthRefresh(api, async (failed) => {
    const { data } = await axios.post("/refresh", { refreshToken: tokens.refresh }, { adapter: "fetch" });
    tokens.keep(data);
    failed.response.config.headers.Authorization = `Bearer ${data.accessToken}`;
  });
  return async (url) => (await api.get(url)).data;
};

/** As ky's readme answers «How do I implement token refresh on 401 responses?». */
const kyRecipe = (tokens) => {
  const bearer = ({ request }) => request.headers.set("Authorization", `Bearer ${tokens.access}`);
  const refresh = async ({ request }) => {
    tokens.keep(await ky.post("/refresh", { json: { refreshToken: tokens.refresh } }).json());
    bearer({ request });
  };
  const api = ky.create({
    retry: { limit: 1, statusCodes: [401], delay: () => 0 },
    hooks: { beforeRequest: [bearer], beforeRetry: [refresh] },
  });
  return (url) => api.get(url).json();
};

const bareFetch = () => async (url) => (await fetch(url)).json();

const makers = { fetch: bareFetch, axios: recipe, "axios-auth-refresh": authRefresh, ky: kyRecipe };
const peers = Object.fromEntries(
  Object.entries(makers).map(([name, make]) => {
    const tokens = tokensOf(name);
    return [name, { tokens, get: make(tokens) }];
  }),
);

/** Adds the clients that prove each request; loaded when these are measured. */
const addSigning = async () => {
  const { signing } = await import("/bench/page/signed.js");
  for (const [name, get] of Object.entries(signing)) peers[name] = { get };
};

/** Signs a peer in. */
const signIn = (name, answer) => peers[name].tokens.keep(answer);

/** Returns the milliseconds that `count` requests take, one after the other. */
const inTurn = async (name, url, count) => {
  const { get } = peers[name];
  const start = performance.now();
  for (let i = 0; i < count; i += 1) await get(url);
  return performance.now() - start;
};

/**
 * Returns the milliseconds until as many requests at once are settled, and how many were answered. They are sent at
 * `begin`, in ms since 1970, or at once.
 */
const atOnce = async (name, urls, begin) => {
  const { get } = peers[name];
  if (begin) await new Promise((resolve) => setTimeout(resolve, begin - Date.now()));
  const start = performance.now();
  const ends = await Promise.allSettled(urls.map((url) => get(url)));
  return [performance.now() - start, ends.filter(({ status }) => status === "fulfilled").length];
};

globalThis.peers = { addSigning, keepApart, signIn, inTurn, atOnce };

// The recipe that this demo compares with, as articles pass it around: an `isRefreshing` flag, an array of
// `refreshSubscribers`, the refresh sent through the same instance. fetch stands in for axios, which it rejects like
// for a status that isn't 2xx. Two things are added to look at it: `sent` and `underWay` are counted, and instead of
// clearing localStorage and going to /login, `isSignedOut` is set.

export function recipe(accessToken, refreshToken) {
  let isRefreshing = false;
  let refreshSubscribers = [];
  const page = { sent: 0, underWay: 0, isSignedOut: false };

  const subscribeTokenRefresh = (callback) => refreshSubscribers.push(callback);

  function onRefreshed(token) {
    refreshSubscribers.forEach((callback) => callback(token));
    refreshSubscribers = [];
  }

  async function send({ url, method = "GET", body, token = accessToken }) {
    page.sent += 1;
    page.underWay += 1;
    try {
      const headers = { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) };
      return await fetch(url, { method, headers, body });
    } finally {
      page.underWay -= 1;
    }
  }

  // What axios calls an instance: the request, and the interceptor of its response.
  async function instance(config) {
    const response = await send(config);
    if (response.ok) return response;
    if (response.status !== 401 || config._retry) throw new Error(`status ${response.status}`);
    if (isRefreshing) {
      return new Promise((resolve) => {
        subscribeTokenRefresh((token) => resolve(instance({ ...config, token })));
      });
    }
    config._retry = true;
    isRefreshing = true;
    try {
      const body = JSON.stringify({ refreshToken });
      const answer = await (await instance({ url: "/refresh", method: "POST", body })).json();
      ({ accessToken, refreshToken } = answer);
      onRefreshed(accessToken);
      return instance({ ...config, token: accessToken });
    } catch (error) {
      page.isSignedOut = true;
      throw error;
    } finally {
      isRefreshing = false;
    }
  }

  page.get = async (url) => (await instance({ url })).status;
  page.refreshToken = () => refreshToken;
  return page;
}

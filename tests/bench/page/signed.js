// The JavaScript clients that prove each request, as their readmes say: auth0-spa-js by its fetcher, oidc-client-ts by
// a proof for a fetch of one's own. Each has made its key; the token is anybody's, for nobody looks at it here.

import { Auth0Client } from "/bench/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js";
import { IndexedDbDPoPStore, UserManager } from "/bench/oidc-client-ts/dist/esm/oidc-client-ts.js";

const TOKEN = `eyJhbGciOiJSUzI1NiJ9.${"x".repeat(300)}.${"y".repeat(340)}`; // as long as they are

const auth0 = () => {
  const client = new Auth0Client({ domain: "id.example", clientId: "bench", useDpop: true });
  const options = { baseUrl: location.origin, dpopNonceId: "api", getAccessToken: async () => TOKEN };
  const fetcher = client.createFetcher(options);
  return async (url) => (await fetcher.fetchWithAuth(url)).json();
};

const oidcClient = async () => {
  const manager = new UserManager({
    authority: "https://id.example",
    client_id: "bench",
    redirect_uri: location.href,
    dpop: { bind_authorization_code: true, store: new IndexedDbDPoPStore() },
  });
  await manager.generateDPoPJkt(manager.settings.dpop);
  return async (url) => {
    const whole = location.origin + url;
    const proof = await manager.dpopProof(whole, { access_token: TOKEN }, "GET");
    return (await fetch(whole, { headers: { Authorization: `DPoP ${TOKEN}`, DPoP: proof } })).json();
  };
};

export const signing = { "auth0-spa-js": auth0(), "oidc-client-ts": await oidcClient() };

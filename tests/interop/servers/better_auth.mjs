// better-auth in Node.js: a session in an HttpOnly cookie, and short JWTs for APIs (its plugin "jwt").
// `better_auth_server.py` starts it. https://better-auth.com/docs/plugins/jwt
import { createServer } from "node:http";

const [port, ...origins] = process.argv.slice(2);
const ACCESS_TTL = 300, REFRESH_TTL = 3600; // s, as in lab.py
const USER = { name: "demo", email: "demo@example.org", password: "demo-password" };

// The lab moves this process's clock; before better-auth is loaded, so that it has no other.
const { Date } = globalThis;
let ahead = 0; // ms
globalThis.Date = class extends Date {
  constructor(...given) { given.length ? super(...given) : super(Date.now() + ahead); }
  static now() { return Date.now() + ahead; }
};

const { betterAuth } = await import("better-auth");
const { memoryAdapter } = await import("better-auth/adapters/memory");
const { toNodeHandler } = await import("better-auth/node");
const { jwt } = await import("better-auth/plugins");
const { createLocalJWKSet, jwtVerify } = await import("jose");

const listener = createServer();
await new Promise((resolve) => listener.listen(Number(port), "127.0.0.1", resolve));
const address = `http://127.0.0.1:${listener.address().port}`;
const auth = betterAuth({
  baseURL: address,
  secret: "a key for tests, and long enough for whoever counts",
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
  trustedOrigins: origins,
  emailAndPassword: { enabled: true },
  session: { expiresIn: REFRESH_TTL, disableSessionRefresh: true },
  rateLimit: { enabled: false },
  plugins: [jwt({ jwt: { expirationTime: `${ACCESS_TTL}s` } })],
});
await auth.api.signUpEmail({ body: USER });
const keys = createLocalJWKSet(await auth.api.getJwks());
const answer = toNodeHandler(auth);

let counters = { refresh: 0, unauthorized: 0 };
const lab = {
  "/lab/expire": () => { ahead += (ACCESS_TTL + 1) * 1000; },
  "/lab/expire-refresh-tokens": () => { ahead += (REFRESH_TTL + 1) * 1000; },
  "/lab/reset": () => { counters = { refresh: 0, unauthorized: 0 }; },
  "/lab/counters": () => counters,
};

async function me(request) {
  const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: address, audience: address });
    return [200, { user: payload.name }];
  } catch {
    return [401, { message: "the token is not good" }];
  }
}

listener.on("request", async (request, response) => {
  const { origin } = request.headers;
  if (origins.includes(origin)) {
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Headers", "authorization, content-type, x-requested-with");
  }
  const say = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(body && JSON.stringify(body));
  };
  if (request.method === "OPTIONS") say(204);
  else if (request.url in lab) say(200, lab[request.url]() ?? {});
  else if (request.url === "/api/me") {
    const [status, body] = await me(request);
    counters.unauthorized += status === 401;
    say(status, body);
  } else {
    counters.refresh += request.url === "/api/auth/token";
    await answer(request, response);
  }
});
process.on("SIGTERM", () => process.exit());
console.log(`ready: ${address}`);

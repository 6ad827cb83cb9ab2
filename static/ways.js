// Makes the worker of the card "Every way in". The page's policy lets no text become a script's address (Trusted
// Types) but by this one policy, which passes one address.

const WORKER = "/static/ways_worker.mjs";
const address = globalThis.trustedTypes?.createPolicy("ways-worker", {
  createScriptURL: (url) => (url === WORKER ? url : null),
});

/** Starts a worker, and resolves when it knows the session: {send(url), stop()}; `send` resolves with a status. */
export const openWorker = async () => {
  const worker = new Worker(address?.createScriptURL(WORKER) ?? WORKER, { type: "module" });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data: [result, error] }) => (error === undefined ? resolve(result) : reject(new Error(error)));
      worker.onerror = ({ message: told }) => reject(new Error(told || "the worker did not start"));
      worker.postMessage(message);
    });
  await ask("open");
  return { send: (url) => ask(url), stop: () => worker.terminate() };
};

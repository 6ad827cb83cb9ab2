// A worker of bare Pyodide, or a SharedWorker: what notebooks are, without a page that shares a session.
// Runs the Python that it is sent, [number, code], and answers [number, result, what it raised].

import * as bridge from "/app/silent_refresh/browser/bridge.js";
import { loadPyodide } from "/static/vendor/pyodide-314.0.7/pyodide.mjs";

const start = async () => {
  const pyodide = await loadPyodide();
  const archive = await (await fetch("/static/page/page.zip")).arrayBuffer();
  pyodide.unpackArchive(archive, "zip", { extractDir: "/packages" });
  pyodide.registerJsModule("silent_refresh_worker", bridge);
  pyodide.runPython("import sys; sys.path.append('/packages')");
  return pyodide;
};
const started = start();

const serve = (port) => {
  port.onmessage = async ({ data: [number, code] }) => {
    try {
      port.postMessage([number, await (await started).runPythonAsync(code), undefined]);
    } catch (error) {
      port.postMessage([number, undefined, String(error)]);
    }
  };
};

if (globalThis.SharedWorkerGlobalScope) globalThis.onconnect = ({ ports: [port] }) => serve(port);
else serve(globalThis);

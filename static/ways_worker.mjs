// A worker with Python and a session of its own accord: this origin's, out of the journal that the page writes, too.

import * as bridge from "/app/silent_refresh/browser/bridge.js";
import { loadPyodide } from "/static/vendor/pyodide-314.0.7/pyodide.mjs";

const OPEN = `
import sys
sys.path.append("/page")
from silent_refresh import Client, SilentRefresh
auth = SilentRefresh(login=None)
client = Client(auth=auth)
await auth.restored()
`;
const SEND = `(await client.get(url)).status`;

const start = async () => {
  const [pyodide, archive] = await Promise.all([
    loadPyodide(),
    fetch("/static/page/page.zip").then((answer) => answer.arrayBuffer()),
  ]);
  pyodide.unpackArchive(archive, "zip", { extractDir: "/page" });
  pyodide.registerJsModule("silent_refresh_worker", bridge);
  await pyodide.runPythonAsync(OPEN);
  return pyodide;
};
const started = start();

onmessage = async ({ data }) => {
  try {
    const pyodide = await started;
    if (data === "open") return postMessage([true, undefined]);
    pyodide.globals.set("url", data);
    postMessage([await pyodide.runPythonAsync(SEND), undefined]);
  } catch (error) {
    postMessage([undefined, String(error?.message ?? error).trimEnd().split("\n").at(-1)]);
  }
};

// Starts Python in a page under test, and wraps its fetch; `state` is what the page's calls find.

import * as silent_refresh_bridge from "/app/silent_refresh/browser/bridge.js";
import { loadPyodide } from "/static/python.mjs";

const PYTHON = `
import sys

sys.path.insert(0, "/page.zip")
from silent_refresh import MemoryStorage, SilentRefresh, Tokens, install

life = 1e-6 if state == "ended" else 3600

async def renew(tokens):
    return Tokens("again", "refresh", expires_in=life)

auth = SilentRefresh(renew, login=None, store=MemoryStorage())
if state != "signed-out":
    await auth.sign_in(Tokens("token", "refresh", expires_in=life))
install(auth)
`;

const [pyodide, archive] = await Promise.all([
  loadPyodide({ stdout: console.log, stderr: console.error }),
  fetch("/static/page/page.zip").then((response) => response.arrayBuffer()),
]);
pyodide.FS.writeFile("/page.zip", new Uint8Array(archive));
pyodide.registerJsModule("polyscript", { js_modules: { silent_refresh_bridge } });
const state = new URL(import.meta.url).search.slice(1);
await pyodide.runPythonAsync(PYTHON, { globals: pyodide.toPy({ state }) });
navigator.sendBeacon("/conformance/ready");

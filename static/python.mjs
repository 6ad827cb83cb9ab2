// The page's interpreter for PyScript (pyscript.toml names it): Pyodide, started at once.
//
// PyScript asks for its interpreter only when it has loaded itself and its configuration; by then Pyodide, asked for
// by index.html's head, can be half-way. What PyScript hands over late, the places for output and the packages, is
// passed on to the Pyodide that is already starting.
//
// Pyodide's largest piece of JavaScript, 1.25 MB, is a script of that page and not a module: Chromium compiles modules
// anew at each visit (docs/benchmarks-boot.md). A page without that script gets the module.

import { loadPyodide as startPyodide, version } from "/static/vendor/pyodide-314.0.7/pyodide.mjs";

export { version };

const CODE = "/static/vendor/pyodide-314.0.7/pyodide.asm.js";

/** Returns Pyodide's own module of WebAssembly, once the page's script has run. */
async function createPyodideModule(settings) {
  if (!globalThis._createPyodideModule) await codeHasSettled();
  if (!globalThis._createPyodideModule) throw new Error(`Loading ${CODE} failed`);
  return globalThis._createPyodideModule(settings);
}

/** Waits until the script has run, or can't; the page's own event tells if that was before anybody listened. */
function codeHasSettled() {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    for (const event of ["load", "error"]) code.addEventListener(event, resolve);
    addEventListener("load", resolve);
  });
}

const code = globalThis.document?.querySelector(`script[src="${CODE}"]`) ?? null; // a worker has no document
const output = { stdout: console.log, stderr: console.error };
const started = startPyodide({
  stdout: (text) => output.stdout(text),
  stderr: (text) => output.stderr(text),
  createPyodideModule: code === null ? undefined : createPyodideModule,
});
started.catch(() => {}); // told to whoever waits for it

/** Returns the page's one Pyodide, once it is ready. */
export async function loadPyodide({ stdout, stderr, packages = [] }) {
  Object.assign(output, { stdout, stderr });
  const pyodide = await started;
  if (packages.length > 0) await pyodide.loadPackage(packages);
  return pyodide;
}

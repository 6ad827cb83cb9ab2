// The page's interpreter for PyScript (pyscript.toml names it): Pyodide, started at once.
//
// PyScript asks for its interpreter only when it has loaded itself and its configuration; by then Pyodide, asked for
// by index.html's head, can be half-way. What PyScript hands over late, the places for output and the packages, is
// passed on to the Pyodide that is already starting.

import { loadPyodide as startPyodide, version } from "/static/vendor/pyodide-314.0.7/pyodide.mjs";

export { version };

const output = { stdout: console.log, stderr: console.error };
const started = startPyodide({
  stdout: (text) => output.stdout(text),
  stderr: (text) => output.stderr(text),
});
started.catch(() => {}); // told to whoever waits for it

/** Returns the page's one Pyodide, once it is ready. */
export async function loadPyodide({ stdout, stderr, packages = [] }) {
  Object.assign(output, { stdout, stderr });
  const pyodide = await started;
  if (packages.length > 0) await pyodide.loadPackage(packages);
  return pyodide;
}

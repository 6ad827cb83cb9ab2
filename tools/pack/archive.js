// Lets the page's Python import from its archive, which tools/pack.mjs made: PyScript's `pyscript` package is in it,
// compiled. PyScript would run a prelude first that writes the sources of that package, compiles and imports all of it.

import { hooks, stdlib } from "./pyscript/core.js";

const ARCHIVE = "/home/pyodide/page.zip"; // where the configuration puts it

hooks.main.onReady.add(({ interpreter }) => {
  interpreter.runPython(`import sys; sys.path.append("${ARCHIVE}"); del sys`);
  const run = interpreter.runPythonAsync;
  interpreter.runPythonAsync = (code, options) => (code.trim() === stdlib.trim() ? undefined : run(code, options));
});

// The packed page's interpreter for PyScript: that of python.mjs, whose Python imports from the page's archive, which
// tools/pack.mjs made. PyScript's `pyscript` package is in it, compiled. PyScript would run a prelude first that writes
// the sources of that package, compiles and imports all of it.
//
// It imports nothing of PyScript's, as a page's own script may: WebKit (2.50) never runs the second of two modules that
// import one which still awaits, as PyScript does: https://bugs.webkit.org/show_bug.cgi?id=242740

import { loadPyodide as load, version } from "./python.mjs";

export { version };

const ARCHIVE = "/home/pyodide/page.zip"; // where the configuration puts it
const PRELUDE_LENGTH = 0; // tools/pack.mjs writes it
const PRELUDE_START = "import os as _os\n";

const isPrelude = (code) => code.startsWith(PRELUDE_START) && code.trim().length === PRELUDE_LENGTH;

/** Returns the page's Pyodide. Its first code is run when the archive has come. */
export async function loadPyodide(options) {
  const pyodide = await load(options);
  const run = pyodide.runPythonAsync;
  let isFirst = true;
  pyodide.runPythonAsync = (code, settings) => {
    if (isFirst) pyodide.runPython(`import sys; sys.path.append("${ARCHIVE}"); del sys`);
    isFirst = false;
    return isPrelude(code) ? undefined : run(code, settings);
  };
  return pyodide;
}

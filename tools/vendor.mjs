// Puts PyScript and Pyodide, as npm installed them, where the page can load them:
//
//   static/vendor/pyscript-<version>/   core.js, core.css and every module that core.js may import
//   static/vendor/pyodide-<version>/    the five files of the run-time, its standard library byte-compiled
//
// They are served as immutable, hence the versions in the folders' names, and compressed once, here: each file has a
// `.br` and a `.gz` beside it. The same packages give the same bytes on every run. The folder appears when it is
// complete, never sooner.
//
// Run by `make` as: node tools/vendor.mjs

import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const packages = path.join(root, "node_modules");
const vendor = path.join(root, "static", "vendor");
const partial = `${vendor}.partial`;

const PYODIDE_FILES = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json"];
const STDLIB = "python_stdlib.zip";

// Smaller files gain nothing from compression.
const COMPRESS_FROM = 1024; // bytes

const versionOf = async (name) => JSON.parse(await readFile(path.join(packages, name, "package.json"), "utf8")).version;

/** Returns the files of PyScript's dist folder that core.js loads: itself, and what is named in a file that it loads. */
async function pyscriptFiles(dist) {
  const files = new Map();
  const queue = ["core.js", "core.css"];
  while (queue.length > 0) {
    const name = queue.pop();
    if (files.has(name)) continue;
    const content = await readFile(path.join(dist, name));
    files.set(name, content);
    if (!name.endsWith(".js")) continue;
    for (const [, mentioned] of content.toString("utf8").matchAll(/["'`]\.\/([\w.-]+\.(?:js|css))["'`]/g)) {
      queue.push(mentioned);
    }
  }
  return files;
}

/** Returns Pyodide's run-time, with the standard library compiled: npm's has only sources, which every boot would compile. */
async function pyodideFiles(folder) {
  const files = new Map();
  for (const name of PYODIDE_FILES) files.set(name, await readFile(path.join(folder, name)));
  files.set(STDLIB, await compileStdlib(folder));
  return files;
}

// Compiled by the very Python that will read it. The hash-based, unchecked kind of .pyc holds no time stamp; a fixed
// hash seed keeps the order of sets. Stored, not deflated: brotli does better on the whole archive.
const COMPILE = `
import importlib._bootstrap_external as bootstrap
import sys, zipfile

prefix = next(entry for entry in sys.path if entry.endswith(".zip"))
with zipfile.ZipFile("/source.zip") as source, zipfile.ZipFile("/compiled.zip", "w", zipfile.ZIP_STORED) as target:
    for name in sorted(source.namelist()):
        if name.endswith("/"):
            continue
        content = source.read(name)
        if name.endswith(".py"):
            code = compile(content, f"{prefix}/{name}", "exec", dont_inherit=True, optimize=2)
            content = bytes(bootstrap._code_to_hash_pyc(code, bytes(8), False))
            name += "c"
        target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
`;

async function compileStdlib(folder) {
  const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
  const python = await loadPyodide({ env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" } });
  python.FS.writeFile("/source.zip", await readFile(path.join(folder, STDLIB)));
  python.runPython(COMPILE);
  return Buffer.from(python.FS.readFile("/compiled.zip"));
}

const brotli = (content) =>
  promisify(zlib.brotliCompress)(content, {
    params: {
      [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
      [zlib.constants.BROTLI_PARAM_LGWIN]: 24, // the largest window that browsers accept
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
const gzip = (content) => promisify(zlib.gzip)(content, { level: 9 });

async function write(folder, files) {
  await mkdir(folder, { recursive: true });
  const jobs = [];
  for (const [name, content] of files) {
    const target = path.join(folder, name);
    jobs.push(writeFile(target, content));
    if (content.length < COMPRESS_FROM) continue;
    // zlib works in threads of its own, so these run side by side.
    jobs.push(brotli(content).then((compressed) => writeFile(`${target}.br`, compressed)));
    jobs.push(gzip(content).then((compressed) => writeFile(`${target}.gz`, compressed)));
  }
  await Promise.all(jobs);
}

const pyscript = path.join(packages, "@pyscript", "core");
const pyodide = path.join(packages, "pyodide");

await rm(partial, { recursive: true, force: true });
await Promise.all([
  write(path.join(partial, `pyodide-${await versionOf("pyodide")}`), await pyodideFiles(pyodide)),
  write(path.join(partial, `pyscript-${await versionOf("@pyscript/core")}`), await pyscriptFiles(path.join(pyscript, "dist"))),
]);
await rm(vendor, { recursive: true, force: true });
await rename(partial, vendor);
for (const folder of (await readdir(vendor)).sort()) console.log(`static/vendor/${folder}`);

// Puts PyScript and Pyodide, as npm installed them, where the page can load them:
//
//   static/vendor/pyscript-<version>/   core.js, core.css and every module that core.js may import
//   static/vendor/pyodide-<version>/    the five files of the run-time, trimmed to what the page can use, and one of
//                                       them, pyodide.asm.mjs, as a classic script too
//
// and in both a NOTICE.txt and a LICENSES.txt, which tools/notices.mjs writes.
//
// They are served as immutable, hence the versions in the folders' names, and compressed once, here: each file has a
// `.zst`, a `.br` and a `.gz` beside it. The same packages give the same bytes on every run. The folder appears when it is
// complete, never sooner.
//
// Run by `make` as: node tools/vendor.mjs

import { readFile, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";

import { pyodideNotices, pyscriptNotices } from "./notices.mjs";
import { PACKAGES, ROOT, startPacker, versionOf, write } from "./packing.mjs";
import { isKept } from "./stdlib.mjs";

const vendor = path.join(ROOT, "static", "vendor");
const partial = `${vendor}.partial`;

const PYODIDE_FILES = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];
const STDLIB = "python_stdlib.zip";
const LOCK = "pyodide-lock.json";

/** Returns the files of PyScript's dist folder that core.js loads: itself, and what is named in a file that it loads. */
async function pyscriptFiles(dist, version) {
  const files = await pyscriptNotices(version);
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

/** Returns Pyodide's run-time. */
async function pyodideFiles(folder, version, packer) {
  const lock = await readFile(path.join(folder, LOCK));
  const files = await pyodideNotices(version, JSON.parse(lock).info.python);
  for (const name of PYODIDE_FILES) files.set(name, await readFile(path.join(folder, name)));
  files.set("pyodide.asm.js", classicScript(files.get("pyodide.asm.mjs").toString("utf8")));
  files.set(STDLIB, compileStdlib(await readFile(path.join(folder, STDLIB)), packer));
  files.set(LOCK, withoutPackages(lock));
  return files;
}

/**
 * Returns Emscripten's module, whose one export is a function, as a script that makes the function global. Chromium keeps
 * what it compiled of a script and takes it at the next visits; what it compiled of a module it keeps, and compiles the
 * module anew. In brackets the function counts as one to be called soon, and is compiled in the background.
 */
function classicScript(module) {
  const parts = /^(async function (\w+)\(.*\})\s*export default \2;\s*$/s.exec(module);
  if (parts === null) throw new Error("pyodide.asm.mjs is no longer one exported function: see tools/vendor.mjs");
  const [, text, name] = parts;
  return Buffer.from(`globalThis.${name} = (${text.replaceAll("import.meta.url", "document.baseURI")});\n`);
}

/** Returns the standard library compiled: npm's has only sources, which every boot would compile. */
function compileStdlib(archive, packer) {
  const files = packer.unpack(archive).filter(([name]) => isKept(name));
  return packer.pack(files, "/lib/python314.zip", { optimize: 2 });
}

/** Returns the lock file without the 300 packages of Pyodide's distribution: this server has none of them. */
function withoutPackages(lock) {
  return Buffer.from(JSON.stringify({ ...JSON.parse(lock), packages: {} }));
}

await rm(partial, { recursive: true, force: true });
const packer = await startPacker();
const [pyodide, pyscript] = await Promise.all([versionOf("pyodide"), versionOf("@pyscript/core")]);
await Promise.all([
  write(
    path.join(partial, `pyodide-${pyodide}`),
    await pyodideFiles(path.join(PACKAGES, "pyodide"), pyodide, packer),
    packer,
  ),
  write(
    path.join(partial, `pyscript-${pyscript}`),
    await pyscriptFiles(path.join(PACKAGES, "@pyscript", "core", "dist"), pyscript),
    packer,
  ),
]);
await rm(vendor, { recursive: true, force: true });
await rename(partial, vendor);
for (const folder of (await readdir(vendor)).sort()) console.log(`static/vendor/${folder}`);

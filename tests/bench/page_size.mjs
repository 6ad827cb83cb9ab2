// Prints the bytes of what a page transfers of the library that loads these modules: compiled, bridge.js beside them, in
// one archive compressed by brotli.
//
//   node tests/bench/page_size.mjs auth client engine …

import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import zlib from "node:zlib";

import { ROOT, startPacker } from "../../tools/packing.mjs";

const app = path.join(ROOT, "app");

/** Returns the file of a module of the library, `http.json` say; "" is the library itself. */
async function fileOf(name) {
  const stem = ["silent_refresh", ...name.split(".").filter(Boolean)].join("/");
  const isPackage = await stat(path.join(app, stem)).then((found) => found.isDirectory(), () => false);
  return isPackage ? `${stem}/__init__.py` : `${stem}.py`;
}

const files = await Promise.all(["", ...process.argv.slice(2)].map(fileOf));
const entries = await Promise.all(
  [...files, "silent_refresh/browser/bridge.js"].map(async (file) => [file, await readFile(path.join(app, file))]),
);
const packer = await startPacker();
const archive = packer.pack(entries, "/home/pyodide/page.zip", { optimize: 2, annotated: false });
const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 };
console.log(zlib.brotliCompressSync(archive, { params }).length);

// Makes of the wheel one for Pyodide: byte-compiled, so that a page's Python compiles nothing of it. It has no sources, no
// docstrings, and nothing that is for tests. Every other Python takes the wheel that it is made from.
//
//   node tools/compiled_wheel.mjs dist/silent_refresh-0.1.0-py3-none-any.whl
//
// writes the other beside it. Its tag is that of Pyodide's own wheels (PEP 783), for byte code is one Python's.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { PACKAGES, startPacker } from "./packing.mjs";

const FOLDER = "/lib/python3.14/site-packages"; // where Pyodide unpacks it: what tracebacks name
const ANY = "py3-none-any";

/** Returns the tag for the Pyodide that is installed: `cp314-none-pyemscripten_2026_0_wasm32`. */
async function tagOfPyodide() {
  const lock = await readFile(path.join(PACKAGES, "pyodide", "pyodide-lock.json"), "utf8");
  const { abi_version: abi, arch, python } = JSON.parse(lock).info;
  const [major, minor] = python.split(".");
  return `cp${major}${minor}-none-pyemscripten_${abi}_${arch}`;
}

/** Returns the list of what is in a wheel, itself without a hash. */
function record(entries, name) {
  const line = ([file, content]) => {
    const digest = createHash("sha256").update(content).digest("base64url");
    return `${file},sha256=${digest},${content.length}\n`;
  };
  return Buffer.from(`${entries.map(line).join("")}${name},,\n`);
}

const wheel = process.argv[2];
if (!wheel?.endsWith(`-${ANY}.whl`)) throw new Error(`name the wheel: dist/…-${ANY}.whl`);

const [packer, tag] = await Promise.all([startPacker(), tagOfPyodide()]);
const given = packer.unpack(await readFile(wheel));
const kept = given.filter(([name]) => !name.includes("/testing/") && !name.endsWith("/RECORD"));
const compiled = packer.unpack(packer.pack(kept, FOLDER, { optimize: 2, annotated: false })).map(([name, content]) => {
  if (!name.endsWith(".dist-info/WHEEL")) return [name, content];
  return [name, Buffer.from(Buffer.from(content).toString("utf8").replace(`Tag: ${ANY}`, `Tag: ${tag}`))];
});
const [list] = given.map(([name]) => name).filter((name) => name.endsWith(".dist-info/RECORD"));
const archive = packer.pack([...compiled, [list, record(compiled, list)]], FOLDER, { deflated: true });
const target = wheel.replace(ANY, tag);
await writeFile(target, archive);
console.log(`${target} (${Math.round(archive.length / 1000)} kB)`);

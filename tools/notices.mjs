// What the licenses of the vendored run-times ask of whoever hands them on. Each folder of static/vendor has
//
//   NOTICE.txt      what is in it, under which license, where its source is, and what was changed
//   LICENSES.txt    the texts: the packages' own, and from tools/licenses what they come without

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

import { PACKAGES, ROOT } from "./packing.mjs";

const THIRD_PARTY = path.join(PACKAGES, "@pyscript", "core", "src", "3rd-party-licenses");

const kept = (name) => readFile(path.join(ROOT, "tools", "licenses", `${name}.txt`), "utf8");

/** Returns both files as a Map; `texts` are [title, text] pairs. */
function files(notice, texts) {
  const licenses = texts.map(([title, text]) => `${"=".repeat(79)}\n${title}\n${"=".repeat(79)}\n\n${text.trim()}\n`);
  return new Map([
    ["NOTICE.txt", Buffer.from(`${notice.trim()}\n`)],
    ["LICENSES.txt", Buffer.from(licenses.join("\n\n"))],
  ]);
}

/** Returns what is built in and comes without texts: who holds the copyrights, and the texts. */
async function libraries(of) {
  return [
    ["Libraries", await kept(of)],
    ["MIT license", await kept("MIT")],
    ["BSD license", await kept("BSD-3-Clause")],
  ];
}

/** Returns the notices of Pyodide, as tools/vendor.mjs changes it. */
export async function pyodideNotices(version, python) {
  const notice = `
Pyodide ${version}
License: MPL-2.0, Mozilla Public License 2.0
Source:  https://github.com/pyodide/pyodide/tree/${version}

with CPython ${python}
License: PSF-2.0, Python Software Foundation License 2
Source:  https://github.com/python/cpython/tree/v${python}
         and https://github.com/pyodide/pyodide/tree/${version}/cpython/patches

and the libraries that LICENSES.txt names, with the texts of all licenses.

Changed by silent-refresh:

- pyodide.asm.js is pyodide.asm.mjs, made a classic script.
- python_stdlib.zip is without the modules that tools/stdlib.mjs names, and compiled: no sources, docstrings and
  assertions.
- pyodide-lock.json names no package.

All else is as in the npm package pyodide ${version}. What was changed stays under its license. What changes it is
tools/vendor.mjs, tools/packing.mjs and tools/stdlib.mjs of silent-refresh; the npm package has the files as they were.
`;
  return files(notice, [
    [`Pyodide ${version}: Mozilla Public License 2.0`, await kept("MPL-2.0")],
    [`CPython ${python}: Python Software Foundation License 2`, await kept("PSF-2.0")],
    ...(await libraries("pyodide")),
  ]);
}

/** Returns the notices of PyScript, with those of the packages that are built into it. */
export async function pyscriptNotices(version) {
  const packages = await packagesOf("@pyscript/core");
  const names = packages.map(({ name, version, license }) => `- ${name} ${version}: ${license}`);
  const notice = `
PyScript ${version}
License: Apache-2.0, Apache License 2.0
Source:  the npm package @pyscript/core ${version}, folder src, and https://github.com/pyscript/pyscript

The files are as in the npm package's folder dist. The texts of all licenses are in LICENSES.txt. Built in are
CodeMirror, xterm.js and toml-j0.4 under the MIT license, zip.js under the BSD license, and

${names.slice(1).join("\n")}
`;
  const texts = packages.map((found) => [`${found.name} ${found.version}: ${found.license}`, found.text]);
  for (const file of (await readdir(THIRD_PARTY)).sort()) {
    texts.push([file.replace(/\.li[cx]ense\.txt$/, ""), await readFile(path.join(THIRD_PARTY, file), "utf8")]);
  }
  return files(notice, [...texts, ...(await libraries("pyscript"))]);
}

/** Returns a package and all that it needs, each once: name, version, license and its text. */
async function packagesOf(wanted) {
  const found = new Map();
  const queue = [path.join(PACKAGES, wanted)];
  for (const folder of queue) {
    const { name, version, license, author, dependencies = {} } = JSON.parse(
      await readFile(path.join(folder, "package.json"), "utf8"),
    );
    if (found.has(`${name} ${version}`)) continue;
    found.set(`${name} ${version}`, { name, version, license, text: await licenseText(folder, license, author) });
    for (const needed of Object.keys(dependencies).sort()) queue.push(await folderOf(needed, folder));
  }
  return [...found.values()];
}

/** Returns where npm put a package that another needs: beside it, or above. */
async function folderOf(name, from) {
  for (let folder = from; folder.startsWith(PACKAGES); folder = path.dirname(folder)) {
    const candidate = path.join(folder, "node_modules", name);
    if (await readdir(candidate).catch(() => null)) return candidate;
  }
  return path.join(PACKAGES, name);
}

async function licenseText(folder, license, author) {
  const file = (await readdir(folder)).find((name) => /^licen[cs]e/i.test(name));
  if (file !== undefined) return readFile(path.join(folder, file), "utf8");
  if (!author) throw new Error(`${folder} has neither a license text nor an author: see tools/notices.mjs`);
  return `Copyright (c) ${author.name ?? author}\n\n${await kept(license)}`;
}

// Packs the page's own Python into one file, static/page/page.zip, compiled, so that a visit fetches one file instead
// of fifty and its Python compiles nothing: the library, the demo, the wheels of static/wheels, and PyScript's own
// `pyscript` package. The sources are in it too, for tracebacks.
//
// Does nothing when the archive is what it would be: static/page/.digest holds the hash of all that went into it.
//
// Run by `make`, and by the end-to-end tests, as: node tools/page.mjs

import { createHash } from "node:crypto";
import { readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { pyscriptFiles, ROOT, startPacker, versionOf, write } from "./packing.mjs";

const SCRIPT = "demo/main.py"; // index.html names it, so PyScript fetches it by itself
const TOOLS = ["page.mjs", "packing.mjs"];
const page = path.join(ROOT, "static", "page");

/** Returns the Python files of a package under app/ that a page may need, as [name, content] pairs. */
async function packageFiles(name) {
  const app = path.join(ROOT, "app");
  const files = await readdir(path.join(app, name), { recursive: true });
  const names = files
    .filter((file) => file.endsWith(".py"))
    .map((file) => `${name}/${file}`.replaceAll("\\", "/"))
    .filter((file) => !path.posix.dirname(file).endsWith("/testing"));
  return Promise.all(names.sort().map(async (file) => [file, await readFile(path.join(app, file))]));
}

/** Returns the wheels that the page has from the start; those that pyscript.toml names are loaded later. */
async function wheels() {
  const folder = path.join(ROOT, "static", "wheels");
  const configuration = await readFile(path.join(ROOT, "pyscript.toml"), "utf8");
  const isLater = (name) => configuration.includes(`/static/wheels/${name}`);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".whl") && !isLater(name));
  return Promise.all(names.sort().map((name) => readFile(path.join(folder, name))));
}

const sources = [
  ...(await packageFiles("silent_refresh")),
  ...(await packageFiles("demo")),
  ...(await pyscriptFiles()),
].filter(([name]) => name !== SCRIPT);
const archives = await wheels();

const hash = createHash("sha256").update(await versionOf("pyodide"));
for (const tool of TOOLS) hash.update(await readFile(path.join(ROOT, "tools", tool)));
for (const archive of archives) hash.update(archive);
for (const [name, content] of sources) hash.update(`${name}\n${content.length}\n`).update(content);
const digest = hash.digest("hex");

if ((await readFile(path.join(page, ".digest"), "utf8").catch(() => "")) !== digest) {
  const packer = await startPacker();
  const entries = [...sources, ...archives.flatMap((archive) => packer.unpack(archive))];
  const partial = `${page}.partial`;
  await rm(partial, { recursive: true, force: true });
  const archive = packer.pack(entries, "/home/pyodide/page.zip", { withSources: true });
  await write(partial, new Map([["page.zip", archive]]), packer);
  await writeFile(path.join(partial, ".digest"), digest);
  await rm(page, { recursive: true, force: true });
  await rename(partial, page);
  console.log("static/page/page.zip");
}

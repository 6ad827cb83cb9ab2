// Packs a page of PyScript so that it starts fast, as the demo's does: docs/guide.md says what for, and how to serve it.
//
//   node tools/pack.mjs ../my-page/page ../my-page/fast
//
// The first folder has pages whose Python is in files, with a configuration in TOML that names their `[files]`; it stays
// as it is. In the second they have
//
//   pyodide/, pyscript/     as static/vendor has them: compiled, trimmed, Pyodide's JavaScript as a script
//   page.zip                the wheels and the Python files that the configuration names, compiled, as one archive
//   python.mjs, archive.js  what starts Pyodide at once, and lets Python import from the archive: the interpreter
//
// and each file that gains by it compressed beside itself, .zst, .br and .gz.

import { cp, mkdir, readFile, readdir } from "node:fs/promises";
import path from "node:path";

import { pyscriptFiles, pyscriptPrelude, ROOT, startPacker, write } from "./packing.mjs";

const ARCHIVE = "page.zip";
const HOME = "/home/pyodide"; // where PyScript puts files
const BRIDGE = "silent_refresh/browser/bridge.js";
const LEFT_OUT = /\.dist-info\/|\/testing\/|\/own_python\.js$|\/py\.typed$/; // of a wheel
const PYTHON_TAG = /<script\b[^>]*\btype="py"[^>]*>/g;

const plain = (file) => path.posix.normalize(file); // "./session.py" → "session.py"
const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
const asJSON = (name) => name.replace(/\.toml$/, ".json");

/** Returns what a page's tags say: the files of its Python, and their configurations. Throws for what isn't for this. */
function read(name, html) {
  const tags = html.match(PYTHON_TAG) ?? [];
  for (const tag of tags) {
    if (/\bworker\b/.test(tag)) throw new Error(`${name} has a worker, which can't import from the page's archive`);
    if (!attribute(tag, "src") || !attribute(tag, "config")?.endsWith(".toml")) {
      throw new Error(`${name}: let ${tag} name its file by src="…", and its configuration by config="….toml"`);
    }
  }
  return { scripts: tags.map((tag) => attribute(tag, "src")), configs: tags.map((tag) => attribute(tag, "config")) };
}

/** Takes out of a configuration what goes into the archive, and returns that: [name, content] pairs, by whose it is. */
async function takeFiles(config, from, packer) {
  const [own, others] = [[], []];
  const kept = {};
  for (const [file, target] of Object.entries(config.files ?? {})) {
    if (file.endsWith(".py")) own.push([plain(target || path.posix.basename(file)), await readFile(path.join(from, file))]);
    else if (/\.(whl|zip)$/.test(file)) others.push(...packer.unpack(await readFile(path.join(from, file))));
    else kept[file] = target;
  }
  for (const name of config.packages ?? []) {
    if (!name.endsWith(".whl")) throw new Error(`${name} is of Pyodide's distribution, which isn't here: name a wheel`);
    others.push(...packer.unpack(await readFile(path.join(from, name))));
  }
  config.interpreter = "./archive.js";
  config.files = { ...kept, [`./${ARCHIVE}`]: `./${ARCHIVE}` };
  delete config.packages;
  return { own, others };
}

/** Returns a page that asks for all that its start needs, at once; but for the WebAssembly: see docs/benchmarks-boot.md. */
function withHead(html, { scripts, configs }, modules) {
  const fetched = ["./pyodide/python_stdlib.zip", "./pyodide/pyodide-lock.json", `./${ARCHIVE}`];
  const head = [
    '<script type="module" async src="./python.mjs"></script>',
    '<script async crossorigin fetchpriority="high" src="./pyodide/pyodide.asm.js"></script>',
    ...["./pyodide/pyodide.mjs", ...modules, "./archive.js"].map((file) => `<link rel="modulepreload" href="${file}">`),
    ...[...fetched, ...new Set(configs.map(asJSON)), ...scripts].map(
      (file) => `<link rel="preload" as="fetch" crossorigin href="${file}">`,
    ),
  ];
  const named = html.replace(/\b(config|data-config)="([^"]*)"/g, (_, name, files) => {
    return `${name}="${files.split(" ").map(asJSON).join(" ")}"`;
  });
  // Behind the guard of own_python.js, which comes before all else; in front of whatever loads PyScript.
  const place = /[ \t]*<script\b(?![^>]*own_python\.js)[^>]*>/.exec(named).index;
  return `${named.slice(0, place)}${head.join("\n")}\n${named.slice(place)}`;
}

/** Packs the pages of one folder into another. */
async function main(from, to) {
  if (!to) throw new Error("name two folders: the page's, and one to make");
  if ((await readdir(to).catch(() => [])).length > 0) throw new Error(`${to} isn't empty`);

  const names = (await readdir(from, { withFileTypes: true })).filter((it) => it.isFile()).map((it) => it.name);
  const pages = new Map();
  for (const name of names.filter((name) => name.endsWith(".html"))) {
    const html = await readFile(path.join(from, name), "utf8");
    if (html.match(PYTHON_TAG)) pages.set(name, { html, ...read(name, html) });
  }
  if (pages.size === 0) throw new Error(`${from} has no page with <script type="py" src="…" config="….toml">`);

  const packer = await startPacker();
  const configs = new Map();
  const [own, others] = [new Map(), new Map()];
  for (const name of new Set([...pages.values()].flatMap((page) => page.configs))) {
    const config = packer.toml(await readFile(path.join(from, name), "utf8"));
    const taken = await takeFiles(config, from, packer);
    for (const [file, content] of taken.own) own.set(file, content);
    for (const [file, content] of taken.others) if (!LEFT_OUT.test(file)) others.set(file, content);
    configs.set(asJSON(plain(name)), config);
  }
  const named = [...configs.values()].every((config) =>
    Object.values(config.js_modules?.main ?? {}).includes("silent_refresh_bridge"),
  );
  if (named) others.delete(BRIDGE); // then it's a file of the page's
  for (const [file, content] of await pyscriptFiles()) others.set(file, content);

  // Docstrings, assertions and types are what a page doesn't need of the library; of anybody else's code, who knows. Of the
  // page's own the sources are in the archive too, for tracebacks.
  const isOurs = ([file]) => file.startsWith("silent_refresh/");
  const compile = (files, options) => packer.unpack(packer.pack(files, `${HOME}/${ARCHIVE}`, options));
  const ours = compile([...others].filter(isOurs), { optimize: 2, annotated: false });
  const theirs = compile([...others].filter((entry) => !isOurs(entry)));
  const archive = packer.pack([...ours, ...theirs, ...own], `${HOME}/${ARCHIVE}`, { withSources: true });

  await mkdir(to, { recursive: true });
  const vendor = path.join(ROOT, "static", "vendor");
  const folders = await readdir(vendor);
  const vendored = (name) => folders.find((folder) => folder.startsWith(`${name}-`));
  for (const name of ["pyodide", "pyscript"]) {
    await cp(path.join(vendor, vendored(name)), path.join(to, name), { recursive: true, preserveTimestamps: true });
  }
  const core = await readFile(path.join(to, "pyscript", "core.js"), "utf8");
  const modules = ["core.js", /from\s*"\.\/(core-[\w-]+\.js)"/.exec(core)[1]].map((name) => `./pyscript/${name}`);
  const python = await readFile(path.join(ROOT, "static", "python.mjs"), "utf8");
  const archiveScript = await readFile(path.join(ROOT, "tools", "pack", "archive.js"), "utf8");

  const files = new Map([
    [ARCHIVE, archive],
    ["python.mjs", Buffer.from(python.replaceAll(`/static/vendor/${vendored("pyodide")}/`, "./pyodide/"))],
    ["archive.js", Buffer.from(archiveScript.replace(/(PRELUDE_LENGTH = )0/, `$1${(await pyscriptPrelude()).length}`))],
  ]);
  for (const [name, config] of configs) files.set(name, Buffer.from(JSON.stringify(config, null, 2)));
  for (const [name, page] of pages) {
    const own = page.configs.flatMap((file) => Object.keys(configs.get(asJSON(plain(file))).js_modules?.main ?? {}));
    files.set(name, Buffer.from(withHead(page.html, page, [...modules, ...new Set(own)])));
  }
  const packed = new Set([...own.keys(), ...[...configs.keys()].map((name) => name.replace(/\.json$/, ".toml"))]);
  for (const name of names) {
    if (!files.has(name) && !packed.has(name) && !name.endsWith(".whl")) {
      files.set(name, await readFile(path.join(from, name)));
    }
  }
  await write(to, files, packer);
  console.log(`${to}: ${[...pages.keys()].join(", ")}; ${ARCHIVE} has ${Math.round(archive.length / 1000)} kB`);
}

main(...process.argv.slice(2).map((folder) => path.resolve(folder))).catch(({ message }) => {
  console.error(message); // the page's own fault: nobody wants Pyodide's stack
  process.exitCode = 1;
});

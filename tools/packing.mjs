// What both packers need: Python archives that start fast, and files compressed once, here, instead of at each request.
//
// Zstandard first (RFC 8878): browsers keep files in their caches as they came, and unpack them at each start. Its files
// are 4 % larger than brotli's and are unpacked in a third of the time; brotli and gzip are for browsers without it.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const PACKAGES = path.join(ROOT, "node_modules");

// Smaller files gain nothing from compression.
const COMPRESS_FROM = 1024; // bytes

// Compiled by the very Python that will read it. The hash-based, unchecked kind of .pyc holds no time stamp; a fixed
// hash seed keeps the order of sets. A traceback names the line, not the columns of it, which would be a quarter of what
// is transferred. Stored, not deflated: brotli does better on the whole archive.
const PACK = `
import importlib._bootstrap_external as bootstrap
import ast, io, json, tomllib, zipfile
from compression import zstd

def unpack(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        return [(name, source.read(name)) for name in source.namelist() if not name.endswith("/")]

def without_annotations(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
    return tree

def pack(entries, folder, optimize, with_sources, deflated, annotated):
    target = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w") as archive:
        def add(name, content):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, kind, 9)
        for name, content in sorted(entries):
            is_source = name.endswith(".py")
            if is_source:
                text = content if annotated else without_annotations(content)
                code = compile(text, f"{folder}/{name}", "exec", dont_inherit=True, optimize=optimize)
                add(name + "c", bytes(bootstrap._code_to_hash_pyc(code, bytes(8), False)))
            if with_sources or not is_source:
                add(name, content)
    return target.getvalue()

def toml(text):
    return json.dumps(tomllib.loads(text))

def squeeze(content):
    parameter = zstd.CompressionParameter
    return zstd.compress(content, options={parameter.compression_level: 19, parameter.window_log: 23})
`;

/** Starts the page's Python, here in Node, and returns what it does with archives. */
export async function startPacker() {
  const { loadPyodide } = await import(pathToFileURL(path.join(PACKAGES, "pyodide", "pyodide.mjs")));
  const env = { HOME: "/home/pyodide", PYTHONHASHSEED: "0", PYTHONNODEBUGRANGES: "1" };
  const python = await loadPyodide({ env });
  python.runPython(PACK);
  const [unpack, pack, toml, squeeze] = ["unpack", "pack", "toml", "squeeze"].map((name) => python.globals.get(name));
  const bytes = (buffer) => new Uint8Array(buffer); // Node's Buffer is no bytes to Pyodide
  return {
    /** Returns an archive's files: [name, content] pairs. */
    unpack: (archive) => unpack(python.toPy(bytes(archive))).toJs(),

    /**
     * Returns an archive of [name, content] pairs, Python compiled; `folder` is what tracebacks name as its place.
     * `deflated` is for one that nobody compresses on its way. A function that isn't `annotated` doesn't know its types,
     * which a page never asks for, and which are a tenth of what is transferred.
     */
    pack: (entries, folder, { optimize = 0, withSources = false, deflated = false, annotated = true } = {}) => {
      const files = python.toPy(entries.map(([name, content]) => [name, bytes(content)]));
      return Buffer.from(pack(files, folder, optimize, withSources, deflated, annotated).toJs());
    },

    /** Returns what a text in TOML says. */
    toml: (text) => JSON.parse(toml(text)),

    /** Returns content compressed by Zstandard, in the largest window that browsers accept (RFC 9659), 8 MB. */
    zstd: (content) => Buffer.from(squeeze(python.toPy(bytes(content))).toJs()),
  };
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

/** Writes files, a Map from name to content, into a folder, each with a `.zst`, a `.br` and a `.gz` beside it. */
export async function write(folder, files, packer) {
  await mkdir(folder, { recursive: true });
  const jobs = [];
  // First of all: the server takes no compressed file that is older than what it was made from.
  await Promise.all([...files].map(([name, content]) => writeFile(path.join(folder, name), content)));
  for (const [name, content] of files) {
    const target = path.join(folder, name);
    if (content.length < COMPRESS_FROM) continue;
    // zlib works in threads of its own, so these run side by side.
    jobs.push(brotli(content).then((compressed) => writeFile(`${target}.br`, compressed)));
    jobs.push(gzip(content).then((compressed) => writeFile(`${target}.gz`, compressed)));
    jobs.push(writeFile(`${target}.zst`, packer.zstd(content)));
  }
  await Promise.all(jobs);
}

/** Returns the files of the `pyscript` package, which PyScript carries as text: [name, content] pairs. */
export async function pyscriptFiles() {
  const { default: folders } = await import(path.join(PACKAGES, "@pyscript", "core", "src", "stdlib", "pyscript.js"));
  return Object.entries(folders.pyscript).map(([name, text]) => [`pyscript/${name}`, Buffer.from(text)]);
}

/** Returns the Python code that PyScript runs before a page's own. */
export async function pyscriptPrelude() {
  const { stdlib } = await import(path.join(PACKAGES, "@pyscript", "core", "src", "stdlib.js"));
  return stdlib.trim();
}

/** Returns the version of an npm package that is installed. */
export async function versionOf(name) {
  return JSON.parse(await readFile(path.join(PACKAGES, name, "package.json"), "utf8")).version;
}

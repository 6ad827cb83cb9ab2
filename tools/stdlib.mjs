// What of Python's standard library the page does without, and why: a quarter of it, which every first visit would
// fetch and every start unpack. A name stands for a module, or for a package with all that is in it.
//
// tests/e2e/test_standard_library.py imports what is kept and sees that nothing of it needs what is not.

const REMOVED = {
  "for somebody at a terminal, or who builds Python": [
    "__hello__", "__phello__", "_pyrepl", "antigravity", "asyncio.__main__", "asyncio.tools", "bdb", "compileall",
    "ctypes.macholib", "doctest", "fileinput", "json.__main__", "json.tool", "modulefinder", "pdb", "pickletools",
    "py_compile", "pyclbr", "pydoc", "pydoc_data", "sqlite3.__main__", "symtable", "sysconfig.__main__", "tabnanny",
    "this", "trace", "unittest", "zipapp", "zipfile.__main__",
  ],
  "needs another process, or sockets, and a page has neither": [
    "concurrent.futures.interpreter", "concurrent.futures.process", "concurrent.interpreters", "ftplib", "http.server",
    "imaplib", "mailbox", "multiprocessing", "poplib", "pty", "smtplib", "tty", "wsgiref", "xmlrpc",
  ],
  "for other systems": ["asyncio.proactor_events", "asyncio.windows_events", "asyncio.windows_utils", "nturl2path"],
  "written in Python what Pyodide has in C": ["_py_abc", "_pydatetime", "_pyio"],
  // Those of the web (https://encoding.spec.whatwg.org/#names-and-labels) stay, and cp437, which zip files use.
  "encodings that no page on the web is in": [
    "_win_cp_codecs", "cp037", "cp1006", "cp1026", "cp1125", "cp1140", "cp273", "cp424", "cp500", "cp720", "cp737",
    "cp775", "cp850", "cp852", "cp855", "cp856", "cp857", "cp858", "cp860", "cp861", "cp862", "cp863", "cp864", "cp865",
    "cp869", "cp875", "hp_roman8", "koi8_t", "kz1048", "mac_arabic", "mac_croatian", "mac_farsi", "mac_greek",
    "mac_iceland", "mac_latin2", "mac_romanian", "mac_turkish", "mbcs", "oem", "palmos", "ptcp154",
  ].map((name) => `encodings.${name}`),
};

const removed = new Set(Object.values(REMOVED).flat());

/** Tells whether the page gets this file of the standard library's archive, `asyncio/tools.py` say. */
export function isKept(file) {
  const parts = file.replace(/\.py$/, "").split("/");
  return !parts.some((_, index) => removed.has(parts.slice(0, index + 1).join(".")));
}

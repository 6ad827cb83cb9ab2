// Starts PyScript, shows how far it is, and tells in plain words when it can't start.
//
// A page that loads this has four places for it: #boot with #boot-step and #boot-progress, and #fault (hidden) with
// #fault-what, #fault-remedy and #fault-detail. PyScript on its own shows nothing when a part of it is missing.

import { say } from "/static/words.js";

const PYSCRIPT = "/static/vendor/pyscript-0.7.31/core.js";
const PYODIDE = "/static/vendor/pyodide-314.0.7/";
const ARCHIVE = "/home/pyodide/page.zip"; // where pyscript.toml puts it

// What the bar shows: Python's files as they arrive, each with its percentage of the whole start, ...
const ARRIVALS = {
  [`${PYODIDE}pyodide-lock.json`]: 0, // small
  [`${PYODIDE}pyodide.asm.js`]: 10,
  "/static/page/page.zip": 5,
  [`${PYODIDE}python_stdlib.zip`]: 20,
  [`${PYODIDE}pyodide.asm.wasm`]: 35,
};
// ... then where PyScript says that it is: what has passed by then, and our words for it, by their key.
const STEPS = {
  "Loading files": [85, "loading-code"],
  "Loaded files": [90, "starting-page"],
  "Loaded Pyodide": [95, "starting-page"],
};

// PyScript's words for a file that the server refused.
const REFUSALS = [
  /Fetching from URL (?<url>\S+) failed with error (?<status>\d{3})/,
  /\[(?<status>\d{3})\] Unable to fetch (?<url>\S+)/,
];
const FILES = /\.(js|json|mjs|py|toml|wasm|whl|zip)$/; // those that the page can't do without
const LISTED_WITHIN = 250; // ms until the browser lists what became of a request

const byId = (id) => document.getElementById(id);
const arrived = new Set(); // of ARRIVALS
const known = new Set(); // those of which the browser also tells how the server answered; not every one does
let isOver = false; // started, or told why not
let isGuess = false; // what was told: on a busy machine the browser's list may say better later
let isLeaving = false;
let isSuspect = false; // something failed, and what it means is being found out
let startedAt = Infinity; // ms, by the page's clock
let isAnswered = false; // the API gave an answer
let unanswered = null; // a request of the start that the API gave none

/** Shows how far the start is; it never goes back, in whichever order things arrive. */
function show(percentage, key) {
  const bar = byId("boot-progress");
  if (percentage / 100 < bar.value) return;
  bar.value = percentage / 100;
  byId("boot-step").textContent = say(key);
}

function showArrival(path, status) {
  if (!(path in ARRIVALS)) return;
  arrived.add(path);
  if (status) known.add(path);
  const percentage = [...arrived].reduce((sum, it) => sum + ARRIVALS[it], 0);
  show(percentage, arrived.size < Object.keys(ARRIVALS).length ? "loading-python" : "starting-python");
}

function succeed() {
  if (isOver || isSuspect) return;
  isOver = true;
  startedAt = performance.now();
  byId("boot").hidden = true;
  checkAnswers();
}

function fail(reason, what, error, guess = false) {
  if (isOver && !isGuess) return;
  isOver = true;
  isGuess = guess;
  tell(reason, what, error);
}

function tell(reason, what, error) {
  byId("boot").hidden = true;
  byId("fault-what").textContent = what;
  byId("fault-remedy").textContent = say(`remedy-${reason}`);
  byId("fault-detail").textContent = String(error?.message ?? error);
  byId("fault").hidden = false;
}

function tellMissing(url, status) {
  fail("missing", say("not-there", new URL(url, location).pathname), `${status} ${url}`);
}

/** Tells of an error that somebody else raised, as far as one can make out what it means. */
function explain(error) {
  const message = String(error?.message ?? error);
  if (error?.constructor?.name === "PythonError") {
    return fail("broken", say("python-error", message.trimEnd().split("\n").at(-1)), error);
  }
  const refusal = REFUSALS.map((words) => words.exec(message)?.groups).find(Boolean);
  if (refusal) return tellMissing(refusal.url, refusal.status);
  // Most often a file is missing behind it, and the browser's list is about to say which.
  isSuspect = true;
  setTimeout(() => {
    checkArrivals(performance.getEntriesByType("resource"));
    if (/fetch|network|load|import/i.test(message)) fail("unreachable", say("part-not-arrived"), error, true);
    else fail("broken", say("error", message.split("\n")[0]), error, true);
    askForMissing();
  }, LISTED_WITHIN);
}

/** Notes what arrived. Tells of files that don't: PyScript does for some only, and doesn't always say which it was. */
function checkArrivals(entries) {
  for (const { name, responseStatus, startTime, encodedBodySize } of entries) {
    const { origin, pathname } = new URL(name);
    if (origin !== location.origin) continue;
    if (pathname.startsWith("/api/")) {
      isAnswered ||= responseStatus > 0;
      if (responseStatus === 0 && startTime < startedAt) unanswered = name;
    }
    if (!FILES.test(pathname)) continue;
    if (responseStatus >= 400) tellMissing(name, responseStatus);
    else if (responseStatus === 0) fail("unreachable", say("not-arrived", pathname), name);
    else if (encodedBodySize > 0) showArrival(pathname, responseStatus); // 0: it was only asked for
  }
  checkAnswers();
}

/**
 * Asks the server for those of Python's files that may not have arrived: not every browser lists what failed, or
 * how, and of two of them Pyodide tells the console alone.
 */
async function askForMissing() {
  for (const path of Object.keys(ARRIVALS)) {
    if (known.has(path) || (isOver && !isGuess)) continue;
    try {
      const { ok, status } = await fetch(path, { method: "HEAD" });
      if (!ok) tellMissing(path, status);
    } catch (error) {
      fail("unreachable", say("not-arrived", path), error);
    }
  }
}

/** Tells of a page that started, from the browser's cache say, but whose server doesn't answer. */
function checkAnswers() {
  if (startedAt === Infinity || isAnswered || unanswered === null || isLeaving) return;
  tell("unreachable", say("no-answer"), unanswered);
}

new PerformanceObserver((list) => checkArrivals(list.getEntries())).observe({ type: "resource", buffered: true });
// What is still under way when the user leaves is given up; that is no fault.
addEventListener("pagehide", () => {
  isOver = isLeaving = true;
  isGuess = false;
});
addEventListener("unhandledrejection", ({ reason }) => explain(reason));
addEventListener("error", ({ error, message }) => explain(error ?? message));
addEventListener("py:progress", ({ detail }) => detail in STEPS && show(...STEPS[detail]));
addEventListener("py:done", succeed);
byId("boot").addEventListener("animationend", askForMissing); // of the words that it takes long

// PyScript puts the faults of its own configuration on the page, in a box at the end.
new MutationObserver((_, observer) => {
  const box = document.querySelector(".py-error");
  if (box === null) return;
  observer.disconnect();
  box.remove();
  explain(new Error(box.textContent));
}).observe(document.body, { childList: true });

/**
 * Lets Python import from the page's archive, which has PyScript's `pyscript` package compiled. PyScript would run a
 * prelude first that writes the sources of that package, compiles and imports all of it, needed or not.
 */
function usePageArchive(pyodide, prelude) {
  if (!pyodide.FS.analyzePath(ARCHIVE).exists) return;
  pyodide.runPython(`import sys; sys.path.append("${ARCHIVE}"); del sys`);
  const run = pyodide.runPythonAsync;
  pyodide.runPythonAsync = (code, options) => (code.trim() === prelude.trim() ? undefined : run(code, options));
}

async function start() {
  if (typeof WebAssembly !== "object") {
    return fail("unsupported", say("no-webassembly"), "WebAssembly is undefined");
  }
  // PyScript takes markup for code; without what keeps it to the page's own Python it isn't started.
  if (!globalThis[Symbol.for("silent-refresh:own-python")]) throw new Error("Loading own_python.js failed");
  const { hooks, stdlib } = await import(PYSCRIPT);
  // This one default hook, for workers, is compiled with `Function()` even where there are none; without it the page
  // runs under a policy that allows no eval. A page with PyScript workers would need it.
  hooks.worker.onBeforeRunAsync.clear();
  hooks.main.onReady.add(({ interpreter, io }) => {
    usePageArchive(interpreter, stdlib);
    const stderr = io.stderr;
    io.stderr = (first, ...others) => {
      // Text is what Python wrote, a warning maybe; an Error is what stopped it.
      if (first instanceof Error) explain(first);
      stderr(first, ...others);
    };
  });
}

start().catch((error) => {
  console.error(error);
  explain(error);
});

// Lets Lighthouse judge the page that a running browser shows, and prints what it found as JSON:
//
//   {"accessibility": {"score": 100, "faults": []}, "best-practices": {…}}   a fault: "audit: where, where …"
//
// Run by test_demo_lighthouse.py as: node tests/e2e/lighthouse.mjs <port of the browser> snapshot|navigation
// A snapshot takes the page as it stands; a navigation loads it anew and watches that.

import { navigation, snapshot } from "lighthouse";
import puppeteer from "puppeteer-core";

const FLAGS = {
  onlyCategories: ["accessibility", "best-practices"],
  // The page as it is: its size, its speed, its session.
  formFactor: "desktop",
  screenEmulation: { disabled: true },
  throttlingMethod: "provided",
  disableStorageReset: true,
  disableFullPageScreenshot: true,
  logLevel: "error",
};

/** Returns where a fault is: an element, a file of a script, whatever the audit names. */
function place({ node, source, url, description }) {
  return node?.selector ?? source?.url ?? source ?? url ?? description ?? "?";
}

function faultsOf({ auditRefs }, audits) {
  return auditRefs
    .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 1)
    .map(({ id }) => `${id}: ${(audits[id].details?.items ?? []).map(place).join(", ")}`);
}

const [port, mode] = process.argv.slice(2);
const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null });
const [page] = await browser.pages();
const { lhr } = await (mode === "snapshot"
  ? snapshot(page, { flags: FLAGS })
  : navigation(page, page.url(), { flags: FLAGS }));
await browser.disconnect();

const judged = Object.values(lhr.categories).map((category) => [
  category.id,
  { score: Math.round(category.score * 100), faults: faultsOf(category, lhr.audits) },
]);
console.log(JSON.stringify(Object.fromEntries(judged)));
process.exit(); // or a timer of Lighthouse's would keep it here for five seconds more

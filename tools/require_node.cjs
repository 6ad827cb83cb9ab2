// Stops with a clear message when this Node.js is too old. CommonJS, which any version can read.
if (parseInt(process.versions.node, 10) < 20) {
  console.error("silent-refresh needs Node.js 20 or newer; this is " + process.versions.node + ".");
  process.exit(1);
}

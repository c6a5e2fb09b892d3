"use strict";
// What scripts/solc runs. Sources come inside the standard JSON; nothing is read from disk or network.
const path = require("path");

const modules = path.join(__dirname, "..", "node_modules");
const release = require(path.join(modules, "solc", "package.json")).version;
const args = process.argv.slice(2);

function compiler() {
  return require(path.join(modules, "solc"));
}

if (args.includes("--version")) {
  const full = compiler().version(); // 0.8.37+commit.f58eccd9.Emscripten.clang
  if (!full.startsWith(release)) throw new Error(`solc ${release} calls itself ${full}`);
  // Tools expect the name of a native build; the code is the same.
  console.log("solc, the solidity compiler commandline interface");
  console.log("Version: " + full.replace("Emscripten.clang", "Linux.g++"));
} else if (args.includes("--standard-json")) {
  const input = require("fs").readFileSync(0, "utf8");
  const missing = (file) => ({ error: `${file} is not among the given sources` });
  process.stdout.write(compiler().compile(input, { import: missing }));
} else {
  console.error("usage: solc --version | --standard-json");
  process.exitCode = 2;
}

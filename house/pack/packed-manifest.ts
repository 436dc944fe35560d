// The manifest of a packed package: exports for its doors, exact versions, and what is loaded on demand as optional.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { PackedPackage, PackGraph } from "./pack-graph.ts";

/** Loaded on first use, with an error that says what to install: a library does not bring them, the command does. */
const onDemand: readonly string[] = ["koffi", "usb", "@vscode/tree-sitter-wasm", "@drydock/board"];
/** Built into what is packed: no runtime dependency. */
const builtIn: readonly string[] = ["esbuild"];

type Versions = Record<string, string>;

export function packedManifest(
  unit: PackedPackage,
  packages: readonly PackedPackage[],
  graph: PackGraph,
  stage: string,
  deprecated: readonly (readonly [string, string])[],
): Record<string, unknown> {
  const { name, version, description, license, bin } = unit.manifest;
  const inside = [...(graph.inside.get(name) ?? [])].map(([path, file]) => [`inside/${path}`, file] as const);
  const exported: Record<string, unknown> = { "./package.json": "./package.json" };
  for (const [path, file] of [...unit.doors, ...inside].sort(([left], [right]) => (left < right ? -1 : 1)))
    exported[`./${path}`] = placesOf(posix.relative(unit.sources, file).replace(/\.ts$/, ""));
  for (const [from, to] of deprecated)
    exported[`./${from.slice(name.length + 1)}`] = writeDeprecated(stage, unit, from, to);
  const all: Versions = { ...unit.manifest.dependencies, ...unit.manifest.optionalDependencies };
  const asked = unit.manifest.peerDependencies ?? {};
  const used = graph.foreign.get(name) ?? new Set();
  const siblings = packages.filter((other) => other.name !== name && all[other.name] !== undefined);
  for (const foreign of used)
    if (
      all[foreign] === undefined &&
      asked[foreign] === undefined &&
      !builtIn.includes(foreign) &&
      foreign !== "node:sqlite"
    )
      throw new Error(`${name} imports ${foreign}, which its manifest does not name`);
  const isCommand = bin !== undefined;
  const dependencies: Versions = {};
  const optionalDependencies: Versions = {};
  const peers: Versions = { ...asked };
  for (const [foreign, wanted] of Object.entries(all)) {
    if (builtIn.includes(foreign)) continue;
    const sibling = siblings.find((other) => other.name === foreign);
    if (sibling === undefined && foreign.startsWith("@drydock/")) continue;
    const exact = sibling?.manifest.version ?? wanted;
    if (onDemand.includes(foreign) && !isCommand && name !== "@drydock/board-server") peers[foreign] = exact;
    else dependencies[foreign] = exact;
  }
  // The command brings what the library below it only asks for.
  if (isCommand)
    for (const other of packages)
      for (const [foreign, wanted] of Object.entries({
        ...other.manifest.dependencies,
        ...other.manifest.optionalDependencies,
      }))
        if (onDemand.includes(foreign) && !foreign.startsWith("@drydock/")) {
          const isOptional = other.manifest.optionalDependencies?.[foreign] !== undefined;
          (isOptional ? optionalDependencies : dependencies)[foreign] = wanted;
        }
  return {
    name,
    version,
    description,
    license,
    type: "module",
    engines: { node: ">=24" },
    sideEffects: false,
    ...(bin === undefined ? {} : { bin }),
    exports: exported,
    ...(Object.keys(dependencies).length === 0 ? {} : { dependencies: sorted(dependencies) }),
    ...(Object.keys(optionalDependencies).length === 0
      ? {}
      : { optionalDependencies: sorted(optionalDependencies) }),
    ...(Object.keys(peers).length === 0
      ? {}
      : {
          peerDependencies: sorted(peers),
          peerDependenciesMeta: Object.fromEntries(
            Object.keys(sorted(peers)).map((key) => [key, { optional: true }]),
          ),
        }),
  };
}

function placesOf(path: string) {
  return { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` };
}

function sorted(versions: Versions): Versions {
  return Object.fromEntries(Object.entries(versions).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** A door that has moved still leads there, and says so: in an editor, and once where it is loaded. */
function writeDeprecated(stage: string, unit: PackedPackage, from: string, to: string) {
  const target = unit.doors.get(to.slice(unit.name.length + 1));
  if (target === undefined) throw new Error(`house/deprecated-doors.json: ${to} is no door`);
  const old = from.slice(unit.name.length + 1);
  const up = posix.relative(posix.dirname(old), posix.relative(unit.sources, target).replace(/\.ts$/, ".js"));
  const path = up.startsWith(".") ? up : `./${up}`;
  const words = `"${from}" has moved: import "${to}"`;
  mkdirSync(dirname(join(stage, "dist", old)), { recursive: true });
  writeFileSync(
    join(stage, `dist/${old}.js`),
    `// A door that has moved.\nglobalThis.process?.emitWarning?.(${JSON.stringify(words)}, "DeprecationWarning");\nexport * from "${path}";\n`,
  );
  writeFileSync(join(stage, `dist/${old}.d.ts`), `/** @deprecated ${words} */\nexport * from "${path}";\n`);
  return placesOf(old);
}

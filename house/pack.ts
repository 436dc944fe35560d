// npm run pack: stages each package below build/pack with a manifest of its own, and packs from there.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { apiReport, apiReportPath } from "./pack/api-report.ts";
import { emitAll } from "./pack/emit.ts";
import { fileOf, type Manifest, type PackedPackage, packGraph } from "./pack/pack-graph.ts";
import { packedManifest } from "./pack/packed-manifest.ts";
import { packedReadme } from "./pack/packed-readme.ts";
import {
  stageBoardContent,
  stageDextTexts,
  stagePageScript,
  stageProjectTemplates,
} from "./pack/stage-content.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "build/pack");

/** From below to above, as they lean on each other. */
const folders = [
  "packages/core",
  "packages/doctor",
  "packages/board",
  "packages/node",
  "packages/serialport-binding",
  "packages/fixtures",
  "packages/dext",
  "cases",
  "apps/lab",
  "apps/board",
  "apps/cli",
];
/** What is started rather than imported. */
const entries = [
  "apps/cli/src/main.ts",
  "apps/board/src/case-thread.ts",
  "apps/board/src/evidence-thread.ts",
];

interface DoorList {
  readonly [name: string]: readonly string[];
}

function readPackages(): PackedPackage[] {
  const doorList = JSON.parse(readFileSync(join(root, "house/doors.json"), "utf8")) as DoorList;
  return folders.map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
    const { name } = manifest;
    const sources = existsSync(join(root, folder, "src")) ? `${folder}/src` : folder;
    const bare: PackedPackage = { name, folder, sources, manifest, doors: new Map() };
    const paths = doorList[name] ?? [];
    return { ...bare, doors: new Map(paths.map((path) => [path, fileOf(root, bare, path)])) };
  });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function fail(message: string): never {
  console.error(`pack: ${message}`);
  process.exit(1);
}

const everyPackage = readPackages();
const graph = packGraph(root, everyPackage, entries);
/** Without those of which only pages are made, which are built. */
const packages = everyPackage.filter(({ name }) => (graph.files.get(name)?.size ?? 0) > 0);
rmSync(out, { recursive: true, force: true });
const emitted = emitAll(root, join(out, "emitted"), packages, graph);
const deprecated = JSON.parse(readFileSync(join(root, "house/deprecated-doors.json"), "utf8")) as Record<
  string,
  string
>;

for (const unit of packages) {
  const stage = join(out, unit.name.split("/")[1]);
  for (const { path, text } of emitted.get(unit.name) ?? []) write(join(stage, "dist", path), text);
  const old = Object.entries(deprecated).filter(([from]) => from.startsWith(`${unit.name}/`));
  write(
    join(stage, "package.json"),
    `${JSON.stringify(packedManifest(unit, packages, graph, stage, old), null, 2)}\n`,
  );
  write(join(stage, "README.md"), packedReadme(unit));
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  cpSync(join(root, "CHANGELOG.md"), join(stage, "CHANGELOG.md"));
  if (unit.manifest.bin !== undefined)
    cpSync(join(root, unit.folder, "bin"), join(stage, "bin"), { recursive: true });
  if (unit.name === "@drydock/board-server") await stageBoardContent(root, stage, unit.manifest.version);
  if (unit.name === "@drydock/fixtures") await stagePageScript(root, stage);
  if (unit.name === "@drydock/cli") stageProjectTemplates(root, stage);
  if (unit.name === "@drydock/dext") stageDextTexts(root, stage);
}

const isCheck = process.argv.includes("--check");
for (const unit of packages.filter(({ doors }) => doors.size > 0)) {
  const path = join(root, apiReportPath(unit));
  const report = apiReport(unit, join(out, unit.name.split("/")[1]));
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (before === report) continue;
  if (isCheck)
    fail(
      `${apiReportPath(unit)} is not what the doors of ${unit.name} are now; run: npm run pack, look at the change, commit it`,
    );
  write(path, report);
  console.error(`pack: the doors of ${unit.name} have changed: ${apiReportPath(unit)}`);
}

rmSync(join(out, "emitted"), { recursive: true });
const stages = packages.map(({ name }) => join(out, name.split("/")[1]));
const packed = spawnSync(
  process.platform === "win32" ? "npm.cmd" : "npm",
  ["pack", "--silent", "--ignore-scripts", "--pack-destination", out, ...stages],
  { cwd: out, encoding: "utf8", shell: process.platform === "win32" },
);
if (packed.status !== 0) fail(`npm pack: ${packed.error?.message ?? packed.stderr}`);
const archives = readdirSync(out).filter((name) => name.endsWith(".tgz"));
if (archives.length !== packages.length)
  fail(`${packages.length} archives were expected, ${archives.length} came`);
for (const name of archives.sort()) console.log(`build/pack/${name}`);

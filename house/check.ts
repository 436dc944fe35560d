// npm run check: types, walls, lint and format, duplicate facts, unused code. One line per step.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkWalls } from "./walls.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface StepResult {
  readonly ok: boolean;
  readonly text: string;
}

function command(file: string, args: string[]): StepResult {
  const result = spawnSync(process.execPath, [join(root, file), ...args], { cwd: root, encoding: "utf8" });
  return { ok: result.status === 0, text: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** Every project that has sources: rooms may be planned before they are furnished. */
function projects(): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === "node_modules" || entry.name === "build" || entry.name.startsWith(".")) continue;
      if (entry.isDirectory()) visit(join(folder, entry.name));
      else if (/^tsconfig(\.test)?\.json$/.test(entry.name))
        found.push(relative(root, join(folder, entry.name)));
    }
  };
  for (const top of ["packages", "apps", "cases", "perf", "house", "examples"])
    if (existsSync(join(root, top))) visit(join(root, top));
  return found;
}

function walls(): StepResult {
  const findings = checkWalls(root);
  return {
    ok: findings.length === 0,
    text: findings.map(({ file, line, rule, message }) => `${file}:${line} ${rule}: ${message}`).join("\n"),
  };
}

/** A constant that two rooms of core export under one name has two homes. */
function duplicateFacts(): StepResult {
  const homes = new Map<string, string[]>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts")) {
        for (const [, name] of readFileSync(path, "utf8").matchAll(/^export const (\w+)/gm)) {
          homes.set(name, [...(homes.get(name) ?? []), relative(root, path)]);
        }
      }
    }
  };
  visit(join(root, "packages/core/src"));
  const twice = [...homes].filter(([, files]) => files.length > 1);
  return {
    ok: twice.length === 0,
    text: twice.map(([name, files]) => `${name} is defined in ${files.join(" and ")}`).join("\n"),
  };
}

const steps: readonly [string, () => StepResult][] = [
  ["types", () => command("node_modules/typescript/bin/tsc", ["-b", ...projects()])],
  ["walls", walls],
  [
    "lint and format",
    () =>
      command("node_modules/@biomejs/biome/bin/biome", [
        "ci",
        "--colors=off",
        "--diagnostic-level=warn",
        ".",
      ]),
  ],
  ["duplicate facts", duplicateFacts],
  ["unused code", () => command("node_modules/knip/bin/knip.js", ["--no-progress"])],
];

let failed = 0;
for (const [name, step] of steps) {
  const started = performance.now();
  const { ok, text } = step();
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) {
    failed++;
    console.log(text.split("\n").slice(0, 200).join("\n"));
  }
}
process.exitCode = failed === 0 ? 0 : 1;

// npm run check: types, walls, lint and format, duplicate facts, unused code. One line per step.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { checkWalls } from "./walls.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface StepResult {
  readonly ok: boolean;
  readonly text: string;
}

/** A tool of Node's in a process of its own; what Node compiled of it is kept for the next time. */
function command(file: string, args: string[]): Promise<StepResult> {
  const tool = spawn(process.execPath, [join(root, file), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(root, "build/compile-cache") },
  });
  const heard: string[] = [];
  for (const stream of [tool.stdout, tool.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => heard.push(text));
  return new Promise((resolve) => {
    tool.once("error", (error) => resolve({ ok: false, text: error.message }));
    tool.once("close", (status) => resolve({ ok: status === 0, text: heard.join("") }));
  });
}

/** Every project that has sources: rooms may be planned before they are furnished. */
function projects(): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
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

// The three tools run beside each other, and our own two steps while they do: each takes most of a core.
const steps: readonly [string, () => StepResult | Promise<StepResult>][] = [
  ["types", () => command("node_modules/typescript/bin/tsc", ["-b", ...projects()])],
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
  [
    "unused code",
    () =>
      command("node_modules/knip/bin/knip.js", [
        "--no-progress",
        "--cache",
        "--cache-location",
        "build/knip",
      ]),
  ],
  ["walls", walls],
  ["duplicate facts", duplicateFacts],
];

const started = performance.now();
const results = await Promise.all(
  steps.map(async ([name, step]) => {
    const result = await step();
    return { name, ...result, seconds: (performance.now() - started) / 1000 };
  }),
);
for (const { name, ok, text, seconds } of results) {
  console.log(`${ok ? "ok    " : "FAILED"} ${name} (after ${seconds.toFixed(1)} s)`);
  if (!ok) console.log(text.split("\n").slice(0, 200).join("\n"));
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

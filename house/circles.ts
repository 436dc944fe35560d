// Circles of imports: files of which each needs the other. Values never, types only where floors.json says why.

import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Finding } from "./finding.ts";
import type { ImportFound } from "./imports.ts";

/** A circle of types that stays, and why. */
export interface AllowedCircle {
  readonly files: readonly string[];
  readonly why: string;
}

/** So many circles of types may stay in the whole house. */
const allowedMost = 4;

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** `imports` by file, tests left out. */
export function checkCircles(
  root: string,
  imports: ReadonlyMap<string, readonly ImportFound[]>,
  allowed: readonly AllowedCircle[],
  findings: Finding[],
): void {
  const add = (file: string, rule: string, message: string) =>
    findings.push({ file, line: 1, rule, message });
  for (const circle of circlesOf(graphOf(root, imports, true)))
    add(circle[0], "value-circle", `loads itself by way of ${circle.slice(1).join(", ")}`);
  const known = new Map(allowed.map(({ files, why }) => [[...files].sort().join(), why]));
  if (known.size > allowedMost)
    add(
      "house/floors.json",
      "type-circle",
      `${known.size} circles of types are allowed; the most is ${allowedMost}`,
    );
  for (const circle of circlesOf(graphOf(root, imports, false))) {
    if (known.delete(circle.join())) continue;
    add(
      circle[0],
      "type-circle",
      `its types and those of ${circle.slice(1).join(", ")} need each other; move what both need below`,
    );
  }
  for (const files of known.keys())
    add(
      "house/floors.json",
      "type-circle",
      `the circle ${files} is allowed and is not there: take it off the list`,
    );
}

function graphOf(
  root: string,
  imports: ReadonlyMap<string, readonly ImportFound[]>,
  valuesOnly: boolean,
): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [file, found] of imports) {
    const targets = new Set<string>();
    for (const { specifier, loads } of found) {
      if (valuesOnly && !loads) continue;
      const target = targetOf(root, file, specifier);
      if (target !== null && imports.has(target)) targets.add(target);
    }
    graph.set(file, targets);
  }
  return graph;
}

const doorsOfPackages: Readonly<Record<string, string>> = {
  "@drydock/core/": "packages/core/src/",
  "@drydock/dext/": "packages/dext/src/",
  "@drydock/doctor/": "packages/doctor/src/",
  "@drydock/node/": "packages/node/src/",
  "@drydock/cases/": "cases/",
};

function targetOf(root: string, file: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return normalize(join(dirname(file), specifier));
  for (const [prefix, folder] of Object.entries(doorsOfPackages)) {
    const path = `${folder}${specifier.slice(prefix.length)}.ts`;
    if (specifier.startsWith(prefix) && existsSync(join(root, path))) return path;
  }
  return null;
}

/** Strongly connected parts of more than one file (Tarjan 1972), each in alphabetical order. */
function circlesOf(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.size - 1);
    stack.push(file);
    onStack.add(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (onStack.has(target)) low.set(file, Math.min(low.get(file) as number, low.get(target) as number));
    }
    if (low.get(file) !== order.get(file)) return;
    const part: string[] = [];
    for (let member = ""; member !== file; ) {
      member = stack.pop() as string;
      onStack.delete(member);
      part.push(member);
    }
    if (part.length > 1) circles.push(part.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

// The walls: what the compiler cannot check about a source tree. Data in floors.json, findings out.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { type AllowedCircle, checkCircles } from "./circles.ts";
import { checkDoors } from "./doors.ts";
import type { Finding } from "./finding.ts";
import { foldersIn } from "./folders.ts";
import { type ImportFound, readSource } from "./imports.ts";
import { buildRulePage, ruleFiles, rulesFolder } from "./rule-list.ts";

interface PackageWall {
  readonly may: readonly string[];
  /** Rooms of core that it may use; all when left out. */
  readonly rooms?: readonly string[];
  /** Runs where core runs: neither Node's modules nor the wall clock. */
  readonly anyJavaScript?: boolean;
}

interface Floors {
  readonly core: string;
  readonly rooms: Readonly<Record<string, { readonly floor: number; readonly may: readonly string[] }>>;
  readonly families: Readonly<Record<string, readonly string[]>>;
  readonly packages: Readonly<Record<string, PackageWall>>;
  /** Rooms inside a package, from the lowest floor up; those of one floor never import each other. */
  readonly inside: Readonly<Record<string, readonly (readonly string[])[]>>;
  readonly circles: readonly AllowedCircle[];
  readonly testOnly: readonly string[];
}

const longestFile = 800;
const forbiddenNames = ["utils", "common", "helpers", "types", "manager"];
/** Time, chance and the host's ways of ordering work: arguments in core, never globals (design.md law 2). */
const wallClock =
  /\b(Date\.now|new Date\b|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|queueMicrotask|process\.(?:hrtime|nextTick|env)|requestAnimationFrame)\b/g;

/** Checks the tree below `root`. */
export function checkWalls(root: string): Finding[] {
  const floors = JSON.parse(readFileSync(join(root, "house/floors.json"), "utf8")) as Floors;
  const findings: Finding[] = [];
  const imports = new Map<string, readonly ImportFound[]>();
  for (const file of sourceFiles(root)) {
    const found = checkFile(root, file, floors, findings);
    if (!isTestFile(file)) imports.set(file, found);
  }
  checkCircles(root, imports, floors.circles, findings);
  checkReferences(root, floors, findings);
  checkFolders(root, floors, findings);
  checkRules(root, findings);
  checkDoors(root, findings);
  for (const file of pages(root)) checkPlaceholders(file, readFileSync(join(root, file), "utf8"), findings);
  return findings;
}

function sourceFiles(root: string): string[] {
  return filesOf(root, (name) => name.endsWith(".ts") || name.endsWith(".mjs"));
}

function pages(root: string): string[] {
  return filesOf(root, (name) => name.endsWith(".md"));
}

function filesOf(root: string, accept: (name: string) => boolean): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (["node_modules", "templates"].includes(entry.name) || entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (accept(entry.name)) found.push(relative(root, path));
    }
  };
  for (const top of ["packages", "apps", "cases", "perf", "house", "examples"]) {
    if (existsSync(join(root, top))) visit(join(root, top));
  }
  return found;
}

/** Tests, and what only they use. */
function isTestFile(file: string): boolean {
  return file.endsWith(".test.ts") || file.includes("/test/");
}

/** What it imports. */
function checkFile(root: string, file: string, floors: Floors, findings: Finding[]): readonly ImportFound[] {
  const text = readFileSync(join(root, file), "utf8");
  const add = (line: number, rule: string, message: string) => findings.push({ file, line, rule, message });
  const lines = text.split("\n");
  const first = lines[0].startsWith("#!") ? lines[1] : lines[0];
  if (!first.startsWith("// ") || first.length > 120)
    add(1, "first-line", "the first line says what the file is");
  if (lines.length > longestFile && !/one file because/.test(first)) {
    add(
      longestFile,
      "long-file",
      `${lines.length} lines; split it, or say on the first line "one file because ..."`,
    );
  }
  for (const part of file.split("/")) {
    if (forbiddenNames.includes(part.replace(/\.[^.]*$/, "")))
      add(1, "vague-name", `"${part}" says nothing about what it knows`);
  }
  const { imports, code } = readSource(text);
  const isTest = isTestFile(file);
  checkPlaceholders(file, text, findings);
  if (!isTest) checkPlace(file, floors, findings);
  const room = roomOf(file, floors);
  for (const { specifier, line } of imports) {
    const problem =
      room === null
        ? judgePackage(file, specifier, floors, isTest)
        : judgeRoom(file, room, specifier, floors, isTest);
    const inner = isTest ? null : judgeInside(file, specifier, floors);
    if (problem !== null) add(line, problem[0], problem[1]);
    if (inner !== null) add(line, inner[0], inner[1]);
  }
  const isPure = room !== null || packageOf(file, floors)?.anyJavaScript === true;
  if (!isPure || isTest) return imports;
  for (const match of code.matchAll(wallClock)) {
    add(
      code.slice(0, match.index).split("\n").length,
      "wall-clock",
      `${match[1]} in core: time and chance are arguments`,
    );
  }
  return imports;
}

/** Sentences of the recipes that ask for a sentence. */
const placeholder =
  /\b[Ss]ay in one (?:sentence|line)\b|\bSay (?:what is wrong, in one line|why it happens|what to do|what this means for)\b|\bName the (?:datasheet|protocol)[^.\n]* here\b|\bTell the story: what the person tried|\bname a source that anybody can read\b/;

function checkPlaceholders(file: string, text: string, findings: Finding[]): void {
  if (file.startsWith("house/")) return;
  const match = placeholder.exec(text);
  if (match === null) return;
  const line = text.slice(0, match.index).split("\n").length;
  findings.push({ file, line, rule: "placeholder", message: `"${match[0]}" asks for a sentence of yours` });
}

function innerHouse(file: string, floors: Floors): string | undefined {
  return Object.keys(floors.inside).find((folder) => file.startsWith(`${folder}/`));
}

/** Every room inside a package has a floor. */
function checkPlace(file: string, floors: Floors, findings: Finding[]): void {
  const house = innerHouse(file, floors);
  if (house === undefined || innerFloor(file, house, floors) !== null) return;
  const message = `${innerRoom(file, house)} has no floor inside ${house}; see house/floors.json`;
  findings.push({ file, line: 1, rule: "unplaced-room", message });
}

/** The walls inside a package, by `inside` of floors.json. */
function judgeInside(file: string, specifier: string, floors: Floors): [string, string] | null {
  const house = innerHouse(file, floors);
  if (house === undefined || !specifier.startsWith(".")) return null;
  const own = innerFloor(file, house, floors);
  if (own === null) return null;
  const target = normalize(join(dirname(file), specifier));
  if (!target.startsWith(`${house}/`) || innerRoom(target, house) === innerRoom(file, house)) return null;
  const other = innerFloor(target, house, floors);
  if (other === null || other < own) return null;
  return [
    "inner-import",
    `${innerRoom(file, house)} may not import ${innerRoom(target, house)}: inside ${house} it lies above or beside it`,
  ];
}

/** The first folder below the house, or the file itself. */
function innerRoom(file: string, house: string): string {
  return file
    .slice(house.length + 1)
    .split("/")[0]
    .replace(/\.ts$/, "");
}

function innerFloor(file: string, house: string, floors: Floors): number | null {
  const room = innerRoom(file, house);
  const floor = floors.inside[house].findIndex((rooms) => rooms.includes(room));
  return floor < 0 ? null : floor;
}

function roomOf(file: string, floors: Floors): string | null {
  if (!file.startsWith(`${floors.core}/`)) return null;
  const room = file.slice(floors.core.length + 1).split("/")[0];
  return room in floors.rooms ? room : null;
}

function judgeRoom(
  file: string,
  room: string,
  specifier: string,
  floors: Floors,
  isTest: boolean,
): [string, string] | null {
  if (!specifier.startsWith(".")) {
    if (
      isTest &&
      (specifier.startsWith("node:") || floors.testOnly.some((name) => specifier.startsWith(name)))
    )
      return null;
    return ["third-party", `core imports "${specifier}"; core has no dependencies`];
  }
  const target = normalize(join(dirname(file), specifier));
  const other = roomOf(target, floors);
  if (other === null) return ["outside", `${specifier} leads out of core's rooms`];
  if (isTest) return null;
  if (other === room) return room === "families" ? judgeFamily(file, target, floors) : null;
  if (floors.rooms[room].may.includes(other)) return null;
  const up = floors.rooms[other].floor >= floors.rooms[room].floor;
  return [up ? "upward-import" : "skipped-floor", `${room} may not import ${other}`];
}

function judgeFamily(file: string, target: string, floors: Floors): [string, string] | null {
  const family = (path: string) => path.slice(`${floors.core}/families/`.length).split("/")[0];
  const [own, other] = [family(file), family(target)];
  if (own === other || (floors.families[own] ?? []).includes(other)) return null;
  return ["family-import", `family ${own} may not import family ${other}`];
}

function judgePackage(
  file: string,
  specifier: string,
  floors: Floors,
  isTest: boolean,
): [string, string] | null {
  const owner = Object.keys(floors.packages).find((folder) => file.startsWith(`${folder}/`));
  if (owner === undefined || isTest) return null;
  const wall = floors.packages[owner];
  if (wall.anyJavaScript === true && specifier.startsWith("node:"))
    return ["host-import", `${owner} imports "${specifier}"; it runs in any JavaScript`];
  if (!specifier.startsWith("@drydock/")) return null;
  const [scope, base, room] = specifier.split("/");
  const name = `${scope}/${base}`;
  if (!wall.may.includes(name)) return ["package-import", `${owner} may not import ${name}`];
  if (name === "@drydock/core" && wall.rooms !== undefined && !wall.rooms.includes(room))
    return ["skipped-floor", `${owner} may not import core's ${room}`];
  return null;
}

function packageOf(file: string, floors: Floors): PackageWall | undefined {
  const owner = Object.keys(floors.packages).find((folder) => file.startsWith(`${folder}/`));
  return owner === undefined ? undefined : floors.packages[owner];
}

/** The compiler's wall and the data must say the same. */
function checkReferences(root: string, floors: Floors, findings: Finding[]): void {
  for (const [room, { may }] of Object.entries(floors.rooms)) {
    const file = `${floors.core}/${room}/tsconfig.json`;
    if (!existsSync(join(root, file))) continue;
    const config = JSON.parse(readFileSync(join(root, file), "utf8")) as { references?: { path: string }[] };
    const references = (config.references ?? []).map(({ path }) => path.replace("../", "")).sort();
    if (references.join() !== [...may].sort().join()) {
      findings.push({
        file,
        line: 1,
        rule: "references",
        message: `references are ${references.join()}, floors.json says ${[...may].sort().join()}`,
      });
    }
  }
}

/** What a complete folder holds. */
const complete: Readonly<Record<string, (name: string) => string[]>> = {
  devices: (name) => [`${name}-device.ts`, `${name}-device.test.ts`, "README.md"],
  drivers: (name) => [`${name}-driver.ts`, `${name}-driver.test.ts`, "README.md"],
};

function checkFolders(root: string, floors: Floors, findings: Finding[]): void {
  const need = (folder: string, files: string[], kind: string) => {
    for (const name of files) {
      if (existsSync(join(root, folder, name))) continue;
      findings.push({ file: folder, line: 1, rule: `incomplete-${kind}`, message: `${name} is missing` });
    }
  };
  for (const [room, files] of Object.entries(complete)) {
    for (const name of foldersIn(join(root, floors.core, room)))
      need(`${floors.core}/${room}/${name}`, files(name), room.slice(0, -1));
  }
  for (const name of foldersIn(join(root, "cases"))) {
    if (!/^P\d\d-/.test(name)) continue;
    need(
      `cases/${name}`,
      ["README.md", "bad-driver.ts", "good-driver.ts", "case.ts", "case.test.ts"],
      "case",
    );
  }
}

/** A rule of the doctor is three siblings; its page says what the rule says, and has a sample. */
function checkRules(root: string, findings: Finding[]): void {
  for (const rule of ruleFiles(root)) {
    const folder = join(root, rulesFolder, rule.kind);
    const file = `${rulesFolder}/${rule.kind}/${rule.name}.ts`;
    for (const sibling of [`${rule.name}.test.ts`, `${rule.name}.md`]) {
      if (existsSync(join(folder, sibling))) continue;
      findings.push({ file, line: 1, rule: "incomplete-rule", message: `${sibling} is missing` });
    }
    if (!existsSync(join(folder, `${rule.name}.md`))) continue;
    const page = readFileSync(join(folder, `${rule.name}.md`), "utf8");
    if (page === buildRulePage(root, rule) && /^## Seen as\n\n(?!## )/m.test(page)) continue;
    findings.push({
      file,
      line: 1,
      rule: "rule-page",
      message:
        page === buildRulePage(root, rule)
          ? `${rule.name}.md has no sample under "Seen as"`
          : `${rule.name}.md does not say what the rule says; run: npm run new -- catalogue`,
    });
  }
}

// The doors: what people outside may import; their page, and the check that recipes use nothing else.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import type { Finding } from "./finding.ts";
import { foldersIn } from "./folders.ts";
import { readSource } from "./imports.ts";

export const doorsPath = "docs/doors.md";

type Doors = Readonly<Record<string, readonly string[]>>;

function readDoors(root: string): Doors {
  return JSON.parse(readFileSync(join(root, "house/doors.json"), "utf8")) as Doors;
}

/** What a room's doors are for. */
const rooms: Readonly<Record<string, string>> = {
  base: "IOReturns, units, seeds, clocks, errors",
  codec: "descriptors, SETUP packets, HID reports, pcapng",
  ports: "the contracts and their lists of checks",
  platform: "profiles of systems, matching, properties, log rows",
  runtime: "what a driver subclasses and calls; the machine",
  families: "Apple's frameworks",
  devices: "models, and what a model of yours extends",
  drivers: "drivers of ours, and their bundles",
  faults: "faults by rule, by seed, by mutation",
  trace: "recording, text, pcapng, the first difference",
  transports: "how hardware comes in",
  outlets: "how services go out",
  rigs: "machines with something plugged in",
  trials: "scenarios, campaigns, proofs",
};

/** Where each room's example is (`examples/doors.test.ts` runs all of them). */
const exampleFolder = "examples/doors";

/** An example's first line as the sentence above it, then its code, with what it prints. */
function exampleOf(root: string, room: string): string[] {
  const path = join(root, exampleFolder, `${room}.ts`);
  if (!existsSync(path)) return [];
  const [first, ...rest] = readFileSync(path, "utf8").trimEnd().split("\n");
  return [first.replace(/^\/\/ /, ""), "", "```ts", ...rest.slice(rest[0] === "" ? 1 : 0), "```", ""];
}

export function buildDoorsPage(root: string): string {
  const { "@drydock/core": core, ...others } = readDoors(root);
  const list = (paths: readonly string[]) => paths.map((path) => `\`${path}\``).join(", ");
  const sections = Object.entries(rooms).flatMap(([room, purpose]) => {
    const paths = core
      .filter((path) => path.startsWith(`${room}/`))
      .map((path) => path.slice(room.length + 1));
    return paths.length === 0
      ? []
      : [`## \`@drydock/core/${room}\`: ${purpose}`, "", list(paths), "", ...exampleOf(root, room)];
  });
  return [
    "# Doors",
    "",
    "What people outside this repository may import. Everything else is internal: it may move in any version. `house/doors.json` holds this",
    "list; README, examples and recipes use nothing else, and an export of another file must have a user inside (`npm run check` refuses",
    "both). `npm run pack` packs exactly these; `docs/api/` says what each declares. The examples lie in `examples/doors/` and are run by",
    "`npm run test:unit -- examples/doors`; the logger that some of them use is in `examples/` too.",
    "",
    ...sections,
    ...Object.entries(others).flatMap(([name, paths]) => [
      `## \`${name}\``,
      "",
      list(paths),
      "",
      ...exampleOf(root, name.split("/")[1]),
    ]),
  ].join("\n");
}

/** Every door is there, the page says what the list says, and who shows people how to begin goes through doors only. */
export function checkDoors(root: string, findings: Finding[]): void {
  const doors = readDoors(root);
  const add = (file: string, line: number, message: string) =>
    findings.push({ file, line, rule: "door", message });
  const core = new Set(doors["@drydock/core"]);
  for (const room of [...Object.keys(rooms), ...Object.keys(doors).map((name) => name.split("/")[1])]) {
    const hasDoors =
      room !== "core" && (rooms[room] === undefined || [...core].some((path) => path.startsWith(`${room}/`)));
    if (hasDoors && exampleOf(root, room).length === 0)
      add(`${exampleFolder}/${room}.ts`, 1, "a room with doors needs an example that its page shows");
  }
  for (const path of core) {
    if (!existsSync(join(root, `packages/core/src/${path}.ts`)))
      add("house/doors.json", 1, `there is no core/${path}`);
  }
  const page = existsSync(join(root, doorsPath)) ? readFileSync(join(root, doorsPath), "utf8") : "";
  if (page !== buildDoorsPage(root))
    add(doorsPath, 1, "the page is not what the list says; run: npm run new -- catalogue");
  const judge = (file: string, specifier: string, line: number): void => {
    const [scope, name, ...rest] = specifier.split("/");
    const known = doors[`${scope}/${name}`];
    if (known === undefined || known.includes(rest.join("/"))) return;
    add(file, line, `"${specifier}" is no door; see ${doorsPath}`);
  };
  for (const { file, text } of beginnings(root))
    for (const { specifier, line } of readSource(text).imports) judge(file, specifier, line);
  for (const { file, text, folder } of recipes(root)) {
    for (const { specifier, line } of readSource(text).imports) {
      const path = normalize(join(folder, specifier)).replace(/\.ts$/, "");
      if (specifier.startsWith("@")) judge(file, specifier, line);
      else if (
        specifier.startsWith("../") &&
        path.includes("/") &&
        !path.startsWith("..") &&
        !isOwnRoom(path, folder) &&
        !core.has(path)
      )
        add(file, line, `"${path}" is no door of core; see ${doorsPath}`);
    }
  }
}

/** What lies in the recipe's own room is not outside: siblings, and what is made with it. */
function isOwnRoom(path: string, folder: string): boolean {
  const [room] = folder.split("/");
  return path.startsWith(`${room}/`) || path.includes("__name__");
}

/** What a newcomer copies: the examples, and the code in README. */
function beginnings(root: string): { file: string; text: string }[] {
  const found: { file: string; text: string }[] = [];
  for (const folder of ["examples", exampleFolder])
    for (const name of existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : []) {
      if (name.endsWith(".ts"))
        found.push({ file: `${folder}/${name}`, text: readFileSync(join(root, folder, name), "utf8") });
    }
  const readme = join(root, "README.md");
  if (!existsSync(readme)) return found;
  for (const [, code] of readFileSync(readme, "utf8").matchAll(/```ts\n([\s\S]*?)```/g))
    found.push({ file: "README.md", text: code });
  return found;
}

/** Recipes of core, with the folder that their imports start from; those of cases import by package, commands have no doors. */
function recipes(root: string): { file: string; text: string; folder: string }[] {
  const templates = join(root, "house/templates");
  return foldersIn(templates)
    .filter((kind) => kind !== "rule" && kind !== "command")
    .flatMap((kind) =>
      readdirSync(join(templates, kind))
        .filter((name) => name.endsWith(".ts.template"))
        .map((name) => ({
          file: `house/templates/${kind}/${name}`,
          text: readFileSync(join(templates, kind, name), "utf8"),
          folder: ["port", "fault", "trial"].includes(kind) ? `${kind}s` : `${kind}s/new`,
        })),
    );
}

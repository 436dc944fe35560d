// npm run new: makes a complete, passing folder for a device, driver, transport or case.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDescriptions } from "../packages/dext/src/frameworks/description-files.ts";
import { buildCoveragePage } from "../packages/dext/src/generate/coverage-page.ts";
import { describedFrameworks } from "../packages/dext/src/generate/frameworks.ts";
import { sampleKey } from "../packages/doctor/src/test/sample-key.ts";
import { buildCatalogue, cataloguePath } from "./catalogue.ts";
import { buildDoorsPage, doorsPath } from "./doors.ts";
import {
  buildRuleList,
  buildRulePage,
  ruleFiles,
  ruleListPath,
  rulesFolder,
  ruleVariable,
  shortListPath,
} from "./rule-list.ts";

const house = dirname(fileURLToPath(import.meta.url));

const usage = `usage: npm run new -- device|driver|transport|outlet|port|fault|trial|command NAME
       npm run new -- case P07-short-name
       npm run new -- rule user-client/no-access-key DR20-1
       npm run new -- catalogue
NAME is lower case with hyphens, for example ch340.`;

const core = "packages/core/src";

/** Where each file of a kind lies. A device, driver, transport, outlet or case is a folder; the others are siblings in a room. */
const kinds: Readonly<Record<string, (name: string, file: string) => string>> = {
  device: (name, file) => `${core}/devices/${name}/${file}`,
  driver: (name, file) => `${core}/drivers/${name}/${file}`,
  transport: (name, file) => `${core}/transports/${name}/${file}`,
  outlet: (name, file) => `${core}/outlets/${name}/${file}`,
  port: (_name, file) => `${core}/ports/${file}`,
  fault: (_name, file) => `${core}/faults/${file}`,
  trial: (_name, file) => `${core}/trials/${file}`,
  command: (_name, file) =>
    file.includes(".action.")
      ? `apps/cli/src/actions/${file.replace(".action.", ".")}`
      : `apps/cli/src/commands/${file}`,
  case: (name, file) => `cases/${name}/${file}`,
};

/** What is left to do by hand. */
const nextSteps: Readonly<Record<string, string>> = {
  case: "add it to cases/casebook.ts and to cases/case-doors.ts",
  command: "add its row to apps/cli/src/command-table.ts",
  device: "give it a row in packages/core/src/rigs/catalogue.ts",
  driver: "give it a row in packages/core/src/rigs/catalogue.ts",
  fault: "give it to a rig as `middleware`",
  outlet: "give it a command",
  port: "implement it in two rooms that do not know each other",
  rule: "write the rule, its samples and its page",
  transport: "add a bench for it to packages/core/src/trials/transport-benches.ts",
  trial: "say what it proves in README",
};

/** `ch-340` -> `Ch340`. */
function className(name: string): string {
  return name.replace(/(^|-)([a-z0-9])/g, (_match, _hyphen, letter: string) => letter.toUpperCase());
}

/**
 * Makes the files below `root` and answers them. A driver drives the device of its own name, which is made with it when
 * there is none. Throws with a sentence that says what to do.
 */
export function makeNew(root: string, kind: string, name: string, id = ""): string[] {
  if (kind === "rule") return makeRule(root, name, id);
  const placeOf = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (placeOf === undefined) throw new Error(`there is no recipe for "${kind}"\n${usage}`);
  const pattern = kind === "case" ? /^P\d\d(-[a-z0-9]+)+$/ : /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
  if (!pattern.test(name)) throw new Error(`"${name}" is no name for a ${kind}\n${usage}`);
  const templates = join(house, "templates", kind);
  const short = kind === "case" ? name.slice(4) : name;
  const files = readdirSync(templates)
    .sort()
    .map(
      (file) => [file, placeOf(name, file.replace("__name__", short).replace(/\.template$/, ""))] as const,
    );
  for (const [, target] of files) {
    // The page of a folder that is there may be its author's: nothing is written over.
    if (existsSync(join(root, target))) throw new Error(`${target} is there already`);
  }
  const written =
    kind === "driver" && !existsSync(join(root, kinds.device(name, `${name}-device.ts`)))
      ? makeNew(root, "device", name)
      : [];
  for (const [file, target] of files) {
    const text = readFileSync(join(templates, file), "utf8")
      .replaceAll("__name__", short)
      .replaceAll("__folder__", name)
      .replaceAll("__Name__", className(short))
      .replaceAll("__id__", name.slice(0, 3))
      .replaceAll(
        "__variable__",
        className(short).replace(/^./, (letter) => letter.toLowerCase()),
      );
    mkdirSync(dirname(join(root, target)), { recursive: true });
    writeFileSync(join(root, target), text);
    written.push(target);
  }
  return written;
}

/** What is true of each rule's samples; the recipe's own sample is entered with it. */
const truthsPath = "packages/doctor/src/test/truths.json";

/**
 * A rule is three siblings in the folder of its kind, named after what it finds, a line in the list of rules, and what is
 * true of its sample in the table of the cross test.
 */
function makeRule(root: string, name: string, id: string): string[] {
  const match = /^([a-z][a-z-]*)\/([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/.exec(name);
  if (match === null || !/^(?:DR\d\d|NT|IO|FX)-[A-Z0-9-]+$/.test(id))
    throw new Error(`"${name} ${id}" is no name and id for a rule\n${usage}`);
  const [, kind, file] = match;
  const folder = `${rulesFolder}/${kind}`;
  if (existsSync(join(root, folder, `${file}.ts`))) throw new Error(`${folder}/${file}.ts is there already`);
  if (ruleFiles(root).some((rule) => rule.id === id)) throw new Error(`the id ${id} is there already`);
  mkdirSync(join(root, folder), { recursive: true });
  const templates = join(house, "templates", "rule");
  const written = readdirSync(templates)
    .sort()
    .map((template) => {
      const target = join(folder, template.replace("__file__", file).replace(/\.template$/, ""));
      const text = readFileSync(join(templates, template), "utf8")
        .replaceAll("__file__", file)
        .replaceAll("__id__", id)
        .replaceAll("__variable__", ruleVariable(file));
      writeFileSync(join(root, target), text);
      return target;
    });
  const table = join(root, truthsPath);
  const truth = [`${id} ${sampleKey({ "log.txt": `${id} evidence: x` })}`, [`${id} seen @log.txt`]] as const;
  writeFileSync(
    table,
    readFileSync(table, "utf8").replace(
      "{\n",
      `{\n  ${JSON.stringify(truth[0])}: ${JSON.stringify(truth[1])},\n`,
    ),
  );
  writeRules(root);
  return written;
}

/** The list of rules and the part of each page that is made. */
function writeRules(root: string): void {
  writeFileSync(join(root, ruleListPath), buildRuleList(root));
  writeFileSync(join(root, shortListPath), buildRuleList(root, false));
  for (const rule of ruleFiles(root))
    writeFileSync(join(root, rulesFolder, rule.kind, `${rule.name}.md`), buildRulePage(root, rule));
}

function main(): void {
  const [kind, name, id] = process.argv.slice(2);
  const root = join(house, "..");
  if (kind === "catalogue") {
    const frameworks = describedFrameworks(readDescriptions());
    writeFileSync(join(root, "docs/dext-frameworks.md"), buildCoveragePage(frameworks, null));
    writeRules(root);
    writeFileSync(join(root, cataloguePath), buildCatalogue(root));
    writeFileSync(join(root, doorsPath), buildDoorsPage(root));
    console.log(`${cataloguePath}, ${doorsPath}, ${ruleListPath} and the pages of rules are up to date`);
    return;
  }
  if (kind === undefined || name === undefined) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  try {
    for (const file of makeNew(root, kind, name, id)) console.log(`made ${file}`);
    writeFileSync(join(root, cataloguePath), buildCatalogue(root));
    const word = kind === "rule" ? name.split("/")[1] : name;
    console.log(
      `next: ${nextSteps[kind]}, write the sentences that npm run check asks for, then: npm run test:unit -- ${word}`,
    );
  } catch (error) {
    console.error(`drydock: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

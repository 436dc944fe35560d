// The doctor's rules as files: rules/<kind>/<what it finds>.ts with the id inside; the list made from them.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foldersIn } from "./folders.ts";

export const rulesFolder = "packages/doctor/src/rules";
export const ruleListPath = `${rulesFolder}/all-rules.ts`;
/** For scripts of pages that have no C++ reader: what reads with it has nothing to say there. */
export const shortListPath = `${rulesFolder}/rules-without-reader.ts`;
const readersKind = "source";

export interface RuleFile {
  /** "user-client" */
  readonly kind: string;
  /** "no-access-key" */
  readonly name: string;
  /** "noAccessKey", what the file exports. */
  readonly variable: string;
  /** "DR20-1" */
  readonly id: string;
  readonly title: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly certainty: string;
  readonly source: string;
  readonly who: string;
}

/** `queue-names-collide` -> `queueNamesCollide`. */
export function ruleVariable(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

const literal = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

/** The literals of a field of the rule, as text. */
function field(code: string, name: string): string[] {
  const at = code.search(new RegExp(`^ {2}${name}:`, "m"));
  if (at < 0) return [];
  const rest = code.slice(at);
  const end = rest.slice(3).search(/^ {2}[\w(]+/m);
  const value = end < 0 ? rest : rest.slice(0, end + 3);
  return [...value.matchAll(literal)].map(([text]) =>
    text
      .slice(1, -1)
      .replace(/\\u\{?([0-9a-f]+)\}?/gi, (_match, digits: string) =>
        String.fromCodePoint(Number.parseInt(digits, 16)),
      )
      .replace(/\\(.)/g, "$1"),
  );
}

/** What is no rule has no id at the place where a rule has it. */
export function ruleFiles(root: string): RuleFile[] {
  const found: RuleFile[] = [];
  for (const kind of foldersIn(join(root, rulesFolder))) {
    for (const file of readdirSync(join(root, rulesFolder, kind))) {
      const name = /^([a-z][a-z0-9-]*)\.ts$/.exec(file)?.[1];
      if (name === undefined) continue;
      const code = readFileSync(join(root, rulesFolder, kind, file), "utf8");
      const [id] = field(code, "id");
      if (id === undefined) continue;
      const one = (key: string) => field(code, key)[0] ?? "";
      found.push({
        kind,
        name,
        variable: ruleVariable(name),
        id,
        title: one("title"),
        why: one("why"),
        fix: field(code, "fix"),
        certainty: one("certainty"),
        source: one("source"),
        who: one("who"),
      });
    }
  }
  return found.sort((left, right) => left.id.localeCompare(right.id, "en", { numeric: true }));
}

/** What all-rules.ts should say for the tree below `root`, or rules-without-reader.ts. */
export function buildRuleList(root: string, hasReader = true): string {
  const files = ruleFiles(root).filter(({ kind }) => hasReader || kind !== readersKind);
  const imports = files.map(
    ({ kind, name, variable }) => `import { ${variable} } from "./${kind}/${name}.ts";`,
  );
  imports.push('import type { Rule } from "./rule.ts";');
  // The order in which a formatter sorts imports: by path.
  imports.sort((left, right) => {
    const path = (line: string) => line.slice(line.indexOf("from"));
    return path(left).localeCompare(path(right), "en", { numeric: true });
  });
  return [
    `// ${hasReader ? "Every rule there is" : "Rules that need no C++ reader"}. Made by \`npm run new -- catalogue\` from the folders; not edited by hand.`,
    "",
    ...imports,
    "",
    "/** In the order of their ids. */",
    "export const allRules: readonly Rule[] = [",
    ...files.map(({ variable }) => `  ${variable},`),
    "];",
    "",
  ].join("\n");
}

const samples = "## Seen as";
const steps = "## What to do";

/** The page of a rule for `root`: text of the rule round the samples that were written by hand. */
export function buildRulePage(root: string, rule: RuleFile): string {
  const path = join(root, rulesFolder, rule.kind, `${rule.name}.md`);
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const from = before.indexOf(`${samples}\n`);
  const to = before.indexOf(`\n${steps}\n`);
  // Indentation is code: only empty lines are taken off.
  const written =
    from < 0 ? "" : before.slice(from + samples.length, to < from ? undefined : to).replace(/^\n+|\s+$/g, "");
  return [
    `# ${rule.id}: ${rule.title}`,
    "",
    'Made from the rule by `npm run new -- catalogue`; written by hand is only what stands under "Seen as".',
    "",
    rule.why,
    "",
    samples,
    "",
    written,
    "",
    steps,
    "",
    ...rule.fix.map((text, index) => `${index + 1}. ${text}`),
    "",
    `Knowledge: ${rule.certainty} (${rule.source}). To be done by ${rule.who}.`,
    "",
  ].join("\n");
}

/** Rows of the catalogue: id, kind, title. */
export function ruleRows(root: string): string[] {
  return ruleFiles(root).map(
    ({ id, kind, name, title }) => `| [${id}](../${rulesFolder}/${kind}/${name}.md) | ${kind} | ${title} |`,
  );
}

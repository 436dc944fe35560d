// The list of the doctor's rules, made from its folders: rules/<kind>/<id>.ts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foldersIn } from "./walls.ts";

const rulesFolder = "packages/doctor/src/rules";
export const ruleListPath = `${rulesFolder}/all-rules.ts`;

export interface RuleFile {
  /** "user-client" */
  readonly kind: string;
  /** "dr20-1" */
  readonly name: string;
  /** "dr20x1", what the file exports. */
  readonly variable: string;
}

/** `DR20-1` -> `dr20x1`; `IO-RETURN` -> `ioxreturn`. */
export function ruleVariable(name: string): string {
  return name.toLowerCase().replace(/-/g, "x");
}

export function ruleFiles(root: string): RuleFile[] {
  const found: RuleFile[] = [];
  for (const kind of foldersIn(join(root, rulesFolder))) {
    for (const file of readdirSync(join(root, rulesFolder, kind))) {
      const name = /^((?:dr\d\d|nt|io|fx)-[a-z0-9-]+)\.ts$/.exec(file)?.[1];
      if (name !== undefined) found.push({ kind, name, variable: ruleVariable(name) });
    }
  }
  return found.sort((left, right) => left.name.localeCompare(right.name, "en", { numeric: true }));
}

/** What all-rules.ts should say for the tree below `root`. */
export function buildRuleList(root: string): string {
  const files = ruleFiles(root);
  const imports = files.map(
    ({ kind, name, variable }) => `import { ${variable} } from "./${kind}/${name}.ts";`,
  );
  // The order in which a formatter sorts imports: by path.
  imports.sort((left, right) => {
    const path = (line: string) => line.slice(line.indexOf("from"));
    return path(left).localeCompare(path(right), "en", { numeric: true });
  });
  return [
    "// Every rule there is. Made by `npm run new -- catalogue` from the folders; not edited by hand.",
    "",
    ...imports,
    'import type { Rule } from "./rule.ts";',
    "",
    "/** In the order of their ids. */",
    "export const allRules: readonly Rule[] = [",
    ...files.map(({ variable }) => `  ${variable},`),
    "];",
    "",
  ].join("\n");
}

/** Rows of the catalogue: id, kind, title; read from the first line of the page. */
export function ruleRows(root: string): string[] {
  return ruleFiles(root).map(({ kind, name }) => {
    const page = join(root, rulesFolder, kind, `${name}.md`);
    const title = existsSync(page) ? readFileSync(page, "utf8").split("\n")[0].replace(/^# /, "") : name;
    const [id, ...rest] = title.split(": ");
    return `| [${id}](../${rulesFolder}/${kind}/${name}.md) | ${kind} | ${rest.join(": ")} |`;
  });
}

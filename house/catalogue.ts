// The catalogue: every device, driver and case with the first sentence of its page. Run with --write.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { foldersIn } from "./folders.ts";
import { ruleRows } from "./rule-list.ts";

export const cataloguePath = "docs/catalogue.md";

const sections: readonly [string, string, RegExp][] = [
  ["Devices", "packages/core/src/devices", /^/],
  ["Drivers", "packages/core/src/drivers", /^/],
  ["Transports", "packages/core/src/transports", /^/],
  ["Cases", "cases", /^P\d\d-/],
];

/** What docs/catalogue.md should say for the tree below `root`. */
export function buildCatalogue(root: string): string {
  const lines = [
    "# Catalogue",
    "",
    "Made by `npm run new -- catalogue` from the pages in the folders; not edited by hand.",
    "",
  ];
  for (const [title, folder, filter] of sections) {
    lines.push(`## ${title}`, "", "| Name | What it is |", "|---|---|");
    for (const name of foldersIn(join(root, folder)).filter((entry) => filter.test(entry))) {
      lines.push(
        `| [${name}](../${folder}/${name}) | ${firstSentence(join(root, folder, name, "README.md"))} |`,
      );
    }
    lines.push("");
  }
  const rules = ruleRows(root);
  if (rules.length > 0)
    lines.push("## Rules of the doctor", "", "| Rule | Kind | What it says |", "|---|---|---|", ...rules, "");
  return lines.join("\n");
}

function firstSentence(page: string): string {
  if (!existsSync(page)) return "";
  const body = readFileSync(page, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const paragraph = body.join(" ");
  const end = paragraph.search(/[.:](\s|$)/);
  return end < 0 ? paragraph : `${paragraph.slice(0, end)}.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes("--write")) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  writeFileSync(join(root, cataloguePath), buildCatalogue(root));
  console.log(`${cataloguePath} written`);
}

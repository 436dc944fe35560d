// The library of seeded driver bugs: one page each, with the wrong and the fixed form, where it was seen, and its name.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const seededFamilies = [
  "usb-serial",
  "hid",
  "storage",
  "network",
  "pci",
  "audio",
  "accessory",
  "life-cycle",
  "user-client",
] as const;
export type SeededFamily = (typeof seededFamilies)[number];

export interface SeededBug {
  readonly name: string;
  readonly title: string;
  readonly family: SeededFamily;
  /** The public report or commit that it was reduced from. */
  readonly source: string;
  /** A file of ours in which `fixed` stands once and `wrong` is put; C++ of a dext that runs; or C++ and lists, which doctor reads. */
  readonly target:
    | { readonly kind: "driver"; readonly file: string; readonly rig: string }
    | { readonly kind: "dext" }
    | { readonly kind: "cpp" };
  /** What a tool says that names it; for C++ the rule. */
  readonly named: RegExp;
  /** Why nobody finds it, as far as that was looked into: the kind, then how it is here. Empty: it is found, or nobody knows. */
  readonly missed: string;
  /** Of a dext that runs: what both forms share; each stands in it where a line says "// HERE". Else empty. */
  readonly code: string;
  readonly wrong: string;
  readonly fixed: string;
}

const folder = join(dirname(fileURLToPath(import.meta.url)), "bugs");

function field(page: string, name: string, bug: string): string {
  const found = new RegExp(`^${name}: (.+)$`, "m").exec(page)?.[1];
  if (found === undefined) throw new Error(`${bug} has no "${name}:"`);
  return found.trim();
}

function block(page: string, heading: string, bug: string): string {
  const found = new RegExp(`^## ${heading}\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)\\n?\`\`\`$`, "m").exec(page)?.[1];
  if (found === undefined) throw new Error(`${bug} has no block under "## ${heading}"`);
  return found;
}

export function readBug(name: string): SeededBug {
  const page = readFileSync(join(folder, `${name}.md`), "utf8");
  const family = field(page, "family", name);
  if (!(seededFamilies as readonly string[]).includes(family))
    throw new Error(`${name}: no family "${family}"`);
  const target = field(page, "target", name);
  return {
    name,
    title: /^# (.+)$/m.exec(page)?.[1] ?? name,
    family: family as SeededFamily,
    source: field(page, "source", name),
    target:
      target === "cpp" || target === "dext"
        ? { kind: target }
        : { kind: "driver", file: target, rig: field(page, "rig", name) },
    named: new RegExp(field(page, "named", name)),
    missed: /^missed: (.+)$/m.exec(page)?.[1] ?? "",
    code: target === "dext" ? block(page, "Code", name) : "",
    wrong: block(page, "Wrong", name),
    fixed: block(page, "Fixed", name),
  };
}

export function readLibrary(): readonly SeededBug[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => readBug(file.slice(0, -3)));
}

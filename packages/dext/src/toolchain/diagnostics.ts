// What a compiler said, as places in the driver's own files and names that are missing.

import { uncoveredClasses, uncoveredFrameworks } from "../frameworks/covered.ts";

export interface Diagnostic {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  readonly message: string;
}

const header = /^(.*?):(\d+):(\d+): (?:fatal )?(error|warning|note|remark): (.*)$/;
const included = /^In file included from (.*):(\d+):$/;
/** Notes by which a place of ours is told to have come from the driver. */
const ledHere = /requested here|in instantiation of|expanded from|passing argument|in call to/;

/**
 * `isOwn`: the file is Drydock's: what is wrong there is told at the line of the driver that led to it: where a template was
 * asked for, else the innermost `#include` of the driver's, else `source`, the file that was compiled. Lines that are no
 * diagnostics (code, carets) are left out.
 */
export function readDiagnostics(
  stderr: string,
  isOwn: (path: string) => boolean,
  source: string | null = null,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  /** From the file that was compiled to the one that is told about. */
  let chain: { path: string; line: number }[] = [];
  /** The last diagnostic is of a file of ours, and a note may still say by which line of the driver. */
  let isOpen = false;
  for (const text of stderr.split(/\r?\n/)) {
    const from = included.exec(text);
    if (from !== null) {
      chain.push({ path: from[1], line: Number(from[2]) });
      continue;
    }
    const [, path, line, column, severity, message] = header.exec(text) ?? [];
    if (path === undefined) continue;
    const outer = chain.findLast((each) => !isOwn(each.path));
    chain = [];
    const at = { path, line: Number(line), column: Number(column) };
    if (severity === "note" || severity === "remark") {
      const last = found.at(-1);
      if (!isOpen || last === undefined || isOwn(path) || !ledHere.test(message)) continue;
      found[found.length - 1] = { ...last, ...at };
      isOpen = false;
      continue;
    }
    isOpen = isOwn(path);
    const start = source === null || isOwn(source) ? undefined : { path: source, line: 1 };
    const led = isOpen ? (outer ?? start) : undefined;
    const where = led === undefined ? at : { ...led, column: 1 };
    found.push({ ...where, severity: severity as "error" | "warning", message });
  }
  return found;
}

/** A name that the driver uses and nothing here has: a header, a class, a function. */
export interface MissingName {
  readonly name: string;
  /** The framework that it belongs to, where the name tells. */
  readonly framework: string | null;
  /** It is DriverKit's, and no description here has it yet. */
  readonly isUndescribed: boolean;
  readonly path: string;
  readonly line: number;
}

const missingPatterns: readonly RegExp[] = [
  /^'([\w./+-]+)' file not found/,
  /unknown type name '(\w+)'/,
  /use of undeclared identifier '(\w+)'/,
  /no member named '(\w+)' in '\w+'/,
  /no type named '(\w+)'/,
  /unknown class name '(\w+)'/,
  /expected class name/,
  /incomplete type '(\w+)'/,
];

export function missingNames(diagnostics: readonly Diagnostic[]): MissingName[] {
  const found = new Map<string, MissingName>();
  for (const { line, message, path, severity } of diagnostics) {
    if (severity !== "error") continue;
    for (const pattern of missingPatterns) {
      const name = pattern.exec(message)?.[1];
      if (name === undefined || found.has(name)) continue;
      const owner = uncoveredClasses.get(name.replace(/^.*\/|\.h$/g, ""));
      const framework = name.includes("/") ? name.slice(0, name.indexOf("/")) : (owner ?? null);
      const isUndescribed = owner === framework || uncoveredFrameworks.includes(framework ?? "");
      found.set(name, { name, framework, isUndescribed, path, line });
    }
  }
  return [...found.values()];
}

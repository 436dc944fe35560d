// What a compiler said, as places in the driver's own files and names that are missing.

export interface Diagnostic {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  readonly message: string;
}

const header = /^(.*?):(\d+):(\d+): (?:fatal )?(error|warning): (.*)$/;
const included = /^\s*(?:In file included| {17}) ?from (.*?):(\d+):?/;

/**
 * `isOwn`: the file is Drydock's: what is wrong there is told at the line of the driver that led to it. Lines that are no
 * diagnostics (code, carets, notes) are left out.
 */
export function readDiagnostics(stderr: string, isOwn: (path: string) => boolean): Diagnostic[] {
  const found: Diagnostic[] = [];
  let chain: { path: string; line: number }[] = [];
  for (const text of stderr.split("\n")) {
    const from = included.exec(text);
    if (from !== null) {
      if (/^In file included/.test(text)) chain = [];
      chain.push({ path: from[1], line: Number(from[2]) });
      continue;
    }
    const [, path, line, column, severity, message] = header.exec(text) ?? [];
    if (path === undefined) continue;
    const at = { path, line: Number(line), column: Number(column) };
    const outer = isOwn(path) ? chain.find((each) => !isOwn(each.path)) : undefined;
    const where = outer === undefined ? at : { ...outer, column: 1 };
    found.push({ ...where, severity: severity as "error" | "warning", message });
    chain = [];
  }
  return found;
}

/** A name that the driver uses and nothing here has: a header, a class, a function. */
export interface MissingName {
  readonly name: string;
  /** The framework that it belongs to, where the name tells. */
  readonly framework: string | null;
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
      const framework = name.includes("/") ? name.slice(0, name.indexOf("/")) : null;
      found.set(name, { name, framework, path, line });
    }
  }
  return [...found.values()];
}

// Finds what a TypeScript file imports, and which words its code (not its comments or strings) uses.

export interface ImportFound {
  readonly specifier: string;
  readonly line: number;
  /** False for types alone, and for what is imported later by a call: neither loads the other file. */
  readonly loads: boolean;
}

export interface SourceFacts {
  readonly imports: readonly ImportFound[];
  /** Code with comments and the contents of strings blanked out, line by line as in the file. */
  readonly code: string;
}

/** A small scanner: comments, strings, templates and regular expressions are told from code. */
export function readSource(text: string): SourceFacts {
  const strings = new Map<number, { value: string; line: number }>();
  let code = "";
  let line = 1;
  let at = 0;
  const skip = (end: number): void => {
    for (; at < end && at < text.length; at++) {
      if (text[at] === "\n") {
        line++;
        code += "\n";
      } else code += " ";
    }
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    if (two === "//") skip(endOf(text, "\n", at));
    else if (two === "/*") skip(text.indexOf("*/", at) < 0 ? text.length : text.indexOf("*/", at) + 2);
    else if (text[at] === '"' || text[at] === "'" || text[at] === "`") {
      const quote = text[at];
      let end = at + 1;
      while (end < text.length && text[end] !== quote) end += text[end] === "\\" ? 2 : 1;
      strings.set(code.length, { value: text.slice(at + 1, end), line });
      code += quote;
      at++;
      skip(end);
      code += quote;
      at++;
    } else if (text[at] === "/" && /[=(,:;!&|?{}[\n]\s*$/.test(code.slice(-40))) {
      let end = at + 1;
      let inClass = false;
      while (end < text.length && text[end] !== "\n" && (inClass || text[end] !== "/")) {
        if (text[end] === "[") inClass = true;
        else if (text[end] === "]") inClass = false;
        end += text[end] === "\\" ? 2 : 1;
      }
      skip(end + 1);
    } else {
      if (text[at] === "\n") line++;
      code += text[at];
      at++;
    }
  }
  const imports: ImportFound[] = [];
  for (const match of code.matchAll(/(?<![.\w])(?:from\s*|import\s*\(?\s*)["'`]/g)) {
    const found = strings.get(match.index + match[0].length - 1);
    if (found === undefined) continue;
    imports.push({ specifier: found.value, line: found.line, loads: loads(code, match.index, match[0]) });
  }
  return { imports, code };
}

/** Whether the statement whose `from` or `import` stands at `at` makes the other file load with this one. */
function loads(code: string, at: number, keyword: string): boolean {
  if (/^import\s*\(/.test(keyword)) return false;
  if (keyword.startsWith("import")) return true;
  const start = Math.max(code.lastIndexOf("import", at - 1), code.lastIndexOf("export", at - 1));
  const clause = code.slice(start, at);
  if (/^(?:import|export)\s+type\b(?!\s*,)/.test(clause)) return false;
  const named = /\{([^}]*)\}/.exec(clause);
  if (named === null || /^import\s+\w+\s*,/.test(clause)) return true;
  return named[1].split(",").some((name) => name.trim() !== "" && !/^\s*type\s/.test(name));
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end;
}

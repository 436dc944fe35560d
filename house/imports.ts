// Finds what a TypeScript file imports, and which words its code (not its comments or strings) uses.

export interface ImportFound {
  readonly specifier: string;
  readonly line: number;
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
    if (found !== undefined) imports.push({ specifier: found.value, line: found.line });
  }
  return { imports, code };
}

function endOf(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from);
  return end < 0 ? text.length : end;
}

// OpenStep property lists, as Xcode writes project.pbxproj: dictionaries, arrays, quoted and plain strings, comments.

export type OpenStepValue = string | readonly OpenStepValue[] | { readonly [key: string]: OpenStepValue };

export class OpenStepError extends Error {
  override readonly name = "OpenStepError";
}

const deepest = 64;
const plain = /[A-Za-z0-9_$/:.+@-]+/y;
const blank = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;

/** Throws OpenStepError with the line where it stops being one. */
export function parseOpenStep(text: string): OpenStepValue {
  let at = 0;
  const fail = (what: string): never => {
    throw new OpenStepError(`${what} (line ${text.slice(0, at).split("\n").length})`);
  };
  const skip = () => {
    for (blank.lastIndex = at; blank.test(text); ) at = blank.lastIndex;
    if (text.startsWith("/*", at)) fail("a comment without its end");
  };
  const string = (): string => {
    if (text[at] !== '"') {
      plain.lastIndex = at;
      const found = plain.exec(text)?.[0];
      if (found === undefined) return fail("a value is missing");
      at += found.length;
      return found;
    }
    let value = "";
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) fail("a string without its end");
      if (text[at] === "\\") {
        at++;
        value += text[at] === "n" ? "\n" : text[at] === "t" ? "\t" : text[at];
      } else value += text[at];
    }
    at++;
    return value;
  };
  const read = (depth: number): OpenStepValue => {
    if (depth > deepest) fail("values lie too deep in each other");
    skip();
    if (text[at] === "{") {
      at++;
      const table: Record<string, OpenStepValue> = Object.create(null);
      for (skip(); text[at] !== "}"; skip()) {
        const key = string();
        skip();
        if (text[at++] !== "=") fail("a key without its value");
        table[key] = read(depth + 1);
        skip();
        if (text[at++] !== ";") fail("a value without its semicolon");
      }
      at++;
      return table;
    }
    if (text[at] === "(") {
      at++;
      const list: OpenStepValue[] = [];
      for (skip(); text[at] !== ")"; skip()) {
        list.push(read(depth + 1));
        skip();
        if (text[at] === ",") at++;
        else if (text[at] !== ")") fail("an array without its end");
      }
      at++;
      return list;
    }
    return string();
  };
  const value = read(0);
  skip();
  if (at < text.length) fail("something follows the value");
  return value;
}

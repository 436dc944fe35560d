// Calls of a method's super: written out, behind a macro, or behind a macro that nobody here defines.

import type { Evidence } from "../evidence/evidence.ts";
import type { SourceCall } from "../source/source-file.ts";
import type { Syntax } from "../source/syntax.ts";
import { sources } from "./source-questions.ts";

/** `Start(provider, SUPERDISPATCH)`, `super::Start(provider)`. */
export function isSuperCall(call: SourceCall, name: string): boolean {
  if (call.name.replace(/_Impl$/, "") !== name) return false;
  return (
    call.args.at(-1)?.text === "SUPERDISPATCH" ||
    /^(?:super|Super|BaseClass|Base|Parent|Inherited)$/.test(call.scope)
  );
}

interface Macro {
  readonly name: string;
  readonly parameters: readonly string[] | null;
  readonly body: string;
}

const macroTables = new WeakMap<Evidence, ReadonlyMap<string, Macro>>();

/** Every macro that the sources define; of several definitions all bodies together. */
function macrosOf(evidence: Evidence): ReadonlyMap<string, Macro> {
  const before = macroTables.get(evidence);
  if (before !== undefined) return before;
  const table = new Map<string, Macro>();
  for (const { text } of sources(evidence)) {
    for (const match of text.matchAll(
      /^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^()]*\))?[ \t]*((?:\\\r?\n|[^\n])*)/gm,
    )) {
      const [, name, list, body] = match;
      const earlier = table.get(name);
      table.set(name, {
        name,
        parameters:
          list === undefined
            ? null
            : list
                .slice(1, -1)
                .split(",")
                .map((word) => word.trim()),
        body: `${earlier?.body ?? ""}\n${body}`,
      });
    }
  }
  macroTables.set(evidence, table);
  return table;
}

/**
 * Whether something in a statement stands for the call of super: a macro whose text holds it. A macro that is defined
 * nowhere here and whose name says "super" is taken for one: what it holds cannot be known.
 */
export function superMacros(evidence: Evidence, method: string): (node: Syntax) => boolean {
  const macros = macrosOf(evidence);
  const call = new RegExp(`\\b${method}(?:_Impl)?\\s*\\(`);
  const decided = new Map<string, boolean>();
  const holds = (name: string, args: string): boolean => {
    if (!macros.has(name)) return /super/i.test(name) && name !== "SUPERDISPATCH" && name !== "super";
    const text = expanded(`${name}${args}`, macros, 5);
    return call.test(text) && /SUPERDISPATCH|\bsuper\s*::/i.test(text);
  };
  return (node) =>
    [...node.text.matchAll(use)].some(([, name, list = ""]) => {
      if (!macros.has(name) && !/super/i.test(name)) return false;
      const key = `${name}${list}`;
      const before = decided.get(key);
      if (before !== undefined) return before;
      const answer = holds(name, list);
      decided.set(key, answer);
      return answer;
    });
}

const use = /\b([A-Za-z_]\w*)\b\s*(\([^()]*\))?/g;
const longest = 4096;

/** Text with its macros replaced, as often as `depth`; bounded, as macros of hostile text grow. */
function expanded(text: string, macros: ReadonlyMap<string, Macro>, depth: number): string {
  if (depth === 0 || text.length > longest) return text;
  let isChanged = false;
  const plain = text.replace(/\b[A-Za-z_]\w*\b/g, (name) => {
    const macro = macros.get(name);
    if (macro === undefined || macro.parameters !== null) return name;
    isChanged = true;
    return ` ${macro.body} `;
  });
  const next = plain.slice(0, longest * 2).replace(use, (whole, name: string, list: string | undefined) => {
    const macro = macros.get(name);
    if (macro === undefined || macro.parameters === null) return whole;
    isChanged = true;
    const given = (list ?? "()")
      .slice(1, -1)
      .split(",")
      .map((word) => word.trim());
    let { body } = macro;
    macro.parameters.forEach((parameter, index) => {
      if (/^\w+$/.test(parameter))
        body = body.replace(
          new RegExp(`(?:##\\s*)?\\b${parameter}\\b(?:\\s*##)?`, "g"),
          () => given[index] ?? "",
        );
    });
    const rest = macro.parameters.findIndex((parameter) => parameter.includes("..."));
    return ` ${body.replace(/__VA_ARGS__/g, () => (rest < 0 ? "" : given.slice(rest).join(", ")))} `;
  });
  return isChanged ? expanded(next.slice(0, longest * 2), macros, depth - 1) : next;
}

// The .iig files of a driver become headers, sources and a table of calls; what is wrong becomes findings.

import { nearestName } from "@drydock/core/base/near-names";
import type { AbiTable } from "../abi/abi-table.ts";
import { frameworkNames, uncoveredClasses, uncoveredFrameworks } from "../frameworks/covered.ts";
import type { Defines } from "../iig/conditions.ts";
import type { HeaderModel, InterfaceModel } from "../iig/model.ts";
import { parseInterface } from "../iig/parser.ts";
import { type HeaderSource, resolveInterface } from "../iig/resolver.ts";
import { ProblemList } from "../iig/source-problem.ts";
import type { IncludeSyntax } from "../iig/syntax.ts";
import { abiTableOf } from "./abi-builder.ts";
import { headerText } from "./header-writer.ts";
import { classSource } from "./source-writer.ts";

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What to write instead, when we know. */
  readonly advice?: string;
}

export interface GeneratedDext {
  /** "include/MyDriver.h", "source/MyDriver.iig.cpp": text. Empty when there are errors. */
  readonly files: ReadonlyMap<string, string>;
  /** Of the driver's classes and of the frameworks'. */
  readonly abi: AbiTable;
  readonly model: InterfaceModel;
  readonly findings: readonly Finding[];
}

export interface DextOptions {
  /** What the build defines for the preprocessor. */
  readonly defines?: Defines;
}

/** `files`: path to text of every .iig file. Never throws for what they hold. */
export function generateDext(
  files: ReadonlyMap<string, string>,
  frameworks: InterfaceModel,
  { defines }: DextOptions = {},
): GeneratedDext {
  const problems = new ProblemList();
  const sources: HeaderSource[] = [];
  const byHeader = new Map<string, string>();
  for (const [path, text] of files) {
    const parsed = parseInterface(path, text, defines === undefined ? {} : { defines });
    for (const { severity, message, advice, ...at } of parsed.problems.all)
      problems.add(severity, at, message, advice);
    const header = `${baseName(path).replace(/\.iig$/, "")}.h`;
    const other = byHeader.get(header);
    if (other !== undefined)
      problems.error(
        { file: path, line: 1, column: 1 },
        `${other} makes ${header} too`,
        "give one of the files another name",
      );
    byHeader.set(header, path);
    sources.push({ framework: null, path: header, isWritten: false, source: parsed });
  }
  const model = resolveInterface(sources, { known: frameworks, uncovered: uncoveredClasses }, problems);
  const umbrellas = frameworkNames.map((name) => `${name}/${name}.h`);
  const known = new Set([...frameworks.headers.map(({ path }) => path), ...umbrellas, ...byHeader.keys()]);
  for (const { source } of sources)
    for (const item of source.items) if (item.kind === "include") checkInclude(item, known, problems);
  const generated = new Map<string, string>();
  if (!problems.hasErrors) {
    for (const header of model.headers) {
      generated.set(`include/${header.path}`, headerText(header, model));
      generated.set(`source/${header.path.replace(/\.h$/, ".iig.cpp")}`, sourceText(header));
    }
  }
  return { files: generated, abi: abiTableOf(model), model, findings: findingsOf(problems) };
}

function findingsOf(problems: ProblemList): Finding[] {
  const found: Finding[] = problems.all.map(({ file, ...rest }) => ({ path: file, ...rest }));
  const last = found.at(-1);
  if (problems.dropped > 0 && last !== undefined)
    found.push({ ...last, message: `${problems.dropped} more problems are not shown`, severity: "error" });
  return found.toSorted(
    (one, other) => one.path.localeCompare(other.path) || one.line - other.line || one.column - other.column,
  );
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** An .iig file that is named and not there: the compiler would speak of a header that nobody wrote. */
function checkInclude(item: IncludeSyntax, known: ReadonlySet<string>, problems: ProblemList): void {
  if (!item.path.endsWith(".iig")) return;
  const header = item.path.replace(/\.iig$/, ".h");
  if (known.has(header) || known.has(baseName(header)) || runtimeHeader(header)) return;
  const [framework = ""] = item.path.split("/");
  const className = baseName(item.path).replace(/\.iig$/, "");
  const what = uncoveredFrameworks.includes(framework)
    ? framework
    : uncoveredClasses.get(className) === framework
      ? `${className} of ${framework}`
      : null;
  if (what !== null) {
    const advice = "docs/dext-frameworks.md lists what is";
    problems.error(item, `${item.path}: ${what} is not described here yet`, advice);
    return;
  }
  const near = nearestName(header, known, Math.floor(header.length / 6));
  problems.error(
    item,
    `there is no ${item.path} among the driver's files and the described frameworks`,
    near === null ? undefined : `did you mean ${near.replace(/\.h$/, ".iig")}?`,
  );
}

/** DriverKit's plain headers, which our runtime has, and which some files name as .iig. */
function runtimeHeader(header: string): boolean {
  return /^DriverKit\/(OS|IO)(Object|MetaClass|Types|Container|Collection|OrderedSet|Lib|Return)\w*\.h$/.test(
    header,
  );
}

function sourceText(header: HeaderModel): string {
  const lines = [
    `// Made by drydock from ${header.source.file.replace(/[\r\n]/g, " ")}; changes here are lost.`,
  ];
  lines.push(`#include "${header.path}"`, "#include <DriverKit/OSAction.h>");
  for (const item of header.source.items)
    if (item.kind === "implementation")
      lines.push(`#line ${item.line} "${item.file.replace(/[\\"]/g, "\\$&")}"`, item.text);
  for (const one of header.classes) lines.push("", ...classSource(one));
  return `${lines.join("\n")}\n`;
}

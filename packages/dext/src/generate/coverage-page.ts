// docs/dext-frameworks.md: every class, method, structure and number that is described.

import { frameworkNames, uncoveredByFramework } from "../frameworks/covered.ts";
import { Declarations } from "../iig/declarations.ts";
import type { ClassModel, InterfaceModel, MethodModel } from "../iig/model.ts";
import type { SourceNote } from "../iig/syntax.ts";
import { hasImport } from "./abi-builder.ts";

/** `hosted`: "Class.method" of every call that the host has; null: the page does not say which run. */
export function buildCoveragePage(model: InterfaceModel, hosted: ReadonlySet<string> | null): string {
  const lines = [
    "# What is described of DriverKit",
    "",
    "Made by `npm run new -- catalogue` from the descriptions in `packages/dext/src/frameworks`; not edited by hand. How they are used: [dext](dext.md).",
    "",
    "**Kinds.** *dispatched*: called as a message; a driver that overrides it implements `NAME_Impl`, and `NAME(..., SUPERDISPATCH)` calls the inherited one. *callback*: the same, called on",
    "an `OSAction` whose method names it with `TYPE`. *local*: an ordinary C++ method. **Marks.** E established: seen in open source, a shipped interface or several public drivers; L likely:",
    "inferred from documentation or use; U unverified: nothing public says so. No Mac has run against these descriptions.",
    ...(hosted === null
      ? [
          "Every method here is declared, so that sources compile. A run that reaches one which the host has not ends as *not implemented: Class.method*, never as success.",
        ]
      : [
          "A run that reaches a method in *italics* ends as *not implemented: Class.method*, never as success.",
        ]),
    "",
    `| Framework | Classes | Methods |${hosted === null ? "" : " of these run |"} Structures | Numbers |`,
    `| --- | --- | --- |${hosted === null ? "" : " --- |"} --- | --- |`,
  ];
  const frameworks = frameworkNames.map((name) => {
    const headers = model.headers.filter(({ framework }) => framework === name);
    return { name, headers, classes: headers.flatMap(({ classes }) => classes) };
  });
  for (const { name, headers, classes } of frameworks) {
    const declared = new Declarations();
    for (const { source } of headers)
      for (const item of source.items) if (item.kind === "verbatim") declared.read(item);
    const methods = classes.flatMap((one) => one.methods.map((method) => ({ one, method })));
    const running = methods.filter(({ one, method }) => runs(method, one, hosted)).length;
    lines.push(
      `| ${name} | ${classes.length} | ${methods.length} |${hosted === null ? "" : ` ${running} |`} ${declared.structures.size} | ${declared.constants.size} |`,
    );
  }
  for (const { name, classes } of frameworks) {
    lines.push(
      "",
      `## ${name}`,
      "",
      "| Class | Kind | Methods | Mark | Source |",
      "| --- | --- | --- | --- | --- |",
    );
    for (const one of classes) lines.push(...classRows(one, hosted));
  }
  lines.push(
    "",
    "## Not described",
    "",
    "A dext that uses one of these is told which, with the place where it does.",
    "",
  );
  for (const [framework, names] of Object.entries(uncoveredByFramework))
    lines.push(`- ${framework}: ${names.split(" ").join(", ")}`);
  return `${lines.join("\n")}\n`;
}

/** Its body is C++ of the runtime's, the base's, or a call that the host has; or the system calls it, not the driver. */
function runs(method: MethodModel, one: ClassModel, hosted: ReadonlySet<string> | null): boolean {
  return hosted === null || !hasImport(method, one) || hosted.has(`${one.name}.${method.symbol}`);
}

function classRows(one: ClassModel, hosted: ReadonlySet<string> | null): string[] {
  const head = one.base === null ? `\`${one.name}\`` : `\`${one.name}\` : ${one.base.name}`;
  const groups = new Map<string, MethodModel[]>();
  for (const method of one.methods) {
    const key = `${method.kind}|${markLetter(method.note)}|${method.note?.source ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), method]);
  }
  if (groups.size === 0) return [`| ${head} | | | ${markLetter(one.note)} | ${one.note?.source ?? ""} |`];
  return [...groups].map(([key, methods], index) => {
    const [kind = "", mark = "", source = ""] = key.split("|");
    const names = methods.map((method) => (runs(method, one, hosted) ? method.name : `*${method.name}*`));
    return `| ${index === 0 ? head : ""} | ${kind} | ${[...new Set(names)].join(", ")} | ${mark} | ${source} |`;
  });
}

function markLetter(note: SourceNote | null): string {
  return note === null ? "" : { established: "E", likely: "L", unverified: "U" }[note.mark];
}

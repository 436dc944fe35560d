// Descriptions of frameworks become headers, glue and the table of their calls.

import { IOReturns } from "@drydock/core/base/io-return";
import type { AbiTable } from "../abi/abi-table.ts";
import { type FrameworkName, frameworkNames, uncoveredClasses } from "../frameworks/covered.ts";
import type { HeaderModel, InterfaceModel } from "../iig/model.ts";
import { parseInterface } from "../iig/parser.ts";
import { type HeaderSource, resolveInterface } from "../iig/resolver.ts";
import { ProblemList, problemText } from "../iig/source-problem.ts";
import type { ItemSyntax } from "../iig/syntax.ts";
import { abiTableOf } from "./abi-builder.ts";
import { headerText } from "./header-writer.ts";
import { classSource } from "./source-writer.ts";

export interface GeneratedFrameworks {
  /** "include/DriverKit/IOService.h", "glue/DriverKit.cpp": text. */
  readonly files: ReadonlyMap<string, string>;
  readonly abi: AbiTable;
  readonly model: InterfaceModel;
}

/** `texts`: "DriverKit" and the other names of `frameworkNames` to their descriptions. Throws with positions when one is wrong. */
export function describedFrameworks(texts: ReadonlyMap<string, string>): InterfaceModel {
  const problems = new ProblemList();
  const sources: HeaderSource[] = [];
  for (const name of frameworkNames) {
    const text = texts.get(name);
    if (text === undefined) throw new Error(`the description of ${name} is missing`);
    const parsed = parseInterface(`${name}.iig`, text, { isDescription: true });
    for (const problem of parsed.problems.all)
      problems.add(problem.severity, problem, problem.message, problem.advice);
    sources.push(...sectionsOf(name, parsed.file, parsed.items));
  }
  const model = resolveInterface(sources, { known: null, uncovered: uncoveredClasses }, problems);
  if (problems.all.length > 0) throw new Error(problems.all.map(problemText).join("\n"));
  return model;
}

function sectionsOf(framework: FrameworkName, file: string, items: readonly ItemSyntax[]): HeaderSource[] {
  const sections: HeaderSource[] = [];
  let current: ItemSyntax[] = [];
  for (const item of items) {
    if (item.kind === "section") {
      current = [];
      sections.push({
        framework,
        path: item.path,
        isWritten: item.isWritten,
        source: { file, items: current },
      });
    } else current.push(item);
  }
  return sections;
}

export function generateFrameworks(texts: ReadonlyMap<string, string>): GeneratedFrameworks {
  const model = describedFrameworks(texts);
  const files = new Map<string, string>();
  files.set("include/DriverKit/IOReturn.h", returnsHeader());
  for (const header of model.headers)
    if (!header.isWritten) files.set(`include/${header.path}`, headerText(header, model));
  for (const framework of frameworkNames) {
    const headers = model.headers.filter((header) => header.framework === framework);
    files.set(`include/${framework}/${framework}.h`, umbrellaHeader(framework, headers));
    files.set(`glue/${framework}.cpp`, glueText(framework, headers));
  }
  return { files, abi: abiTableOf(model), model };
}

function umbrellaHeader(framework: FrameworkName, headers: readonly HeaderModel[]): string {
  const lines = [`// All of ${framework}.`, "#pragma once"];
  if (framework === "DriverKit")
    for (const path of runtimeHeaders) lines.push(`#include <DriverKit/${path}>`);
  for (const { path } of headers) lines.push(`#include <${path}>`);
  return `${lines.join("\n")}\n`;
}

/** What DriverKit has beside its classes, written in our runtime. */
const runtimeHeaders = ["IOTypes.h", "IOReturn.h", "IOLib.h", "OSCollections.h"];

function glueText(framework: FrameworkName, headers: readonly HeaderModel[]): string {
  const lines = [`// Calls from ${framework}'s classes to the host, and what the host knows of them.`];
  lines.push(`#include <${framework}/${framework}.h>`);
  for (const header of headers) {
    if (header.isWritten) continue;
    for (const one of header.classes) lines.push("", ...classSource(one));
  }
  return `${lines.join("\n")}\n`;
}

function returnsHeader(): string {
  const lines = [
    "// Every code that IOKit, its families and Mach return.",
    "#pragma once",
    "#include <drydock/base.h>",
    "#define err_system(x) ((signed) ((((unsigned) (x)) & 0x3f) << 26))",
    "#define err_sub(x) (((x) & 0xfff) << 14)",
    "#define err_get_system(err) (((err) >> 26) & 0x3f)",
    "#define err_get_sub(err) (((err) >> 14) & 0xfff)",
    "#define err_get_code(err) ((err) & 0x3fff)",
    "#define sys_iokit err_system(0x38)",
    "#define sub_iokit_common err_sub(0)",
    "#define sub_iokit_usb err_sub(1)",
    "#define iokit_common_err(code) ((IOReturn) (sys_iokit | sub_iokit_common | (code)))",
    "#define iokit_vendor_specific_err(code) ((IOReturn) (sys_iokit | err_sub(-2) | (code)))",
  ];
  for (const [name, value] of Object.entries(IOReturns))
    lines.push(
      `#ifndef ${name}`,
      `#define ${name} ((IOReturn) 0x${value.toString(16).padStart(8, "0")})`,
      "#endif",
    );
  return `${lines.join("\n")}\n`;
}

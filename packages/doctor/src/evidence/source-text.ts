// C++ and .iig source of drivers, recognised by what only such files hold, and read with the C++ grammar.

import { cppParser } from "../source/cpp-parser.ts";
import { sourceFileOf } from "../source/source-file.ts";
import type { Syntax } from "../source/syntax.ts";
import type { FactSink, TextDocument, TextReader } from "./reader.ts";

/** A log or a post may quote one of these; a source file holds several. */
const signs: readonly RegExp[] = [
  /^[ \t]*#\s*include\s*[<"][\w./+-]+[>"]/m,
  /^[ \t]*#\s*(?:pragma once|ifndef \w+|define \w+|endif)/m,
  /\b(?:IMPL|TYPE|QUEUENAME|LOCALONLY|SUPERDISPATCH)\b/,
  /\b(?:kern_return_t|IOReturn)\b[^;\n]{0,200}\(/,
  /^[ \t]*(?:class|struct)\s+(?:KERNEL\s+)?\w+\s*(?::\s*public\s+\w+)?\s*\{?\s*$/m,
  /\bivars->\w+/,
  /\b\w+::\w+\([^;{}]{0,400}\)\s*\{/,
  /\bOSDe(?:clare|fine)\w*Structors\w*\s*\(/,
  /\b(?:IO|OS)[A-Z]\w+\s*\*+\s*\w+\s*(?:=|;|,|\))/,
  /\b(?:IO|OS)\w+::(?:Create|Copy)\w*\(/,
  /(?:->|\.)\w+\([^;{}\n]{0,200}\);/,
  /\bes_\w+_t\b|\bES_EVENT_TYPE_\w+/,
];

export const sourceReader: TextReader = {
  kind: "source",
  anchors: [
    "#include",
    "kern_return_t",
    "IOReturn",
    "SUPERDISPATCH",
    "Structors(",
    "DriverKit/",
    "#pragma once",
    "ivars->",
    "OSAction",
    "OSDictionary *",
    "OSSafeRelease",
    "IODispatchQueue",
    "IOMemory",
    "IOUSBHost",
    "memcpy(",
    "IOService *",
  ],
  mostCharacters: ({ sourceCharacters }) => sourceCharacters,
  async read(document, sink) {
    const { text } = document;
    if (/<plist\b|^\s*\{/.test(text.slice(0, 400))) return;
    if (signs.filter((sign) => sign.test(text)).length < 2) return;
    sink.kind("source");
    const grammar = sink.cppGrammar ?? null;
    if (grammar === null) {
      sink.problem("is source, which was not read: no C++ grammar was given");
      return;
    }
    if (document.isCut || text.length > sink.limits.sourceCharacters) {
      sink.problem(
        `is source of more than ${sink.limits.sourceCharacters >> 20} MiB, which is not read; give me the driver's own files`,
      );
      return;
    }
    const { root, rewritten } = (await cppParser(grammar)).parse(text);
    const file = sourceFileOf(root, rewritten.annotations, (offset) => document.pointAt(offset));
    sink.add("source", document.pointAt(Math.max(0, text.search(/\S/))), file);
    readSuppressions(document, root, sink);
    // A comparison with a code, or a comment that quotes a log, is no line of a log.
    for (const node of root.children) {
      if (node.kind !== "ERROR" && node.kind !== "expression_statement")
        sink.claimLines(document.lineAt(node.start), document.lineAt(Math.max(node.start, node.end - 1)));
    }
  },
};

/** Programs in other languages and project files: what they say is no symptom either. */
export const otherSourceReader: TextReader = {
  kind: "source",
  anchors: [
    "#!/bin/",
    "#!/usr/",
    "!$*UTF8*$!",
    "import Foundation",
    "import SwiftUI",
    "import SystemExtensions",
    "import XCTest",
    "import IOKit",
    "import AppKit",
    "@testable import",
    ".PHONY:",
    "$(MAKE)",
  ],
  mostCharacters: ({ sourceCharacters }) => sourceCharacters,
  read({ text }, sink) {
    if (
      /^\uFEFF?(?:#!\/|\/\/ !\$\*UTF8\*\$!)/.test(text) ||
      /^(?:import (?:Foundation|SwiftUI|SystemExtensions|XCTest|IOKit|AppKit)\b[\w.]*|@testable import \w+)\s*$/m.test(
        text,
      ) ||
      (text.match(/^(?:\.PHONY|[\w./%-]{1,80}):(?!=).*\n\t/gm) ?? []).length >= 2
    )
      sink.kind("source");
  },
};

/** Headings that make a text a manual; a post has one or two. */
const manualHeadings = 4;

export const documentationReader: TextReader = {
  kind: "documentation",
  // A heading of the second or third level, not at the very beginning.
  anchors: ["\n## ", "\n### "],
  mostCharacters: ({ sourceCharacters }) => sourceCharacters,
  read({ text }, sink) {
    const withoutCode = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, "");
    if ((withoutCode.match(/^#{1,4} \S/gm) ?? []).length >= manualHeadings) sink.kind("documentation");
  },
};

const suppression = /drydock-ignore\s+((?:DR\d\d|NT|IO|FX)-[\w-]+)\s*(?::\s*(\S.*?))?\s*(?:\*\/)?\s*$/;

/** `// drydock-ignore DR02-3: the field is a byte array` on the finding's line or the one before it. */
function readSuppressions(document: TextDocument, root: Syntax, sink: FactSink): void {
  if (!document.text.includes("drydock-ignore")) return;
  for (const comment of root.all("comment")) {
    const match = suppression.exec(comment.text);
    if (match === null) continue;
    const place = document.pointAt(comment.start);
    if (match[2] === undefined)
      sink.problem(
        `line ${place.line}: drydock-ignore ${match[1]} gives no reason, so it does not count; write "drydock-ignore ${match[1]}: REASON"`,
      );
    else sink.add("suppression", place, { rule: match[1], reason: match[2] });
  }
}

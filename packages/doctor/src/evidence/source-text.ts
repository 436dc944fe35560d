// C++ and .iig source of drivers, recognised by what only such files hold. Reading it is the source rules' business.

import { shownText } from "./evidence-source.ts";
import type { TextReader } from "./reader.ts";

export interface SourceText {
  readonly language: "c++" | "iig";
  readonly text: string;
}

/** A log or a post may quote one of these; a source file holds several. */
const signs: readonly RegExp[] = [
  /^\s*#\s*include\s*[<"][\w./]+[>"]/m,
  /^\s*#\s*(?:pragma once|ifndef \w+|define \w+|endif)/m,
  /\b(?:IMPL|TYPE|QUEUENAME|LOCALONLY|SUPERDISPATCH)\b/,
  /\bkern_return_t\b[^;\n]{0,200}\(/,
  /^\s*(?:class|struct)\s+(?:KERNEL\s+)?\w+\s*(?::\s*public\s+\w+)?\s*\{?\s*$/m,
  /\bivars->\w+/,
  /\b\w+::\w+\([^;{}]{0,400}\)\s*\{/,
  /\bOSDe(?:clare|fine)\w*Structors\w*\s*\(/,
];

export const sourceReader: TextReader = {
  kind: "source",
  anchors: ["#include", "kern_return_t", "SUPERDISPATCH", "Structors(", "DriverKit/", "#pragma once"],
  read(document, sink) {
    const { text } = document;
    if (/<plist\b|^\s*\{/.test(text.slice(0, 400))) return;
    if (signs.filter((sign) => sign.test(text)).length < 2) return;
    const isIig =
      /\b(?:LOCALONLY|INVOKEREPLY|REPLY|QUEUENAME\s*\()/.test(text) ||
      /#\s*include\s*<\w+\/\w+\.iig>/.test(text) ||
      /^\s*(?:class|struct)\s+KERNEL\b/m.test(text);
    sink.kind("source");
    const at = Math.max(0, text.search(/\S/));
    sink.add(
      "source",
      { ...document.placeAt(at), text: shownText(document.line(document.lineAt(at))) },
      {
        language: isIig && !/::\w+\([^;{}]{0,400}\)\s*\{/.test(text) ? "iig" : "c++",
        text,
      },
    );
  },
};

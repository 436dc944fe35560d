// `systemextensionsctl list`: who is installed in which version and state (posts.md §4.6).

import { cleanLine } from "./pasted-text.ts";
import type { TextReader } from "./reader.ts";

/** Tabs are often blanks by the time a list is pasted. */
const row =
  /^[ \t]{0,40}(\*?)[ \t]{1,40}(\*?)[ \t]{0,40}(?:([A-Z0-9]{10})[ \t]+)?([A-Za-z0-9][\w.-]{2,254})[ \t]+\(([^()]{0,100})\)[ \t]+(\S[^[\]\t]{0,200}?)?[ \t]*\[([^[\]]{1,100})\]\s*$/;

export const extensionsReader: TextReader = {
  kind: "system extensions list",
  anchors: ["extension(s)", "[activated", "[terminat", "[uninstalled", "com.apple.system_extension."],
  read(document, sink) {
    let found = 0;
    const lines: number[] = [];
    for (let number = 1; number <= document.lineCount; number++) {
      const raw = document.line(number);
      if (!raw.includes("[") || raw.length > 2000) continue;
      const line = cleanLine(raw);
      if (line.length > 1000) continue;
      const match = row.exec(` ${line}`);
      if (match === null || !/activated|terminat|uninstall|enabled|disabled/.test(match[7])) continue;
      found++;
      lines.push(number);
      if (match[3] !== undefined) sink.secret("team", match[3]);
      sink.add("system-extension", document.place(number), {
        isEnabled: match[1] === "*",
        isActive: match[2] === "*",
        team: match[3] ?? "",
        bundleIdentifier: match[4],
        version: match[5],
        name: match[6] ?? "",
        state: match[7],
      });
    }
    const heads = [...document.text.matchAll(/^[\s>]*(\d{1,6}) extension\(s\)/gm)];
    if (found > 0 || heads.length > 0) sink.kind("system extensions list");
    if (heads.length === 0) return;
    const failure =
      /^.*(?:Completely failed to resolve bundle info|systemextensionsctl\b.{0,80}(?:abort|Abort|fatal|crash)|(?:abort|Abort trap)\S*\s+systemextensionsctl).*$/m.exec(
        document.text,
      );
    // Several lists in one file, as people collect them before and after: each has its own rows.
    const starts = heads.map(({ index }) => document.lineAt(index));
    for (const [index, head] of heads.entries()) {
      const from = heads.length === 1 ? 0 : starts[index];
      const until = starts[index + 1] ?? Number.POSITIVE_INFINITY;
      sink.add("extension-list", document.placeAt(head.index), {
        promised: Number(head[1]),
        shown: lines.filter((line) => line >= from && line < until).length,
        failure: failure === null ? "" : cleanLine(failure[0]).trim().slice(0, 200),
      });
    }
  },
};

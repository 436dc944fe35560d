// `systemextensionsctl list`: who is installed in which version and state (posts.md §4.6).

import { cleanLine } from "./line-scan.ts";
import type { TextReader } from "./reader.ts";

/** Tabs are often blanks by the time a list is pasted. */
const row =
  /^\s*(\*?)[ \t]+(\*?)[ \t]*(?:([A-Z0-9]{10})[ \t]+)?([A-Za-z0-9][\w.-]{2,254})[ \t]+\(([^()]{0,100})\)[ \t]+(\S[^[\]\t]{0,200}?)?[ \t]*\[([^[\]]{1,100})\]\s*$/;

export const extensionsReader: TextReader = {
  kind: "system extensions list",
  anchors: ["extension(s)", "[activated", "[terminat", "[uninstalled", "com.apple.system_extension."],
  read(document, sink) {
    let found = 0;
    for (let number = 1; number <= document.lineCount; number++) {
      const line = cleanLine(document.line(number));
      if (!line.includes("[") || line.length > 1000) continue;
      const match = row.exec(` ${line}`);
      if (match === null || !/activated|terminat|uninstall|enabled|disabled/.test(match[7])) continue;
      found++;
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
    if (found > 0 || /^\s*\d+ extension\(s\)/m.test(document.text)) sink.kind("system extensions list");
  },
};

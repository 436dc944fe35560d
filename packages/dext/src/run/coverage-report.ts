// Coverage for other programs (lcov's tracefile, geninfo(1)) and for people (one page that needs nothing else).

import { basename } from "node:path";
import type { CoveredFile } from "../host/dext-coverage.ts";

/** How every tracefile and page of ours begins. */
export const lcovHead = "TN:drydock\n";
export const coveragePageHead = "<!doctype html>\n<!-- drydock dext coverage -->\n";

export interface CoverageSum {
  readonly lines: number;
  readonly linesRun: number;
  readonly functions: number;
  readonly functionsRun: number;
}

export function coverageSum(files: readonly CoveredFile[]): CoverageSum {
  const lines = files.flatMap((file) => [...file.lines.values()]);
  const functions = files.flatMap((file) => file.functions);
  return {
    lines: lines.length,
    linesRun: lines.filter((count) => count > 0).length,
    functions: functions.length,
    functionsRun: functions.filter(({ count }) => count > 0).length,
  };
}

export function coverageSumText({ functions, functionsRun, lines, linesRun }: CoverageSum): string {
  return `${linesRun} of ${lines} lines and ${functionsRun} of ${functions} functions ran`;
}

/** A path with a line break in it has no place in such a file: it is left out. */
export function lcovText(files: readonly CoveredFile[]): string {
  let text = "";
  for (const file of files) {
    if (/[\r\n]/.test(file.path)) continue;
    const sum = coverageSum([file]);
    text += `${lcovHead}SF:${file.path}\n`;
    for (const { line, name } of file.functions) text += `FN:${line},${name}\n`;
    for (const { count, name } of file.functions) text += `FNDA:${count},${name}\n`;
    text += `FNF:${sum.functions}\nFNH:${sum.functionsRun}\n`;
    for (const [line, count] of file.lines) text += `DA:${line},${count}\n`;
    text += `LF:${sum.lines}\nLH:${sum.linesRun}\nend_of_record\n`;
  }
  return text === "" ? lcovHead : text;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const style = `:root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;margin:2rem;max-width:70rem}
table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:left}td.n,th.n{text-align:right}
pre{font:12px/1.5 ui-monospace,monospace;overflow-x:auto}.ran{background:light-dark(#d8f3dc,#12351c)}.not{background:light-dark(#fbd5d5,#4a1717)}
.c{display:inline-block;width:7ch;text-align:right;margin-right:1ch;opacity:.7}.c.l{width:5ch}`;

/** `read`: the text of a file; null when it is no more there. */
export function coveragePage(
  name: string,
  files: readonly CoveredFile[],
  read: (path: string) => string | null,
): string {
  const rows = files.map((file, index) => {
    const sum = coverageSum([file]);
    return `<tr><td><a href="#f${index}">${escaped(basename(file.path))}</a></td><td class="n">${sum.linesRun} of ${sum.lines}</td><td class="n">${sum.functionsRun} of ${sum.functions}</td></tr>`;
  });
  const parts = files.map((file, index) => {
    const missed = file.functions.filter(({ count }) => count === 0).map((each) => escaped(each.name));
    const never = missed.length === 0 ? "" : `<p>Never entered: ${missed.join(", ")}</p>`;
    const text = read(file.path);
    const lines = (text ?? "").split(/\r?\n/).map((line, at) => {
      const count = file.lines.get(at + 1);
      const kind = count === undefined ? "" : count > 0 ? ' class="ran"' : ' class="not"';
      return `<span${kind}><span class="c l">${at + 1}</span><span class="c">${count ?? ""}</span>${escaped(line)}</span>`;
    });
    const body = text === null ? "<p>The file is no more there.</p>" : `<pre>${lines.join("\n")}</pre>`;
    return `<h2 id="f${index}">${escaped(file.path)}</h2>${never}${body}`;
  });
  return `${coveragePageHead}<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(name)}: what ran</title><style>${style}</style></head><body>
<h1>${escaped(name)}: what ran</h1><p>${coverageSumText(coverageSum(files))}.</p>
<table><thead><tr><th>File</th><th class="n">Lines</th><th class="n">Functions</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>
${parts.join("\n")}
</body></html>
`;
}

// The diagnosis as one HTML file: no script, no request to anywhere, readable in light and dark and on paper.

import type { Answer, Diagnosis } from "../diagnosis.ts";
import type { Place } from "../facts/evidence-source.ts";
import { lifeSentence } from "../life.ts";
import { placeName } from "./text-report.ts";

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1b2430, #e6ebf1); --soft: light-dark(#5a6675, #9aa7b6);
  --page: light-dark(#f6f7f9, #12161c); --card: light-dark(#ffffff, #1a2029); --rule: light-dark(#d9dee5, #2d3642);
  --error: light-dark(#b3261e, #ff8a80); --warning: light-dark(#8a5a00, #ffc46b); --note: light-dark(#1f5fa8, #8ec1ff); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header p, .soft { color: var(--soft); }
h1 { font-size: 1rem; margin: 0; letter-spacing: .02em; }
h2 { font-size: 1.1rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: .8rem; margin: 1.25rem 0 .35rem; color: var(--soft); text-transform: uppercase; letter-spacing: .06em; }
article, details { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; margin: 0 0 .75rem; }
article { padding: 1.25rem 1.5rem 1.5rem; border-left: 5px solid var(--level); }
details > div { padding: 0 1.5rem 1.25rem; }
details { border-left: 5px solid var(--level); }
summary { cursor: pointer; padding: .8rem 1.25rem; }
summary:focus-visible { outline: 2px solid var(--note); outline-offset: 2px; border-radius: 8px; }
.claim { font-size: 1.35rem; line-height: 1.35; margin: .35rem 0 0; font-weight: 600; overflow-wrap: anywhere; }
summary .claim { font-size: 1rem; font-weight: 500; }
.error { --level: var(--error); } .warning { --level: var(--warning); } .note { --level: var(--note); }
.tag { color: var(--level); font-weight: 600; }
pre { margin: 0 0 .5rem; padding: .6rem .8rem; background: var(--page); border: 1px solid var(--rule); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; }
pre b { color: var(--soft); font-weight: 500; display: block; }
p { margin: .25rem 0 .6rem; }
ol, ul { margin: .25rem 0; padding-left: 1.4rem; } li { margin: .2rem 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
td, th { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
@media print { details > div { display: block; } body { background: none; } }
`;

/** Everything that evidence says is escaped; the file asks nothing of anybody. */
export function formatHtml(diagnosis: Diagnosis): string {
  const [first, ...others] = diagnosis.answers;
  const parts = [
    `<header><h1>Drydock: what the evidence says</h1><p>${count(diagnosis.files.length, "file")}, ${count(diagnosis.answers.length, "answer")}, ${count(diagnosis.hints.length, "hint")}</p></header>`,
    first === undefined
      ? `<article class="note"><p class="claim">I don't know the cause.</p><p>Nothing in this evidence points to one. What was read is told below.</p></article>`
      : `<article class="${first.severity}"><span class="tag">Most likely</span><p class="claim">${asText(first.claim)}</p>${bodyOf(first)}</article>`,
    section("Also", others.map(folded)),
    section("Seen, but it fits many causes", diagnosis.hints.map(folded)),
    section(first === undefined ? "What would help" : "Still missing", listed(diagnosis.missing)),
    section(
      "Taken back by comments in the source",
      listed(diagnosis.suppressed.map(({ rule, place, reason }) => `${placeName(place)} ${rule}: ${reason}`)),
    ),
    section("What the lines tell of an extension's life", listed(diagnosis.lives.map(lifeSentence))),
    section("Signing, stage by stage", diagnosis.rehearsals.map(stagesOf)),
    section("What was read", [
      ...listed(
        diagnosis.readings.map(
          ({ file, text, who }) => `${file}: ${text}${who === null ? "" : `; to be done by ${who}`}`,
        ),
      ),
      filesOf(diagnosis),
    ]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drydock: ${asText(first?.claim ?? "nothing is known")}</title>
<style>${style}</style>
</head>
<body>
<main>
${parts.filter((part) => part !== "").join("\n")}
</main>
</body>
</html>
`;
}

function count(amount: number, word: string): string {
  return `${amount} ${word}${amount === 1 ? "" : "s"}`;
}

function section(title: string, parts: readonly string[]): string {
  return parts.length === 0 ? "" : `<section><h2>${asText(title)}</h2>${parts.join("\n")}</section>`;
}

function listed(texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [`<ul>${texts.map((text) => `<li>${asText(text)}</li>`).join("")}</ul>`];
}

function folded(answer: Answer): string {
  return `<details class="${answer.severity}"><summary><span class="tag">${asText(answer.rule)}</span> <span class="claim">${asText(answer.claim)}</span></summary><div>${bodyOf(answer)}</div></details>`;
}

function bodyOf(answer: Answer): string {
  return [
    `<p class="soft">${asText(answer.rule)}, ${asText(answer.title)}. ${answer.score} of 100. To be done by ${asText(answer.who)}.</p>`,
    `<h3>Evidence</h3>${answer.because.map(excerpt).join("")}`,
    `<h3>Why</h3><p>${asText(answer.why)}</p>`,
    `<h3>Fix</h3><ol>${answer.fix.map((step) => `<li>${asText(step)}</li>`).join("")}</ol>`,
    answer.missing.length === 0
      ? ""
      : `<h3>Would make it surer</h3><ul>${answer.missing.map((text) => `<li>${asText(text)}</li>`).join("")}</ul>`,
    `<p class="soft">Knowledge: ${asText(answer.certainty)} (${asText(answer.source)})</p>`,
  ].join("");
}

function excerpt(place: Place): string {
  return `<pre><b>${asText(placeName(place))}</b>${asText(place.text)}</pre>`;
}

const marks: ReadonlyMap<boolean | null, string> = new Map([
  [true, "passes"],
  [false, "fails"],
  [null, "open"],
]);

function stagesOf({ app, dext, rehearsal }: Diagnosis["rehearsals"][number]): string {
  const rows = rehearsal.verdicts
    .map(
      ({ stage, part, ok, reason, lines }) =>
        `<tr><td>${asText(stage)}</td><td>${asText(part)}</td><td>${marks.get(ok)}</td><td>${asText(reason)}${lines.length === 0 ? "" : `<pre>${asText(lines.join("\n"))}</pre>`}</td></tr>`,
    )
    .join("\n");
  const names = [app, dext].flatMap((part) => (part === null ? [] : [part.bundleIdentifier]));
  return `<p>${asText(names.join(", "))}</p><table><thead><tr><th>Stage</th><th>Part</th><th>Verdict</th><th>Why</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function filesOf(diagnosis: Diagnosis): string {
  const rows = diagnosis.files
    .map(
      ({ name, kinds, sizeBytes, problems }) =>
        `<tr><td>${asText(name)}</td><td>${asText(kinds.join(", "))}</td><td>${sizeBytes}</td><td>${asText(problems.join("; "))}</td></tr>`,
    )
    .join("\n");
  return `<table><thead><tr><th>File</th><th>Kind</th><th>Bytes</th><th>Not read</th></tr></thead><tbody>${rows}</tbody></table>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function asText(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => entities[letter]);
}

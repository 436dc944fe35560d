// The casebook as pages: all cases with their state, and one case played on one seed, both sides beside each other.

import type { CaseRunRow, PostRow } from "@drydock/board/records";
import { isAlarm, type StillTrue } from "@drydock/board/still-true";
import type { CaseReport, SideReport } from "@drydock/cases/case-report";
import type { CaseStep } from "@drydock/cases/run-digest";
import { casePath, postPath } from "../board-links.ts";
import type { CampaignLine } from "../campaign-desk.ts";
import { type Html, html } from "../html.ts";
import { timeTag } from "./post-list.ts";

export interface CaseEntry {
  readonly id: string;
  readonly title: string;
  readonly symptom: string;
  readonly cause: string;
}

function stateChip(known: StillTrue): Html {
  const kind = known.state === "holds" ? "good" : isAlarm(known.state) ? "bad" : "plain";
  return html`<span class="chip ${kind}"><span class="dot"></span>${known.state}</span>`;
}

export function casesPage(
  cases: readonly (CaseEntry & { readonly known: StillTrue; readonly post: PostRow | null })[],
  now: number,
  isStatic: boolean,
): Html {
  const alarms = cases.filter(({ known }) => isAlarm(known.state));
  return html`<h1>Cases</h1><p class="lead">Each is a real problem as a pair of drivers, one wrong and one right, on the same device with the same seed. <b>Still true?</b> says what the newest run here showed; a bad driver that passes is an alarm.</p>
${alarms.length === 0 ? "" : html`<p class="error" role="alert">${alarms.map(({ id, known }) => `${id}: ${known.state}`).join(", ")}</p>`}
<table class="posts cases"><caption>${cases.length} cases</caption><thead><tr><th scope="col">Case</th><th scope="col">Still true?</th><th scope="col">Last run</th></tr></thead><tbody>
${cases.map(
  ({ known, post, ...entry }) =>
    html`<tr><th scope="row"><a class="title" href="${casePath(entry.id)}">${entry.id} ${entry.title}</a><p class="excerpt">${entry.symptom}</p>${post === null ? "" : html`<p class="origin">Post: <a href="${postPath(post)}">${post.title}</a></p>`}</th><td>${stateChip(known)}</td><td>${known.at === null ? "never" : timeTag(known.at, now)}</td></tr>`,
)}
</tbody></table>
${isStatic ? "" : html`<form method="post" action="/cases/runs"><p><button class="button">Run all cases again</button></p></form>`}`;
}

export function casePage(options: {
  readonly entry: CaseEntry;
  readonly report: CaseReport;
  readonly side: "bad" | "good" | null;
  readonly step: number | null;
  readonly known: StillTrue;
  readonly runs: readonly CaseRunRow[];
  readonly campaigns: readonly CampaignLine[];
  readonly posts: readonly PostRow[];
  readonly now: number;
  readonly isStatic: boolean;
}): Html {
  const { entry, report, known, now } = options;
  return html`<nav class="crumbs" aria-label="Place"><a href="/cases">Cases</a></nav>
<h1>${entry.id} ${entry.title} ${stateChip(known)}</h1>
<dl class="facts"><dt>Symptom</dt><dd>${entry.symptom}</dd><dt>Cause</dt><dd>${entry.cause}</dd>${options.posts.map((post) => html`<dt>Post</dt><dd><a href="${postPath(post)}">${post.title}</a></dd>`)}</dl>
<section class="run" data-case="${entry.id}"><h2>Both drivers, seed ${report.seed}</h2>
<form class="go" action="/cases/${entry.id}"><label class="seed">Seed <input name="seed" value="${report.seed}" inputmode="numeric" maxlength="9"></label>${options.isStatic ? "" : html`<button class="button" data-run>Run</button>`} <a href="${casePath(entry.id, { seed: report.seed })}">This run's address</a></form>
<div class="result" aria-live="polite">${reportView(report, options.side, options.step)}</div></section>
<section><h2>Elsewhere</h2><p>On a desk: <code>npx drydock case ${entry.id} --seed ${report.seed}</code></p><p><a href="${casePath(`${entry.id}.json`, { seed: report.seed })}">JSON</a> <a href="${casePath(`${entry.id}.txt`, { seed: report.seed })}">Text</a> <a href="/badge/${entry.id}.svg">Badge</a></p></section>
<section><h2>Still true?</h2><p>${known.text}</p>${
    options.runs.length === 0
      ? ""
      : html`<div class="wide" tabindex="0"><table class="runs"><thead><tr><th>When</th><th>Version</th><th>Side</th><th>Seed</th><th>Verdict</th><th>Result</th><th>Digest</th></tr></thead><tbody>${options.runs.map((run) => html`<tr><td>${timeTag(run.at, now)}</td><td>${run.drydockVersion}</td><td>${run.side}</td><td>${run.seed}</td><td>${run.verdict}</td><td>${run.result}</td><td><code>${run.traceDigest}</code></td></tr>`)}</tbody></table></div>`
  }${options.isStatic ? "" : html`<form method="post" action="/cases/${entry.id}/runs"><p><button>Run and record it</button></p></form>`}</section>
${options.campaigns.length === 0 ? "" : html`<section><h2>Campaigns</h2><ul class="campaigns">${options.campaigns.map(({ id, isClean, runs = [], text }) => html`<li><span class="chip ${isClean === null ? "plain" : isClean ? "good" : "bad"}"><span class="dot"></span>${isClean === null ? "under way" : isClean ? "clean" : "findings"}</span> ${text}${id === "" ? "" : html` <code>drydock campaign report ${id}</code>`}${runs.map(({ href, rule }) => html` <a href="${href}">${rule}</a>`)}</li>`)}</ul></section>`}`;
}

const stepsAround = 6;

function seconds(ns: number): string {
  return `${(ns / 1e9).toFixed(6)} s`;
}

/** The verdicts, the first difference and the traces: the page's script makes the same from the same report. */
export function reportView(report: CaseReport, side: "bad" | "good" | null, step: number | null): Html {
  return html`<div class="verdicts">${verdict("Wrong driver", report.bad, !report.bad.succeeded)}${verdict("Right driver", report.good, report.good.succeeded)}</div>
${report.isSound ? "" : html`<p class="error" role="alert">This case does not show what it says: the wrong driver should fail and the right one succeed.</p>`}
${difference(report)}
${
  report.doctor.length === 0
    ? html`<p class="doctor"><b>The doctor</b> knows nothing from this evidence alone.</p>`
    : html`<div class="doctor"><b>The doctor</b>${report.doctor.map((word) => html`<p><a class="chip code" href="/symptoms/rule/${word.rule}">${word.rule}</a> ${word.claim}</p>${word.fix.length === 0 ? "" : html`<ul>${word.fix.map((line) => html`<li>${line}</li>`)}</ul>`}`)}</div>`
}
<div class="traces">${trace("Wrong driver", report.bad, report, side === "good" ? null : step)}${trace("Right driver", report.good, report, side === "bad" ? null : step)}</div>`;
}

function verdict(name: string, side: SideReport, asExpected: boolean): Html {
  return html`<div class="verdict ${side.succeeded ? "good" : "bad"}"><p class="name">${name}: ${side.succeeded ? "succeeds" : "fails"}${asExpected ? "" : " (unexpected)"}</p><p>${side.result}</p><p class="digest">digest <code>${side.digest}</code></p></div>`;
}

function difference(report: CaseReport): Html {
  const at = report.firstDifference;
  if (at === null)
    return html`<p class="first">${report.bad.steps.length === 0 ? "This case has no traffic: the drivers part in their evidence." : "On the wire both did the same: they part above it."}</p>`;
  const one = (name: string, step: CaseStep | undefined) =>
    html`<p><span class="name">${name}</span> <code>${step === undefined ? "nothing more" : step.text}</code>${step === undefined || step.cause === "" ? "" : html` <span class="cause">${step.cause}</span>`}</p>`;
  return html`<div class="first"><b>Here they part</b>, at step ${at}:${one("wrong", report.bad.steps[at])}${one("right", report.good.steps[at])}</div>`;
}

function trace(name: string, side: SideReport, report: CaseReport, asked: number | null): Html {
  const around = asked ?? report.firstDifference ?? 0;
  const from = Math.max(0, around - stepsAround);
  const to = Math.min(side.steps.length, around + 2 * stepsAround);
  const which = side === report.bad ? "bad" : "good";
  if (side.steps.length === 0)
    return html`<div class="trace"><h3>${name}</h3>${side.evidence.slice(0, 2).map((file) => html`<p class="meta">${file.name}</p><pre tabindex="0">${file.text}</pre>`)}${side.evidence.length === 0 ? html`<pre tabindex="0">${side.log.slice(0, 20).join("\n")}</pre>` : ""}</div>`;
  return html`<div class="trace"><h3>${name}, steps ${from} to ${Math.max(from, to - 1)} of ${side.steps.length}</h3><ol start="${from}">${side.steps
    .slice(from, to)
    .map((step, index) => {
      const number = from + index;
      const mark = number === asked ? "asked" : number === report.firstDifference ? "differs" : "";
      return html`<li value="${number}" class="${mark}" id="${which}-${number}"><a class="at" href="${casePath(report.id, { seed: report.seed, side: which, step: number })}#${which}-${number}">${seconds(step.timeNs)}</a> <code>${step.text}</code>${step.cause === "" ? "" : html` <span class="cause">${step.cause}</span>`}</li>`;
    })}</ol></div>`;
}

/** The same as plain text: for logs, chats, machines that read. */
export function reportText(report: CaseReport): string {
  const at = report.firstDifference;
  const lines = [
    `${report.id}  ${report.title}`,
    "",
    `Symptom: ${report.symptom}`,
    `Cause:   ${report.cause}`,
    `Seed:    ${report.seed}`,
    "",
    `wrong driver: ${report.bad.succeeded ? "succeeds" : "fails"}: ${report.bad.result}  [${report.bad.digest}]`,
    `right driver: ${report.good.succeeded ? "succeeds" : "fails"}: ${report.good.result}  [${report.good.digest}]`,
    "",
    ...(at === null
      ? ["no difference on the wire"]
      : [
          `first difference, step ${at}:`,
          `  wrong: ${report.bad.steps[at]?.text ?? "nothing more"}`,
          `  right: ${report.good.steps[at]?.text ?? "nothing more"}`,
        ]),
    ...report.doctor.map((word) => `doctor: ${word.rule}: ${word.claim}`),
    "",
    `npx drydock case ${report.id} --seed ${report.seed}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** A small picture that says the state: for a README elsewhere. */
export function badge(id: string, known: StillTrue): string {
  const colour = known.state === "holds" ? "#1a7f4b" : isAlarm(known.state) ? "#b3261e" : "#5b6876";
  const text = `${known.state}${known.version === null ? "" : ` on ${known.version}`}`;
  const [left, right] = [14 + id.length * 8, 16 + text.length * 6.6];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(left + right)}" height="20" role="img" aria-label="${id}: ${text}"><rect width="${left}" height="20" fill="#16202b"/><rect x="${left}" width="${Math.ceil(right)}" height="20" fill="${colour}"/><g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"><text x="7" y="14">${id}</text><text x="${left + 8}" y="14">${text}</text></g></svg>\n`;
}

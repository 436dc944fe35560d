// A campaign's report as one HTML file: nothing is fetched, no script runs.

import { defaultBoardPort } from "@drydock/board-server/guard";
import { xmlAttribute } from "@drydock/core/codec/xml/xml-text";
import {
  type CampaignFinding,
  type CampaignReport,
  isClean,
  strikeOptions,
} from "@drydock/core/trials/campaign-book";
import { campaignAddress } from "@drydock/lab/session/shown-campaign";

/** Where `npm start` and `drydock start` have the lab. */
const labPage = `http://localhost:${defaultBoardPort}/lab`;

function linkOf(rig: string, first: Pick<CampaignFinding, "faults" | "seed">): string {
  const address = campaignAddress(rig, first);
  if (address === null) return "";
  return `
<p><a href="${html(labPage + address)}">This run in the lab</a>, while <code>drydock start</code> runs.</p>`;
}

/** What a rig or a driver said is text, whatever it looks like. */
const html = xmlAttribute;

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8886; }
td:first-child, th:first-child { text-align: left; }
pre { overflow-x: auto; padding: .6rem .8rem; border: 1px solid #8886; border-radius: .3rem; }
.bad { font-weight: 600; }
`;

export function campaignPage(report: CampaignReport): string {
  const { failed, faults, findings, fired, lost, outcomes, rig, seed, seeds, tried } = report;
  const of = seeds === 0 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  const title = `${html(rig)}, ${of}: ${isClean(report) ? "every contract was kept" : `${failed} runs with findings`}`;
  const rows = Object.entries(faults)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(
      ([name, row]) =>
        `<tr><td>${html(name)}</td><td>${row.tried}</td><td>${row.fired}</td><td${row.failed > 0 ? ' class="bad"' : ""}>${row.failed}</td></tr>`,
    );
  const found = findings.map(
    ({ count, problem, rule, places, ...first }) => `<h2>${html(rule)}</h2>
<p>${count} runs, the first: ${html(problem)}</p>
${places.some((place) => place !== "") ? `<p>Struck: ${html(places.filter((place) => place !== "").join("; "))}</p>\n` : ""}<pre>drydock campaign run ${html(rig)} ${html(strikeOptions(first))}</pre>${linkOf(rig, first)}`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Drydock campaign: ${title}</title>
<style>${style}</style>
<h1>${title}</h1>
<p>${tried} faults tried, ${fired} struck${tried === fired ? "" : '; <span class="bad">what did not strike proves nothing</span>'}.</p>
<table>
<thead><tr><th scope="col">Fault</th><th scope="col">Tried</th><th scope="col">Struck</th><th scope="col">With findings</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<h2>How the runs ended</h2>
<ul>
${Object.entries(outcomes)
  .map(([outcome, count]) => `<li>${count} × ${html(outcome)}</li>`)
  .join("\n")}
</ul>
${found.join("\n")}
${lost.length === 0 ? "" : `<h2>Not run</h2>\n<ul>\n${lost.map(({ runs, why }) => `<li>${html(runs)}: ${html(why)}</li>`).join("\n")}\n</ul>`}
</html>
`;
}

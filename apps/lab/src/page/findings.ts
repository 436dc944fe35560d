// What runs say beyond their rows: where two part, what became of flushes, where a pulled cable ends.

import { h } from "preact";
import type { SessionState } from "../session/messages.ts";
import type { LabPage } from "./lab-page.ts";

/** Two runs side by side around the first row in which they differ. */
export function Parting({ page, state }: { readonly page: LabPage; readonly state: SessionState }) {
  const { difference } = state;
  if (difference === null) return null;
  const { against, here, rows, sequence, there } = difference;
  if (sequence === null)
    return h("p", { class: "difference", role: "status" }, `No difference on the wire against ${against}.`);
  return h(
    "section",
    { class: "difference" },
    h(
      "p",
      { role: "status" },
      `Against ${against} the first difference is `,
      h(
        "button",
        { type: "button", class: "link", onClick: () => void page.choose(sequence) },
        `row ${sequence}`,
      ),
      ": here ",
      h("code", null, here),
      ", there ",
      h("code", null, there),
    ),
    h(
      "details",
      { open: true },
      h("summary", null, "Side by side"),
      h(
        "table",
        { class: "parting" },
        h("caption", null, "The wire of both around the first difference; times do not count"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col" }, "Row here"),
            h("th", { scope: "col" }, "Here"),
            h("th", { scope: "col" }, "Row there"),
            h("th", { scope: "col" }, `There: ${against}`),
          ),
        ),
        h(
          "tbody",
          null,
          rows.map((row) =>
            h(
              "tr",
              { class: row.isEqual ? "" : "differs" },
              h("td", null, row.here?.sequence ?? ""),
              h("td", null, row.here === null ? "nothing more" : h("code", null, row.here.text)),
              h("td", null, row.there?.sequence ?? ""),
              h("td", null, row.there === null ? "nothing more" : h("code", null, row.there.text)),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Who was asked to flush, and what each layer made of it. */
export function Ledger({ state }: { readonly state: SessionState }) {
  const { ledger } = state;
  if (ledger === null) return null;
  return h(
    "table",
    { class: "ledger" },
    h("caption", null, "Flush ledger, from the file system down"),
    h(
      "tbody",
      null,
      ledger.lines.map((line) => {
        const [layer, ...rest] = line.split(": ");
        const isGuilty = layer === ledger.guilty;
        return h(
          "tr",
          { class: isGuilty ? "guilty" : "" },
          h("th", { scope: "row" }, layer),
          h("td", null, rest.join(": "), isGuilty ? h("b", null, " Here a flush was lost.") : ""),
        );
      }),
    ),
  );
}

/** A case's cable pulled before any step: the slider plays it again, and the verdict says how it ended. */
export function UnplugSlider({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null || state.unplugSteps === 0) return null;
  const { unplugAt = 0 } = state.opening;
  const to = (step: number): void =>
    page.go({ unplugAt: Math.max(0, Math.min(state.unplugSteps, step)), row: 0 });
  return h(
    "div",
    { class: "unplug-slider" },
    h("label", { for: "unplug-step" }, "The same, unplugged before step "),
    h("input", {
      id: "unplug-step",
      type: "range",
      min: 0,
      max: state.unplugSteps,
      value: unplugAt,
      onChange: (event: Event) => to(Number((event.target as HTMLInputElement).value)),
    }),
    h(
      "output",
      { for: "unplug-step" },
      unplugAt === 0 ? "as the case tells it" : `${unplugAt} of ${state.unplugSteps}`,
    ),
    h("button", { type: "button", class: "small", onClick: () => to(unplugAt - 1) }, "One earlier"),
    h("button", { type: "button", class: "small", onClick: () => to(unplugAt + 1) }, "One later"),
  );
}

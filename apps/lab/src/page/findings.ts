// What runs say beyond their rows: what became of flushes, where a pulled cable ends.

import { h } from "preact";
import type { SessionState } from "../session/messages.ts";
import type { LabPage } from "./lab-page.ts";

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

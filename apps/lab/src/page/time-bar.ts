// The bar that is always there: where time stands, and what moves it.

import { h } from "preact";
import type { LabPage } from "./lab-page.ts";
import { ActButton } from "./parts.ts";

const speeds: readonly [string, string][] = [
  ["0.001", "× 1/1000"],
  ["0.01", "× 1/100"],
  ["0.1", "× 1/10"],
  ["1", "× 1"],
  ["10", "× 10"],
  ["100", "× 100"],
  ["0", "as fast as it can"],
];

const modeWords = {
  busy: "busy",
  paused: "paused",
  running: "running",
  ended: "ended",
  stopped: "stopped",
} as const;

export function TimeBar({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return h("footer", { class: "time-bar" }, h("p", null, "Opening …"));
  const isRunning = state.mode === "running";
  return h(
    "footer",
    { class: "time-bar", "aria-label": "Time" },
    h(
      "div",
      { class: "buttons" },
      h(ActButton, { page, name: "again", label: "« Again" }),
      h(ActButton, { page, name: "back", label: "‹ Back" }),
      state.mode === "busy"
        ? h(
            "button",
            { type: "button", class: "act", title: "Key: Esc", onClick: () => page.link.cancel() },
            "Stop",
          )
        : null,
      isRunning
        ? h(ActButton, { page, name: "pause", label: "Pause" })
        : h(ActButton, { page, name: "run", label: "Run" }),
      h(ActButton, { page, name: "step", label: "Step ›" }),
    ),
    h(
      "div",
      { class: "facts" },
      h(
        "span",
        { class: `mode m-${state.mode}` },
        modeWords[state.mode],
        state.note === "" ? "" : `: ${state.note}`,
      ),
      h("span", null, "t = ", h("output", { class: "t" }, (state.timeNs / 1e9).toFixed(6)), " s"),
      h("span", null, "rows ", h("output", null, (state.next - 1).toLocaleString("en"))),
      state.lost > 0 ? h("span", { class: "lost" }, `${state.lost.toLocaleString("en")} given up`) : null,
    ),
    h(
      "form",
      {
        class: "settings",
        onSubmit: (event: Event) => {
          event.preventDefault();
          const field = (event.target as HTMLFormElement).elements.namedItem("seed") as HTMLInputElement;
          page.act("seed", field.value.trim());
        },
      },
      !state.acts.includes("speed")
        ? null
        : h(
            "label",
            { class: "speed" },
            "Speed ",
            h(
              "select",
              {
                value: String(state.speed),
                onChange: (event: Event) => page.act("speed", (event.target as HTMLSelectElement).value),
              },
              speeds.map(([value, text]) => h("option", { value }, text)),
            ),
          ),
      !state.acts.includes("seed")
        ? null
        : [
            h(
              "label",
              null,
              "Seed ",
              h("input", {
                name: "seed",
                inputMode: "numeric",
                maxLength: 10,
                size: 6,
                defaultValue: String(state.opening.seed),
                key: state.opening.seed,
              }),
            ),
            h("button", { type: "submit", class: "small" }, "Set"),
          ],
    ),
  );
}

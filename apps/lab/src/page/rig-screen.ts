// The rig as a picture: outlets, drivers, the port at the waist, transports, devices; what moves is seen to move.

import { h } from "preact";
import type { RigBox } from "../session/messages.ts";
import { isServerName, startedName } from "../session/opened-names.ts";
import { AllActs } from "./all-acts.ts";
import { Ledger } from "./findings.ts";
import { keptLab } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";
import { ActButton, CopyLine, copy, FaultSwitch, Switch, save, TakeAway } from "./parts.ts";
import { RigList } from "./rig-list.ts";
import { tsharkLine } from "./row-pool.ts";

const floors = ["outlet", "driver", "port", "transport", "device"] as const;
const floorWords = {
  outlet: "outlets",
  driver: "drivers",
  port: "port",
  transport: "transport",
  device: "devices",
} as const;
const stateWords = { running: "running", stopped: "stopped", faulted: "faulted", gone: "gone" } as const;
const wireHeight = 26;
/** A pulse runs along a wire per transfer, but no more of them a second than can be told apart. */
const mostPulses = 10;
/** Dashes that pass while the animation of the style sheet runs once. */
const pulsesAPeriod = 2;
/** Faults that are at hand without typing, each a switch. */
const usualFaults: readonly (readonly [string, string])[] = [
  ["stall:ep=0x81,nth=3", "Stall the third answer"],
  ["drop:ep=0x81,nth=10", "Drop the tenth"],
];
/** Rows before the end that a report tells. */
const reportedRows = 12;
/** A device that is let go of so far below its bus is off it. */
const nearPixels = 70;
/** The wire between the port and the bus: everything passes there. */
const wireId = "wire";

export function RigScreen({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return h("p", { class: "empty" }, "Opening …");
  if (state.isCase)
    return h(
      "section",
      { class: "rig" },
      h("h1", null, state.title),
      state.result === null
        ? null
        : h(
            "p",
            { class: state.result.succeeded ? "verdict good" : "verdict bad" },
            h("b", null, state.result.succeeded ? "Succeeds: " : "Fails: "),
            state.result.text,
          ),
      h("p", { class: "acts" }, h(FaultSwitch, { page })),
      h("p", { class: "empty" }, "It has run to its end already: its rows are in the trace."),
      h("p", null, h("a", { class: "button", href: page.addressOf({ screen: "trace" }) }, "To the trace")),
      h("p", null, h("a", { href: "#/rig/serial?seed=1" }, "Or open a rig that lives")),
    );
  const device = state.boxes.find(({ floor }) => floor === "device");
  const isThere = device?.state === "running";
  return h(
    "section",
    { class: "rig" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, h("span", { class: "soft" }, "Rig "), state.opening.what),
      h(
        "div",
        { class: "acts" },
        isThere
          ? h(ActButton, { page, name: "unplug", value: "1", kind: "main" })
          : h(ActButton, { page, name: "plug", value: "1", kind: "main" }),
        h(ActButton, { page, name: "power-cut" }),
        h(ActButton, { page, name: "write", label: "Write 64 blocks" }),
        h(ActButton, { page, name: "flush" }),
        h(ActButton, { page, name: "read-back" }),
        h(ActButton, { page, name: "press", label: "Press a key" }),
      ),
    ),
    state.mode === "stopped"
      ? h(
          "p",
          { class: "trouble", role: "alert" },
          state.note,
          h(ActButton, { page, name: "back", label: "The step before" }),
          h(ActButton, { page, name: "again" }),
          h("button", { type: "button", class: "act", onClick: () => void copyReport(page) }, "Copy report"),
          state.evidence.map((name, index) =>
            h(
              "button",
              { type: "button", class: "act", onClick: () => void save(page, "evidence", index) },
              `What a Mac would have written: ${name}`,
            ),
          ),
        )
      : null,
    device === undefined || isThere || state.mode === "stopped"
      ? null
      : h(
          "p",
          { class: "nothing" },
          "Nothing is plugged in: the driver waits for its device. Plug it in, or type ",
          h("code", null, "plug 1"),
          " behind Ctrl+K.",
        ),
    h(Ledger, { state }),
    h(
      "div",
      { class: "picture", role: "group", "aria-label": "The rig, from outlets down to devices" },
      picture(page, state.boxes),
    ),
    h(Inspector, { page }),
  );
}

function picture(page: LabPage, boxes: readonly RigBox[]) {
  const parts: unknown[] = [];
  let above: readonly RigBox[] = [];
  for (const floor of floors) {
    const these = boxes.filter((box) => box.floor === floor);
    if (these.length === 0) continue;
    if (above.length > 0) parts.push(wires(page, above, these, floor));
    parts.push(
      h(
        "div",
        { class: `floor f-${floor}` },
        h("span", { class: "floor-name" }, floorWords[floor]),
        these.map((box) => boxButton(page, box)),
      ),
    );
    above = these;
  }
  return parts as never;
}

function boxButton(page: LabPage, box: RigBox) {
  return h(
    "button",
    {
      type: "button",
      key: box.id,
      class: `box s-${box.state}`,
      "aria-pressed": page.box.value === box.id,
      "data-box": box.id,
      onClick: () => {
        page.box.value = box.id;
      },
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key === "Delete" && box.connector > 0) page.act("unplug", String(box.connector));
      },
      // A device that is drawn away from its bus is unplugged, one that is brought back is plugged in.
      ...(box.connector === 0
        ? {}
        : {
            draggable: true,
            onDragEnd: (event: DragEvent) => {
              const bus = document.querySelector(".f-transport")?.getBoundingClientRect();
              if (bus === undefined || (event.clientX === 0 && event.clientY === 0)) return;
              const isNear = event.clientY < bus.bottom + nearPixels;
              if (isNear !== (box.state === "running"))
                page.act(isNear ? "plug" : "unplug", String(box.connector));
            },
          }),
    },
    h("span", { class: "name" }, box.name),
    h("span", { class: "state" }, stateWords[box.state]),
  );
}

function wires(page: LabPage, above: readonly RigBox[], below: readonly RigBox[], floor: string) {
  const rate = page.rate.value;
  const place = (index: number, of: number): string => `${((index + 0.5) * 100) / of}%`;
  const lines = below.flatMap((to, at) =>
    above.flatMap((from, over) => {
      if (above.length === below.length && at !== over) return [];
      const isAlive = from.state === "running" && to.state === "running";
      return [
        h("line", {
          x1: place(over, above.length),
          y1: 0,
          x2: place(at, below.length),
          y2: wireHeight,
          class: `wire${isAlive ? (rate > 0 ? " moving" : "") : " dead"}`,
        }),
      ];
    }),
  );
  return h(
    "div",
    { class: "wires" },
    h(
      "svg",
      {
        width: "100%",
        height: wireHeight,
        "aria-hidden": "true",
        style: { "--pulse": `${pulsesAPeriod / Math.min(mostPulses, Math.max(1, rate))}s` },
      },
      lines,
    ),
    floor === "transport"
      ? h(
          "button",
          {
            type: "button",
            class: "rate",
            "aria-pressed": page.box.value === wireId,
            "aria-label": `The wire: ${rate > 0 ? `${rate} a second` : "quiet"}`,
            onClick: () => {
              page.box.value = wireId;
            },
          },
          rate > 0 ? `${rate}/s` : "quiet",
        )
      : null,
  );
}

function Inspector({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return null;
  if (page.box.value === wireId) return h(WireInspector, { page });
  const box = state.boxes.find(({ id }) => id === page.box.value);
  return h(
    "aside",
    { class: "inspector", "aria-label": "What is selected" },
    h("h2", null, box?.name ?? state.title),
    box === undefined
      ? h("p", { class: "soft" }, "Choose a box to see what it is.")
      : h("p", null, h("b", null, stateWords[box.state]), box.note === "" ? "" : `: ${box.note}`),
    box?.connector !== undefined && box.connector > 0
      ? h(
          "p",
          { class: "acts" },
          box.state === "running"
            ? h(ActButton, { page, name: "unplug", value: String(box.connector) })
            : h(ActButton, { page, name: "plug", value: String(box.connector) }),
        )
      : null,
    h("h3", null, "Try this"),
    state.acts.includes("type")
      ? h("p", null, h("a", { href: page.addressOf({ screen: "consoles" }) }, "Type something to the device"))
      : null,
    h(
      "p",
      null,
      h(
        "a",
        { href: "#/trace/P02?seed=7&side=bad&filter=SET_LINE_CODING" },
        "See the byte that was wrong in P02",
      ),
    ),
    keptLab !== null
      ? null
      : state.opening.what === startedName
        ? h(
            "p",
            null,
            h("a", { href: "#/rig/serial?seed=1" }, "Or a rig of this page alone, which goes back in time"),
          )
        : h(
            "p",
            null,
            h("a", { href: `#/rig/${startedName}` }, "Watch the rig of the server, with its real terminal"),
          ),
    state.tryThis.map((line) => h(CopyLine, { page, text: line, label: line })),
    h(AllActs, { page }),
    h(RigList, { page }),
    state.failures.length === 0
      ? null
      : h(
          "div",
          { class: "trouble" },
          state.failures.map((line) => h("p", null, line)),
        ),
  );
}

/** What runs on the wire, and what can be done to it. */
function WireInspector({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return null;
  return h(
    "aside",
    { class: "inspector", "aria-label": "What is selected" },
    h("h2", null, "The wire"),
    h(
      "p",
      null,
      `${state.transfers.toLocaleString("en")} rows of it so far, ${page.rate.value} a second now. `,
      h("a", { href: page.addressOf({ screen: "trace", level: "transfers" }) }, "Its transfers"),
    ),
    h("h3", null, "Do to it"),
    h("p", { class: "acts" }, h(ActButton, { page, name: "unplug-here" }), h(FaultSwitches, { page })),
    h(TakeAway, { page }),
    h(AllActs, { page }),
  );
}

/** Every fault that is on the wire, and those at hand: in or out, the run begins again with what is in. */
function FaultSwitches({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null || !state.acts.includes("fault")) return null;
  const { faults, what } = state.opening;
  const known = new Map(usualFaults);
  for (const rule of faults) if (!known.has(rule)) known.set(rule, `Fault ${rule}`);
  return [...known].map(([rule, label]) => {
    const isOn = faults.includes(rule);
    // A rig of the server is everybody's: it begins anew with a fault, and without one by "Begin again".
    if (isOn && isServerName(what)) return h("span", { key: rule }, `${label}: in`);
    return h(Switch, {
      key: rule,
      isOn,
      label,
      onClick: () =>
        isOn
          ? page.go({ faults: faults.filter((other) => other !== rule), row: 0 })
          : page.act("fault", rule),
    });
  });
}

/** What failed, how to make it fail again, and what came before: all of it is the rig's own, nothing of the desk. */
async function copyReport(page: LabPage): Promise<void> {
  const state = page.link.state.peek();
  if (state === null) return;
  const from = Math.max(0, state.shown - reportedRows);
  const rows = await page.link.rows(from, reportedRows);
  const lines = [
    `${state.title}, seed ${state.opening.seed}`,
    `stopped at ${(state.timeNs / 1e9).toFixed(6)} s: ${state.note}`,
    state.command,
    `digest ${state.digest}`,
    ...rows.map(tsharkLine),
  ];
  copy(page, `${lines.join("\n")}\n`, "report");
}

// Consoles besides the serial one: disk map, power clock, inputs, network. Each shows what the session tells.

import { type Signal, signal } from "@preact/signals";
import { type ComponentChild, h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  BlockState,
  type DiskMap,
  type DiskView,
  type InputsView,
  type NetworkLine,
  type NetworkView,
  type PowerView,
  type ViewAnswer,
} from "../session/views.ts";
import { Ledger } from "./findings.ts";
import type { LabPage } from "./lab-page.ts";
import { ActButton } from "./parts.ts";

const lookEveryMs = 400;

type Named<Name extends ViewAnswer["name"]> = Extract<ViewAnswer, { readonly name: Name }>;
type ConsoleName = "disk" | "power" | "inputs" | "network" | "iommu";

/** Asks again and again while it is looked at; what stands is asked for once. */
export function useView<Name extends ConsoleName>(
  page: LabPage,
  name: Name,
  view: Signal<Named<Name> | null>,
): Named<Name> | null {
  useEffect(() => {
    let isGone = false;
    let isAsking = false;
    let shown = "";
    const look = async (): Promise<void> => {
      const state = page.link.state.peek();
      if (isAsking || state === null) return;
      const key = [state.opened, state.opening.what, state.opening.seed, state.next, state.timeNs].join(" ");
      if (key === shown) return;
      isAsking = true;
      const answer = await page.link.view({ name });
      isAsking = false;
      if (isGone) return;
      view.value = answer?.name === name ? (answer as Named<Name>) : null;
      // A part that was not looked at yet is asked for again.
      shown = answer !== null && "left" in answer && answer.left > 0 ? "" : key;
    };
    void look();
    const timer = setInterval(() => void look(), lookEveryMs);
    return () => {
      isGone = true;
      view.value = null;
      clearInterval(timer);
    };
  }, []);
  return view.value;
}

const disks = signal<DiskView | null>(null);
const power = signal<PowerView | null>(null);
const inputs = signal<InputsView | null>(null);
const network = signal<NetworkView | null>(null);

const count = (value: number): string => value.toLocaleString("en");
const seconds = (ns: number, digits = 3): string => `${(ns / 1e9).toFixed(digits)} s`;

export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly ComponentChild[])[],
  name = "ledger",
) {
  return h(
    "div",
    { class: "wide", tabIndex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: name },
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          heads.map((head) => h("th", { scope: "col", key: head }, head)),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row, index) =>
          h(
            "tr",
            { key: index },
            row.map((cell) => h("td", null, cell)),
          ),
        ),
      ),
    ),
  );
}

const rowLink = (page: LabPage, sequence: number) =>
  h("a", { href: page.addressOf({ screen: "trace", row: sequence, filter: "" }) }, `row ${count(sequence)}`);

const stateWords: readonly (readonly [keyof typeof BlockState, string, string])[] = [
  ["flushed", "flushed", "on the medium"],
  ["dirty", "dirty", "in the disk's cache: a power cut may take them"],
  ["cut", "caught by a power cut", "dirty when the power went, and not read since"],
  ["lost", "lost", "read back, and not what was written"],
];
const wordOf = (state: number): string =>
  stateWords.find(([name]) => BlockState[name] === state)?.[1] ?? "never written";

export function DiskPart({ page }: { readonly page: LabPage }) {
  const now = useView(page, "disk", disks);
  const state = page.link.state.value;
  const isDisk = state !== null && (state.acts.includes("write") || state.ledger !== null);
  if (state === null || now === null || (now.disks.length === 0 && !isDisk)) return null;
  return h(
    "section",
    { class: "disks", "aria-label": "Disks" },
    h(
      "div",
      { class: "headline" },
      h("h2", null, "Disk"),
      h(
        "div",
        { class: "acts" },
        h(ActButton, { page, name: "write", label: "Write 64 blocks" }),
        h(ActButton, { page, name: "flush" }),
        h(ActButton, { page, name: "power-cut" }),
        h(ActButton, { page, name: "read-back" }),
      ),
    ),
    now.disks.length === 0
      ? h(
          "p",
          { class: "soft" },
          "No SCSI command of it has passed over USB: of a disk on PCI the ledger alone is known.",
        )
      : now.disks.map((disk) => h(OneDisk, { key: disk.title, page, disk, isWhole: now.isWhole })),
    now.left > 0 ? h("p", { class: "soft" }, `${count(now.left)} rows to look at`) : null,
    h(Ledger, { state }),
  );
}

/** Cells of the map in one line of it, by its width. */
const cellPixels = 12;

function OneDisk({
  disk,
  isWhole,
  page,
}: {
  readonly disk: DiskMap;
  readonly isWhole: boolean;
  readonly page: LabPage;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { blockBytes, blockCount, cells, counts, flushCount, flushes, from, perCell, runs } = disk;
  useEffect(() => {
    if (canvas.current !== null) paintMap(canvas.current, cells);
  });
  const size =
    blockCount === null || blockBytes === null
      ? "size unknown"
      : `${count(blockCount)} blocks of ${count(blockBytes)} bytes`;
  const sum = stateWords.map(([name, word]) => `${count(counts[name])} ${word}`).join(", ");
  return h(
    "div",
    { class: "one-disk" },
    h(
      "h3",
      null,
      disk.title,
      h("span", { class: "soft" }, ` ${size}`),
      disk.isThere ? null : h("b", null, " its power is gone"),
    ),
    h(
      "p",
      { class: "disk-says", role: "status" },
      cells.length === 0 ? "Nothing was written yet." : `${sum}.`,
    ),
    cells.length === 0
      ? null
      : h("canvas", {
          ref: canvas,
          class: "map",
          role: "img",
          "aria-label": `Map of blocks ${count(from)} to ${count(from + perCell * cells.length - 1)}: ${sum}. The same stands in the table below.`,
        }),
    cells.length === 0
      ? null
      : h(
          "p",
          { class: "soft" },
          `From block ${count(from)}; a cell is ${count(perCell)} ${perCell === 1 ? "block" : "blocks"} and has the gravest state in it. `,
          stateWords.map(([name, word, sentence]) =>
            h("span", { class: `key k-${name}`, key: name, title: sentence }, word),
          ),
        ),
    runs.length === 0
      ? null
      : table(
          "Blocks that are not on the medium for certain",
          ["Blocks", "State"],
          runs.map((run) => [
            run.blocks === 1 ? count(run.from) : `${count(run.from)} to ${count(run.from + run.blocks - 1)}`,
            wordOf(run.state),
          ]),
        ),
    flushes.length === 0
      ? h("p", { class: "no-flush" }, "No flush has reached this disk.")
      : table(
          `${count(flushCount)} ${flushCount === 1 ? "flush" : "flushes"} reached this disk`,
          ["Time", "What", "Trace"],
          flushes.map(({ sequence, text, timeNs }) => [seconds(timeNs, 6), text, rowLink(page, sequence)]),
        ),
    isWhole
      ? null
      : h("p", { class: "soft" }, "The oldest rows were given up: what they wrote is not in the map."),
    disk.isForgetful
      ? h("p", { class: "soft" }, "More was written than contents are kept of: not every lost block is seen.")
      : null,
  );
}

function paintMap(canvas: HTMLCanvasElement, cells: Uint8Array): void {
  const across = Math.max(1, Math.floor(canvas.clientWidth / cellPixels));
  const width = across * cellPixels;
  const height = Math.ceil(cells.length / across) * cellPixels;
  canvas.style.height = `${height}px`;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const style = getComputedStyle(canvas);
  // The legend below has each state's colour, as the theme makes it.
  const legend = canvas.parentElement;
  const colorOf = (name: string): string => {
    const key = legend?.querySelector(`.k-${name}`);
    return key == null ? style.color : getComputedStyle(key).borderLeftColor;
  };
  const colors = [style.outlineColor, ...stateWords.map(([name]) => colorOf(name))];
  for (const [index, state] of cells.entries()) {
    const [x, y] = [(index % across) * cellPixels, Math.floor(index / across) * cellPixels];
    context.fillStyle = colors[state];
    context.fillRect(x, y, cellPixels - 1, cellPixels - 1);
    // Not by colour alone: what is not safe has a mark of its own.
    context.fillStyle = style.color;
    if (state >= BlockState.dirty) context.fillRect(x + 3, y + 5, 5, 1);
    if (state >= BlockState.cut) context.fillRect(x + 5, y + 3, 1, 5);
    if (state === BlockState.lost) context.fillRect(x + 2, y + 2, 7, 7);
  }
}

export function PowerPart({ page }: { readonly page: LabPage }) {
  const now = useView(page, "power", power);
  if (now === null || (now.changes.length === 0 && page.link.state.value?.acts.includes("sleep") !== true))
    return null;
  return h(
    "section",
    { class: "power", "aria-label": "Power" },
    h(
      "div",
      { class: "headline" },
      h("h2", null, "Power clock"),
      h(
        "div",
        { class: "acts" },
        h(ActButton, { page, name: "sleep" }),
        h(ActButton, { page, name: "wake" }),
      ),
    ),
    now.changes.length === 0
      ? h("p", { class: "soft" }, "No driver has had its power changed: let the system sleep.")
      : table(
          "What each change took of the time that the kernel gives",
          ["Change", "Driver", "Taken of its budget", "", "Trace"],
          now.changes.map(({ budgetNs, by, from, sequence, service, to, tookNs }) => {
            const used = tookNs === null ? 1 : tookNs / budgetNs;
            const words =
              tookNs === null
                ? `never acknowledged within ${seconds(budgetNs)}`
                : `${seconds(tookNs)} of ${seconds(budgetNs)} (${Math.round(used * 100)} %), ${by}`;
            return [
              `${from} → ${to}`,
              service.split("/").at(-1) ?? service,
              h("span", { class: tookNs === null ? "over" : "" }, words),
              h("meter", {
                min: 0,
                max: 1,
                high: 0.8,
                low: 0.5,
                optimum: 0,
                value: Math.min(1, used),
                "aria-label": words,
              }),
              rowLink(page, sequence),
            ];
          }),
          "ledger budget",
        ),
    now.more > 0 ? h("p", { class: "soft" }, `and ${count(now.more)} older ones`) : null,
  );
}

const letters = Array.from({ length: 26 }, (_none, index) => String.fromCharCode(65 + index));
const padButtons = 10;

/** What is pressed by which number: rigs count keys round (rigs/catalogue.ts), and 0 is none. */
const buttonsOf = (device: string): readonly (readonly [string, number])[] =>
  /gamepad/.test(device)
    ? Array.from(
        { length: padButtons },
        (_none, index) => [`${index + 1}`, index === 0 ? padButtons : index] as const,
      )
    : letters.map((letter, index) => [letter, index === 0 ? letters.length : index] as const);

export function InputPart({ page }: { readonly page: LabPage }) {
  const now = useView(page, "inputs", inputs);
  const state = page.link.state.value;
  if (state === null || !state.acts.includes("press")) return null;
  const devices = state.boxes.filter(({ floor }) => floor === "device");
  return h(
    "section",
    { class: "inputs", "aria-label": "Inputs" },
    h("h2", null, "Inputs"),
    devices.map(({ connector, name, state: boxState }) =>
      h(
        "fieldset",
        { key: connector },
        h("legend", null, `${name} in connector ${connector}`),
        h(
          "div",
          { class: /gamepad/.test(name) ? "pad" : "keys-of" },
          buttonsOf(name).map(([label, value]) =>
            h(
              "button",
              {
                type: "button",
                class: "key-cap",
                key: label,
                "data-press": `${connector}:${value}`,
                "aria-label": `Press ${label} of the ${name}`,
                disabled: state.mode === "busy" || boxState !== "running",
                onClick: () => page.act("press", `${connector}:${value}`),
              },
              label,
            ),
          ),
        ),
      ),
    ),
    (now?.inputs ?? []).map(({ down, events, isGone, title, told }) =>
      h(
        "div",
        { class: "heard", key: title },
        h("h3", null, title, isGone ? h("b", null, " gone") : null),
        h(
          "p",
          { role: "status", class: "heard-says" },
          `${count(events)} events heard; down now: ${down.length === 0 ? "nothing" : down.join(", ")}.`,
        ),
        told.length === 0
          ? null
          : h(
              "ol",
              { class: "told", reversed: true },
              [...told]
                .reverse()
                .map((text, index) => h("li", { key: events - index, value: events - index }, text)),
            ),
      ),
    ),
  );
}

const networkRow = (line: NetworkLine): ComponentChild[] => [
  line.title,
  line.state,
  count(line.sentFrames),
  count(line.sentBytes),
  count(line.receivedFrames),
  count(line.receivedBytes),
  line.lostFrames === null ? "" : count(line.lostFrames),
  line.droppedFrames === null ? "" : count(line.droppedFrames),
];
const networkHeads = ["Name", "State", "Sent", "Bytes", "Received", "Bytes in", "Lost", "Dropped"];

export function NetworkPart({ page }: { readonly page: LabPage }) {
  const now = useView(page, "network", network);
  if (now === null || now.interfaces.length + now.cables.length === 0) return null;
  const most = Math.max(1, ...now.rates);
  const rate = Math.max(...now.rates, 0) * (1e9 / now.partNs);
  return h(
    "section",
    { class: "network", "aria-label": "Network" },
    h(
      "div",
      { class: "headline" },
      h("h2", null, "Network"),
      h("div", { class: "acts" }, h(ActButton, { page, name: "send-frames", label: "Send 10 frames" })),
    ),
    now.interfaces.length === 0
      ? null
      : table("Interfaces", networkHeads, now.interfaces.map(networkRow), "ledger counters"),
    now.cables.length === 0
      ? h("p", { class: "soft" }, "No frame has passed on a cable.")
      : table("Cables", networkHeads, now.cables.map(networkRow), "ledger counters"),
    h(
      "svg",
      {
        class: "rates",
        viewBox: `0 0 ${Math.max(1, now.rates.length)} 20`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Frames over the last ${seconds(now.rates.length * now.partNs, 1)}: at most ${count(rate)} a second`,
      },
      now.rates.map((value, index) =>
        h("rect", {
          key: index,
          x: index,
          width: 0.9,
          y: 20 - (20 * value) / most,
          height: (20 * value) / most,
        }),
      ),
    ),
    h(
      "p",
      { class: "soft" },
      `Frames over the last ${seconds(now.rates.length * now.partNs, 1)} of its time, at most ${count(rate)} a second.`,
    ),
  );
}

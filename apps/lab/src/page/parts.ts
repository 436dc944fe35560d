// Small parts that several screens use: a button of an act, a copied line, a menu of files.

import type { ComponentChildren } from "preact";
import { h } from "preact";
import { findAct } from "../session/acts.ts";
import type { FileForm } from "../session/messages.ts";
import { isCase } from "../session/opened-names.ts";
import type { LabPage } from "./lab-page.ts";

/** The button of an act; hidden where the session does not have it. */
export function ActButton(props: {
  readonly page: LabPage;
  readonly name: string;
  readonly value?: string;
  readonly label?: string;
  readonly kind?: string;
}) {
  const { kind = "", label, name, page, value = "" } = props;
  const act = findAct(name);
  const state = page.link.state.value;
  if (act === null || state === null || !(state.acts as readonly string[]).includes(name)) return null;
  return h(
    "button",
    {
      type: "button",
      class: `act ${kind}`,
      title: `${act.sentence}${act.key === "" ? "" : ` Key: ${act.key}`}`,
      "data-act": name,
      disabled: state.mode === "busy",
      onClick: () => page.act(name, value),
    },
    label ?? act.label,
  );
}

export function CopyLine(props: { readonly page: LabPage; readonly text: string; readonly label: string }) {
  const { label, page, text } = props;
  return h(
    "p",
    { class: "copy" },
    h("code", null, text),
    h(
      "button",
      {
        type: "button",
        class: "small",
        "aria-label": `Copy: ${label}`,
        onClick: () => copy(page, text, label),
      },
      "Copy",
    ),
  );
}

export function copy(page: LabPage, text: string, label: string): void {
  navigator.clipboard.writeText(text).then(
    () => page.link.say(`Copied: ${label}`),
    () => page.link.say("This browser does not let the page copy: mark the text instead.", true),
  );
}

/** The fault of a case is its wrong driver: out it is the right one, on the same seed. */
export function FaultSwitch({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null || !isCase(state.opening.what)) return null;
  const { side } = state.opening;
  return h(Switch, {
    isOn: side === "bad",
    label: side === "bad" ? "The fault is in: wrong driver" : "The fault is out: right driver",
    onClick: () => page.go({ side: side === "bad" ? "good" : "bad", row: 0 }),
  });
}

export function Switch(props: {
  readonly isOn: boolean;
  readonly label: string;
  readonly onClick: () => void;
}) {
  const { isOn, label, onClick } = props;
  return h(
    "button",
    { type: "button", class: "act switch", role: "switch", "aria-checked": isOn, onClick },
    h("span", { class: "knob", "aria-hidden": "true" }),
    label,
  );
}

const files: readonly [FileForm, string][] = [
  ["pcapng", "Capture for Wireshark (pcapng)"],
  ["perfetto", "Lanes for Perfetto (JSON)"],
  ["registry", "Registry, as ioreg prints it"],
  ["text", "Trace as text (TSV)"],
];

export async function save(page: LabPage, form: FileForm, evidence = 0): Promise<void> {
  const file = await page.link.file(form, evidence);
  if (file !== null) saveBlob(file.name, file.type, file.body);
}

export function saveBlob(name: string, type: string, body: Uint8Array | string): void {
  const url = URL.createObjectURL(new Blob([body as BlobPart], { type }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(url);
}

export function TakeAway({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return null;
  const json = () =>
    JSON.stringify(
      { ...state.opening, result: state.result, digest: state.digest, address: location.hash },
      null,
      2,
    );
  const item = (text: string, act: () => void): ComponentChildren =>
    h("button", { type: "button", class: "item", onClick: act }, text);
  return h(
    "details",
    { class: "menu" },
    h("summary", null, "Take away"),
    h(
      "div",
      { class: "items" },
      item("Copy link", () => copy(page, location.href, "link")),
      state.command === ""
        ? null
        : item("Copy command line", () => copy(page, state.command, "command line")),
      item("Copy JSON", () => copy(page, json(), "JSON")),
      files
        .filter(([form]) => form !== "registry" || !state.isCase)
        .map(([form, text]) => item(text, () => void save(page, form))),
      state.evidence.map((name, index) =>
        item(`Evidence: ${name}`, () => void save(page, "evidence", index)),
      ),
    ),
  );
}

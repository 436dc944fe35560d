// The consoles: a terminal on the serial port, through driver, bus and device; and what else the rig has.

import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { startedName } from "../session/opened-names.ts";
import { DiskPart, InputPart, NetworkPart, PowerPart } from "./console-parts.ts";
import { IommuPart } from "./iommu-part.ts";
import type { LabPage } from "./lab-page.ts";
import { OwnDevicePart } from "./own-device-part.ts";
import { ActButton } from "./parts.ts";
import type { LoadTerminal, PageTerminal } from "./terminal-door.ts";

export function ConsoleScreen({
  page,
  loadTerminal,
}: {
  readonly page: LabPage;
  readonly loadTerminal: LoadTerminal;
}) {
  const state = page.link.state.value;
  if (state === null) return h("p", { class: "empty" }, "Opening …");
  return h(
    "section",
    { class: "console" },
    h("h1", null, "Consoles", h("span", { class: "soft" }, ` of ${state.opening.what}`)),
    state.acts.includes("open-console") ? h(Serial, { page, loadTerminal }) : h(NoSerial, { page }),
    h(DiskPart, { page }),
    h(InputPart, { page }),
    h(NetworkPart, { page }),
    h(PowerPart, { page }),
    h(IommuPart, { page }),
    h(OwnDevicePart, { page }),
  );
}

/** Where the others are, when nothing here has a serial port. */
function NoSerial({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return null;
  return h(
    "p",
    { class: "soft" },
    state.opening.what === startedName
      ? "The terminal of this rig is a real one: drydock start said which."
      : "Nothing here has a serial port.",
    " Rigs with consoles: ",
    consoles.map(([what, words]) => [
      " ",
      h("a", { href: `#/consoles/${what}?seed=1`, key: what, class: "other-rig" }, words),
    ]),
  );
}

const consoles = [
  ["serial", "serial"],
  ["storage", "disk"],
  ["inputs", "inputs"],
  ["ethernet", "network"],
  ["nvme", "IOMMU"],
  ["P15", "power"],
] as const;

function Serial({ page, loadTerminal }: { readonly page: LabPage; readonly loadTerminal: LoadTerminal }) {
  const state = page.link.state.value;
  if (state === null) return null;
  const { isConsoleOpen, modemLines } = state;
  const line = (name: "dtr" | "rts", word: string) =>
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        name,
        checked: modemLines[name],
        disabled: !isConsoleOpen,
        onChange: (event: Event) => {
          const lines = { ...modemLines, [name]: (event.target as HTMLInputElement).checked };
          const names = [...(lines.dtr ? ["dtr"] : []), ...(lines.rts ? ["rts"] : [])];
          page.act("modem-lines", names.length === 0 ? "none" : names.join(" "));
        },
      }),
      ` ${word}`,
    );
  return h(
    "section",
    { class: "serial", "aria-label": "Serial console" },
    h(
      "div",
      { class: "headline" },
      h("h2", null, "Serial console"),
      h(
        "div",
        { class: "acts" },
        isConsoleOpen
          ? h("span", { class: "chip good" }, "open")
          : h(ActButton, { page, name: "open-console", kind: "main" }),
        line("dtr", "DTR"),
        line("rts", "RTS"),
        h(ActButton, { page, name: "break" }),
      ),
    ),
    h(Screen, { page, loadTerminal }),
    h(
      "form",
      {
        class: "type",
        onSubmit: (event: Event) => {
          event.preventDefault();
          const field = (event.target as HTMLFormElement).elements.namedItem("line") as HTMLInputElement;
          page.act("type", field.value === "" ? "\r" : `${field.value}\r\n`);
          field.value = "";
        },
      },
      h("label", { for: "line" }, "Type a line, or into the terminal"),
      h("input", { id: "line", name: "line", autocomplete: "off", disabled: !isConsoleOpen }),
      h("button", { type: "submit", class: "act main", disabled: !isConsoleOpen }, "Send"),
    ),
    h(
      "p",
      { class: "soft" },
      "The device has a loop-back plug: what goes out comes back, through driver, bus and chip. The trace shows each transfer of it.",
    ),
  );
}

/** The terminal itself; its script comes when a console is looked at for the first time. */
function Screen({ page, loadTerminal }: { readonly page: LabPage; readonly loadTerminal: LoadTerminal }) {
  const place = useRef<HTMLDivElement>(null);
  const terminal = useRef<PageTerminal | null>(null);
  const written = useRef({ run: "", length: 0 });
  const [trouble, setTrouble] = useState("Loading the terminal …");
  const state = page.link.state.value;
  const text = state?.console ?? "";
  const length = state?.consoleLength ?? 0;
  const run = state === null ? "" : JSON.stringify([state.opened, state.opening]);
  useEffect(() => {
    let isGone = false;
    loadTerminal().then(
      (open) => {
        if (isGone || place.current === null) return;
        const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
        terminal.current = open(place.current, { isReduced, onKeys: (keys) => page.act("type", keys) });
        written.current = { run: "", length: 0 };
        setTrouble("");
      },
      (error: unknown) => setTrouble(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      isGone = true;
      terminal.current?.end();
      terminal.current = null;
    };
  }, []);
  useEffect(() => {
    if (terminal.current === null) return;
    const before = written.current;
    // Of a run that went back there is less than was written.
    if (before.run !== run || length < before.length) {
      terminal.current.reset();
      written.current = { run, length: 0 };
    }
    const fresh = Math.min(text.length, length - written.current.length);
    if (fresh > 0) terminal.current.write(text.slice(text.length - fresh));
    written.current = { run, length };
  }, [run, text, length, trouble]);
  return h(
    "div",
    { class: "screen" },
    trouble === "" ? null : h("p", { class: "soft", role: "status" }, trouble),
    h("div", { class: "terminal", ref: place, "data-console": String(length) }),
  );
}

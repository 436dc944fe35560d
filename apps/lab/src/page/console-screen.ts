// The serial console: what comes out of the port, and a line to type; through the driver, the bus and the device.

import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { startedName } from "../session/server-names.ts";
import type { LabPage } from "./lab-page.ts";
import { ActButton } from "./parts.ts";

/** What a terminal would obey is shown, not obeyed. */
const visible = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    .replace(/(?![\n\t])\p{Cc}/gu, (letter) => `‹${letter.charCodeAt(0).toString(16).padStart(2, "0")}›`);

export function ConsoleScreen({ page }: { readonly page: LabPage }) {
  const output = useRef<HTMLPreElement>(null);
  const state = page.link.state.value;
  const text = state?.console ?? "";
  useEffect(() => {
    if (output.current !== null) output.current.scrollTop = output.current.scrollHeight;
  }, [text]);
  if (state === null) return h("p", { class: "empty" }, "Opening …");
  if (!state.acts.includes("open-console"))
    return h(
      "section",
      { class: "console" },
      h("h1", null, "Consoles"),
      h(
        "p",
        { class: "empty" },
        state.opening.what === startedName
          ? "The terminal of this rig is a real one: drydock start said which."
          : "Nothing here has a serial port.",
      ),
      h("p", null, h("a", { class: "button", href: "#/consoles/serial?seed=1" }, "Open a rig that has one")),
      h("p", { class: "copy" }, h("code", null, "npx drydock start serial")),
    );
  return h(
    "section",
    { class: "console" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, "Serial console"),
      h(
        "div",
        { class: "acts" },
        state.isConsoleOpen
          ? h("span", { class: "chip good" }, "open")
          : h(ActButton, { page, name: "open-console", kind: "main" }),
      ),
    ),
    h(
      "pre",
      { class: "screen", ref: output, role: "log", tabIndex: 0, "aria-label": "What came from the port" },
      visible(text),
    ),
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
      h("label", { for: "line" }, "Type to the device"),
      h("input", { id: "line", name: "line", autocomplete: "off", disabled: !state.isConsoleOpen }),
      h("button", { type: "submit", class: "act main", disabled: !state.isConsoleOpen }, "Send"),
    ),
    h(
      "p",
      { class: "soft" },
      "The device has a loop-back plug: what goes out comes back, through driver, bus and chip. The trace shows each transfer of it.",
    ),
  );
}

// The palette with every act, made from the one table of acts; and where the list of keys opens.

import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Act, acts, givenOf, textOf } from "../session/acts.ts";
import type { LabPage } from "./lab-page.ts";
import { LaterScreen } from "./later-screen.ts";

export function Dialogs({ page }: { readonly page: LabPage }) {
  const which = page.dialog.value;
  if (which === "") return null;
  return h(
    Modal,
    { page, label: which === "palette" ? "Acts" : "Keys", key: which },
    which === "palette" ? h(Palette, { page }) : h(LaterScreen, { load: page.loadScreens, name: "keys" }),
  );
}

function Modal({
  page,
  label,
  children,
}: {
  readonly page: LabPage;
  readonly label: string;
  readonly children?: unknown;
}) {
  const element = useRef<HTMLDialogElement>(null);
  // At once: what is typed right after the key belongs to the field.
  useLayoutEffect(() => {
    element.current?.showModal();
  }, []);
  return h(
    "dialog",
    { ref: element, "aria-label": label, onClose: () => (page.dialog.value = "") },
    children as never,
    h("form", { method: "dialog" }, h("button", { class: "small" }, "Close")),
  );
}

function Palette({ page }: { readonly page: LabPage }) {
  const [text, setText] = useState("");
  const state = page.link.state.value;
  const [word = ""] = text.trim().split(/\s/);
  const here = acts.filter(
    (act: Act) =>
      state !== null &&
      (state.acts as readonly string[]).includes(act.name) &&
      `${act.name} ${act.label}`.toLowerCase().includes(word.toLowerCase()),
  );
  const close = () => {
    page.dialog.value = "";
  };
  const run = (act: Act, value: string) => {
    try {
      page.act(act.name, givenOf(act, act.argument === "text" ? textOf(value) : value));
    } catch (error) {
      page.link.say(error instanceof Error ? error.message : String(error), true);
    }
    close();
  };
  return h(
    "div",
    { class: "palette" },
    h(
      "form",
      {
        onSubmit: (event: Event) => {
          event.preventDefault();
          const value = text.trim().slice(word.length).trim();
          const exact = here.find((act) => act.name === word) ?? here[0];
          if (exact !== undefined) run(exact, value);
          else page.link.say(`There is no act "${word}" here.`, true);
        },
      },
      h("label", { for: "palette-line" }, "An act, and what it takes"),
      h("input", {
        id: "palette-line",
        value: text,
        placeholder: "unplug 1",
        autocomplete: "off",
        autofocus: true,
        onInput: (event: Event) => setText((event.target as HTMLInputElement).value),
      }),
    ),
    h(
      "ul",
      null,
      here.map((act) =>
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              class: "item",
              "data-palette": act.name,
              onClick: () => run(act, text.trim().slice(word.length).trim()),
            },
            h("b", null, act.name),
            act.argument === "none" ? "" : ` ${act.usual}`,
            h("span", { class: "soft" }, ` ${act.sentence}`),
          ),
        ),
      ),
    ),
  );
}

// Every act of what is open as a button, with a field for what it takes: made from the one table.

import { h } from "preact";
import { useState } from "preact/hooks";
import { type Act, acts } from "../session/acts.ts";
import type { LabPage } from "./lab-page.ts";

export function AllActs({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  const [isOpen, open] = useState(false);
  if (state === null) return null;
  const here = acts.filter(({ name }) => state.acts.includes(name));
  return h(
    "details",
    {
      class: "all-acts",
      onToggle: (event: Event) => open((event.currentTarget as HTMLDetailsElement).open),
    },
    h("summary", null, "Everything one can do here"),
    // Closed it costs nothing: a state comes many times a second.
    isOpen
      ? h(
          "ul",
          null,
          here.map((act) => h("li", { key: act.name }, h(OneAct, { page, act }))),
        )
      : null,
  );
}

function OneAct({ page, act }: { readonly page: LabPage; readonly act: Act }) {
  const isBusy = page.link.state.value?.mode === "busy";
  const button = h(
    "button",
    { type: "submit", class: "act", "data-every-act": act.name, disabled: isBusy },
    act.label.replace(/ …$/, ""),
  );
  return h(
    "form",
    {
      onSubmit: (event: Event) => {
        event.preventDefault();
        const field = (event.target as HTMLFormElement).elements.namedItem("value");
        page.act(act.name, field instanceof HTMLInputElement ? field.value.trim() : "");
      },
    },
    act.argument === "none"
      ? null
      : h("input", {
          name: "value",
          size: 8,
          defaultValue: act.usual,
          "aria-label": `${act.label.replace(/ …$/, "")}: ${act.argument}`,
        }),
    button,
    h("span", { class: "soft" }, act.sentence),
  );
}

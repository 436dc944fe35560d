// The IOMMU of a rig or a case: what its functions may reach as ranges, and every refused access with what it missed.

import { signal } from "@preact/signals";
import { h } from "preact";
import type { IommuView } from "../session/views.ts";
import { table, useView } from "./console-parts.ts";
import type { LabPage } from "./lab-page.ts";

const view = signal<IommuView | null>(null);

/** The causes of a case whose symptom has several, one of which is played. */
function Causes({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null || state.causes.length === 0 || state.opening.side !== "bad") return null;
  const [cause = ""] = state.opening.faults;
  return h(
    "p",
    { class: "acts" },
    h("label", { for: "cause" }, "The wrong driver's habit "),
    h(
      "select",
      {
        id: "cause",
        value: cause,
        onChange: (event: Event) => {
          const { value } = event.target as HTMLSelectElement;
          page.go({ faults: value === "" ? [] : [value], row: 0 });
        },
      },
      h("option", { value: "" }, "as the case tells it"),
      state.causes.map((name) => h("option", { value: name, key: name }, name)),
    ),
  );
}

export function IommuPart({ page }: { readonly page: LabPage }) {
  const now = useView(page, "iommu", view);
  if (now === null) return null;
  const { ledger, mappings, more, refusals } = now;
  const most = Math.max(1, ...mappings.map(({ lengthBytes }) => lengthBytes));
  return h(
    "section",
    { class: "iommu", "aria-label": "IOMMU" },
    h("h2", null, "IOMMU"),
    h(Causes, { page }),
    ledger.length === 0
      ? null
      : h(
          "ul",
          { class: "dma-ledger" },
          ledger.map((line) => h("li", { key: line }, line)),
        ),
    table(
      `${mappings.length + more} ranges that the device may reach now`,
      ["Bus address", "Bytes", "Way", "Owner", "Length"],
      mappings.map(({ base, direction, lengthBytes, owner, requester }) => [
        `0x${base.toString(16)}`,
        lengthBytes.toLocaleString("en"),
        direction,
        `${owner} (${requester})`,
        h("meter", { min: 0, max: most, value: lengthBytes, "aria-label": `${lengthBytes} bytes` }),
      ]),
    ),
    more > 0 ? h("p", { class: "soft" }, `and ${more} more`) : null,
    h("h3", null, `Refused accesses: ${refusals.length}`),
    refusals.length === 0
      ? h("p", { class: "soft" }, "None: every access of the device lay inside a range.")
      : h(
          "ul",
          { class: "refusals" },
          refusals.map((text) => h("li", { key: text }, text)),
        ),
  );
}

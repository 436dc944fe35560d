// The IOMMU of a rig: what its functions may reach as ranges, and every refused access with what it missed.

import { signal } from "@preact/signals";
import { h } from "preact";
import { useEffect } from "preact/hooks";
import type { IommuView } from "../session/views.ts";
import type { LabPage } from "./lab-page.ts";

const lookEveryMs = 500;

const view = signal<IommuView | null>(null);

export function IommuPart({ page }: { readonly page: LabPage }) {
  useEffect(() => {
    let isGone = false;
    let isAsking = false;
    const look = async (): Promise<void> => {
      if (isAsking || page.link.state.peek() === null) return;
      isAsking = true;
      const answer = await page.link.view({ name: "iommu" });
      isAsking = false;
      if (!isGone) view.value = answer?.name === "iommu" ? answer : null;
    };
    void look();
    const timer = setInterval(() => void look(), lookEveryMs);
    return () => {
      isGone = true;
      view.value = null;
      clearInterval(timer);
    };
  }, []);
  const now = view.value;
  if (now === null) return null;
  const { mappings, more, refusals } = now;
  const most = Math.max(1, ...mappings.map(({ lengthBytes }) => lengthBytes));
  return h(
    "section",
    { class: "iommu" },
    h("h2", null, "IOMMU"),
    h(
      "table",
      { class: "ledger" },
      h("caption", null, `${mappings.length + more} ranges that the device may reach now`),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Bus address", "Bytes", "Way", "Owner", "Length"].map((name) =>
            h("th", { scope: "col", key: name }, name),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        mappings.map(({ base, direction, lengthBytes, owner, requester }) =>
          h(
            "tr",
            { key: base },
            h("td", null, `0x${base.toString(16)}`),
            h("td", null, lengthBytes.toLocaleString("en")),
            h("td", null, direction),
            h("td", null, `${owner} (${requester})`),
            h(
              "td",
              null,
              h("meter", { min: 0, max: most, value: lengthBytes, "aria-label": `${lengthBytes} bytes` }),
            ),
          ),
        ),
      ),
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

// Where two runs part, and both around that row.

import { h } from "preact";
import type { LabPage } from "./lab-page.ts";

/** Two runs side by side around the first row in which they differ. */
export function Parting({ page }: { readonly page: LabPage }) {
  const difference = page.link.state.value?.difference ?? null;
  if (difference === null) return null;
  const { against, here, rows, sequence, there } = difference;
  if (sequence === null)
    return h("p", { class: "difference", role: "status" }, `No difference on the wire against ${against}.`);
  return h(
    "section",
    { class: "difference" },
    h(
      "p",
      { role: "status" },
      `Against ${against} the first difference is `,
      h(
        "button",
        { type: "button", class: "link", onClick: () => void page.choose(sequence) },
        `row ${sequence}`,
      ),
      ": here ",
      h("code", null, here),
      ", there ",
      h("code", null, there),
    ),
    h(
      "details",
      { open: true },
      h("summary", null, "Side by side"),
      h(
        "table",
        { class: "parting" },
        h("caption", null, "The wire of both around the first difference; times do not count"),
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col" }, "Row here"),
            h("th", { scope: "col" }, "Here"),
            h("th", { scope: "col" }, "Row there"),
            h("th", { scope: "col" }, `There: ${against}`),
          ),
        ),
        h(
          "tbody",
          null,
          rows.map((row) =>
            h(
              "tr",
              { class: row.isEqual ? "" : "differs" },
              h("td", null, row.here?.sequence ?? ""),
              h("td", null, row.here === null ? "nothing more" : h("code", null, row.here.text)),
              h("td", null, row.there?.sequence ?? ""),
              h("td", null, row.there === null ? "nothing more" : h("code", null, row.there.text)),
            ),
          ),
        ),
      ),
    ),
  );
}

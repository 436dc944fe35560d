// The rigs that can be opened: the catalogue's in the page, and those that the server shows.

import { signal } from "@preact/signals";
import { h } from "preact";
import { listOf } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";

interface ListedRig {
  readonly name: string;
  readonly summary: string;
}

interface ListedRigs {
  readonly catalogue: readonly ListedRig[];
  readonly server: readonly ListedRig[];
}

const listed = signal<ListedRigs | null>(null);
const trouble = signal("");

/** Asked anew each time the list is opened: the server may show another one. */
async function load(): Promise<void> {
  try {
    listed.value = (await listOf("/lab/rigs", "rigs.json")) as ListedRigs;
    trouble.value = "";
  } catch {
    trouble.value = "The list of rigs could not be loaded: is the board still running?";
  }
}

export function RigList({ page }: { readonly page: LabPage }) {
  const { what } = page.address.value;
  const line = ({ name, summary }: ListedRig) =>
    h(
      "li",
      null,
      h(
        "a",
        {
          href: page.addressOf({
            screen: "rig",
            what: name,
            row: 0,
            filter: "",
            timeS: null,
            faults: [],
            acts: [],
          }),
          "aria-current": name === what ? "true" : undefined,
        },
        name,
      ),
      h("span", { class: "soft" }, ` ${summary}`),
    );
  return h(
    "details",
    {
      class: "rig-list",
      onToggle: (event: Event) => {
        if ((event.currentTarget as HTMLDetailsElement).open) void load();
      },
    },
    h("summary", null, "Other rigs"),
    trouble.value === "" ? null : h("p", { class: "trouble", role: "alert" }, trouble.value),
    listed.value === null
      ? h("p", { class: "soft" }, "Loading …")
      : [
          h("h3", null, "In this page"),
          h("ul", null, listed.value.catalogue.map(line)),
          h("h3", null, "On the server"),
          listed.value.server.length === 0
            ? h(
                "p",
                { class: "soft" },
                "None: ",
                h("code", null, "npx drydock start --lab raid"),
                " shows one, also a file of your own.",
              )
            : h("ul", null, listed.value.server.map(line)),
        ],
  );
}

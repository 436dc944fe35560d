// The casebook in the lab: every case with its state, and one played on a seed, wrong and right driver side by side.

import { signal } from "@preact/signals";
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isCase } from "../session/opened-names.ts";
import type { RunAnswer } from "./case-run.ts";
import { domOf } from "./dom-of.ts";
import { boardLink, listOf } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";
import { FaultSwitch } from "./parts.ts";

interface ListedCase {
  readonly id: string;
  readonly title: string;
  readonly symptom: string;
  readonly post: number | null;
  readonly stillTrue: { readonly state: string };
  readonly replies: number;
  readonly boosts: number;
  readonly views: number;
  /** ISO 8601; null without a post. */
  readonly activity: string | null;
  readonly runs: number;
}

/** Columns as the board's list of posts has them, and how often the case was run. */
const counts: readonly (readonly [string, (entry: ListedCase) => string])[] = [
  ["Post", ({ post }) => (post === null ? "" : String(post))],
  ["Replies", ({ replies }) => String(replies)],
  ["Boosts", ({ boosts }) => String(boosts)],
  ["Views", ({ views }) => String(views)],
  ["Activity", ({ activity }) => activity?.slice(0, 10) ?? ""],
  ["Runs", ({ runs }) => String(runs)],
];

export interface CaseRuns {
  /** `step`: both drivers are told around that step of theirs; null: around where they part. */
  play(id: string, seed: number, step: number | null): Promise<RunAnswer>;
}

const listed = signal<readonly ListedCase[] | null>(null);
const trouble = signal("");

async function load(): Promise<void> {
  try {
    listed.value = ((await listOf("/cases.json", "cases.json")) as { cases: ListedCase[] }).cases;
  } catch {
    trouble.value = "The list of cases could not be loaded: is the board still running?";
  }
}

export function CasesScreen({ page, runs }: { readonly page: LabPage; readonly runs: CaseRuns }) {
  useEffect(() => {
    if (listed.value === null) void load();
  }, []);
  const { what } = page.address.value;
  const chosen = listed.value?.find(({ id }) => id.toLowerCase() === what.toLowerCase());
  return h(
    "section",
    { class: "cases" },
    h("h1", null, chosen === undefined ? "Cases" : `${chosen.id} ${chosen.title}`),
    trouble.value === "" ? null : h("p", { class: "trouble", role: "alert" }, trouble.value),
    chosen === undefined || !isCase(what) ? null : h(OneCase, { page, runs, entry: chosen, key: chosen.id }),
    listed.value === null
      ? h("p", { class: "empty" }, "Loading …")
      : h(
          "table",
          { class: "list" },
          h("caption", null, `${listed.value.length} cases`),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              h("th", { scope: "col" }, "Case"),
              counts.map(([name]) => h("th", { scope: "col", class: "count" }, name)),
              h("th", { scope: "col" }, "State"),
              h("th", { scope: "col" }, "Trace"),
            ),
          ),
          h(
            "tbody",
            null,
            listed.value.map((entry) =>
              h(
                "tr",
                null,
                h(
                  "th",
                  { scope: "row" },
                  h(
                    "a",
                    {
                      href: page.addressOf({
                        screen: "cases",
                        what: entry.id,
                        faults: [],
                        acts: [],
                        row: 0,
                        filter: "",
                        timeS: null,
                      }),
                    },
                    `${entry.id} ${entry.title}`,
                  ),
                  h("p", { class: "soft" }, entry.symptom),
                ),
                counts.map(([, textOf]) => h("td", { class: "count" }, textOf(entry))),
                h(
                  "td",
                  null,
                  h(
                    "span",
                    { class: `chip ${entry.stillTrue.state === "holds" ? "good" : "plain"}` },
                    entry.stillTrue.state,
                  ),
                ),
                h(
                  "td",
                  null,
                  traceLink(page, entry.id, "bad", "wrong"),
                  " ",
                  traceLink(page, entry.id, "good", "right"),
                ),
              ),
            ),
          ),
        ),
  );
}

const traceLink = (page: LabPage, id: string, side: "bad" | "good", text: string) =>
  h(
    "a",
    {
      href: page.addressOf({
        screen: "trace",
        what: id,
        side,
        faults: [],
        acts: [],
        row: 0,
        filter: "",
        timeS: null,
      }),
      "aria-label": `Trace of ${id}, ${text} driver`,
    },
    text,
  );

function OneCase({
  page,
  runs,
  entry,
}: {
  readonly page: LabPage;
  readonly runs: CaseRuns;
  readonly entry: ListedCase;
}) {
  const place = useRef<HTMLDivElement>(null);
  const { seed } = page.address.value;
  const post = entry.post === null ? null : boardLink(`/p/${entry.post}`);
  const [step, setStep] = useState<number | null>(null);
  const [known, setKnown] = useState<{ readonly parting: number | null; readonly steps: number } | null>(
    null,
  );
  useEffect(() => {
    const target = place.current;
    if (target === null) return;
    target.setAttribute("aria-busy", "true");
    if (target.childElementCount === 0) target.textContent = "Both drivers run …";
    runs
      .play(entry.id, seed, step)
      .then((answer) => {
        if ("error" in answer) throw new Error(answer.error);
        const made = domOf(answer.html, document);
        for (const link of made.querySelectorAll("a")) {
          const to = boardLink(link.getAttribute("href") ?? "/");
          // Where there is no board its words stay.
          if (to === null) link.replaceWith(...link.childNodes);
          else link.setAttribute("href", to);
        }
        target.replaceChildren(made);
        target.dataset.digests = answer.digests.join(" ");
        setKnown({ parting: answer.parting, steps: answer.steps });
      })
      .catch((error: unknown) => {
        target.textContent = error instanceof Error ? error.message : String(error);
      })
      .finally(() => target.removeAttribute("aria-busy"));
  }, [entry.id, seed, step]);
  return h(
    "div",
    { class: "one-case" },
    h("p", null, entry.symptom),
    h(
      "p",
      { class: "acts" },
      h(FaultSwitch, { page }),
      traceLink(page, entry.id, "bad", "Trace of the wrong driver"),
      traceLink(page, entry.id, "good", "Trace of the right driver"),
      post === null ? null : h("a", { href: post }, "Its post on the board"),
    ),
    known === null || known.steps === 0
      ? null
      : h(Lockstep, { ...known, step: step ?? known.parting ?? 0, onStep: setStep }),
    h("div", { class: "result", ref: place }),
  );
}

/** Both drivers go on by one transfer of theirs at a time, or back. */
function Lockstep(props: {
  readonly parting: number | null;
  readonly steps: number;
  readonly step: number;
  readonly onStep: (step: number | null) => void;
}) {
  const { onStep, parting, step, steps } = props;
  const button = (text: string, to: number | null, isOff: boolean) =>
    h("button", { type: "button", class: "small", disabled: isOff, onClick: () => onStep(to) }, text);
  return h(
    "p",
    { class: "acts lockstep" },
    "Both in lockstep: ",
    button("‹ One back", step - 1, step <= 0),
    h("output", null, `step ${step} of ${steps}`),
    button("One on ›", step + 1, step >= steps - 1),
    parting === null ? null : button("To where they part", null, false),
  );
}

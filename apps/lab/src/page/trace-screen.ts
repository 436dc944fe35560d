// The trace: a filter, a table of any length, and one row opened into fields, bytes, cause and effects.

import { effect } from "@preact/signals";
import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import {
  type ByteField,
  markParts,
  type RowCells,
  type RowDetail,
  type RowLevel,
  rowLevels,
} from "../session/messages.ts";
import { AllActs } from "./all-acts.ts";
import { filterWords } from "./filter-words.ts";
import { Ledger, UnplugSlider } from "./findings.ts";
import type { LabPage } from "./lab-page.ts";
import { LaterScreen } from "./later-screen.ts";
import { ActButton, copy, FaultSwitch, TakeAway } from "./parts.ts";
import { cellTexts, columnNames, RowPool, tsharkLine } from "./row-pool.ts";
import { Splitter } from "./splitter.ts";

export function TraceScreen({
  page,
  isSmall = false,
}: {
  readonly page: LabPage;
  readonly isSmall?: boolean;
}) {
  return h(
    "section",
    { class: `trace${isSmall ? " small" : ""}`, "data-digest": page.link.state.value?.digest ?? "" },
    isSmall ? h("h2", null, "Trace") : h(TraceHead, { page }),
    h(TraceTable, { page }),
    isSmall || page.detail.value === null
      ? null
      : h(Splitter, { name: "trace", label: "Height of the opened row", usual: 38, isBelow: true }),
    isSmall ? null : h(RowInspector, { page }),
  );
}

function TraceHead({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return h("p", { class: "empty" }, "Opening …");
  const { result } = state;
  return h(
    "div",
    { class: "trace-head" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, h("span", { class: "soft" }, "Trace "), state.title),
      h(
        "div",
        { class: "acts" },
        h(FaultSwitch, { page }),
        h(ActButton, { page, name: "unplug-here" }),
        h(ActButton, { page, name: "against-side" }),
        h(ActButton, {
          page,
          name: "against-seed",
          value: String(state.opening.seed + 1),
          label: `Against seed ${state.opening.seed + 1}`,
        }),
        h(TakeAway, { page }),
      ),
    ),
    h(AllActs, { page }),
    result === null
      ? null
      : h(
          "p",
          { class: result.succeeded ? "verdict good" : "verdict bad" },
          h("b", null, result.succeeded ? "Succeeds: " : "Fails: "),
          result.text,
        ),
    h(UnplugSlider, { page }),
    h(Ledger, { state }),
    state.difference === null ? null : h(LaterScreen, { load: page.loadScreens, name: "parting" }),
    h(FilterLine, { page }),
  );
}

const levelWords: Readonly<Record<RowLevel, string>> = {
  rows: "every row",
  transfers: "transfers",
  calls: "calls",
};

function FilterLine({ page }: { readonly page: LabPage }) {
  const state = page.link.state.value;
  if (state === null) return null;
  return h(
    "form",
    { class: "filter", onSubmit: (event: Event) => event.preventDefault() },
    h("label", { for: "filter" }, "Filter"),
    h("input", {
      id: "filter",
      type: "search",
      value: page.address.value.filter,
      placeholder: "SET_LINE_CODING   ep:0x81   length>0 and not status:ok",
      "aria-invalid": state.filterProblem !== "",
      "aria-describedby": "filter-says",
      spellcheck: false,
      list: "filter-words",
      onInput: (event: Event) => page.list({ filter: (event.target as HTMLInputElement).value }),
    }),
    h(
      "datalist",
      { id: "filter-words" },
      filterWords.map((word) => h("option", { value: word })),
    ),
    h(
      "label",
      null,
      "Level ",
      h(
        "select",
        {
          name: "level",
          value: page.address.value.level,
          onChange: (event: Event) =>
            page.list({ level: (event.target as HTMLSelectElement).value as RowLevel }),
        },
        rowLevels.map((level) => h("option", { value: level }, levelWords[level])),
      ),
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        name: "fold",
        checked: page.address.value.isFolded,
        onChange: (event: Event) => page.list({ isFolded: (event.target as HTMLInputElement).checked }),
      }),
      " Fold equal rows",
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        name: "mark",
        checked: page.address.value.isMarked,
        onChange: (event: Event) => page.list({ isMarked: (event.target as HTMLInputElement).checked }),
      }),
      " Mark hits among all",
    ),
    state.wish.text === "" && state.difference === null
      ? null
      : h(
          "span",
          { class: "acts" },
          hitButton(page, true, "‹ Hit", "To the hit before. Key: N"),
          hitButton(page, false, "Hit ›", "To the next hit. Key: n"),
        ),
    h(
      "p",
      { id: "filter-says", class: state.filterProblem === "" ? "soft" : "problem" },
      state.filterProblem !== ""
        ? state.filterProblem
        : state.wish.text === "" && state.unfiltered === 0
          ? `${state.shown.toLocaleString("en")} rows${state.lost > 0 ? `; ${state.lost.toLocaleString("en")} earlier ones were given up` : ""}`
          : `${state.hits.toLocaleString("en")} ${state.hits === 1 ? "hit" : "hits"}${state.hits < state.shown ? ` among ${state.shown.toLocaleString("en")} rows` : ""}${state.unfiltered > 0 ? `, ${state.unfiltered.toLocaleString("en")} rows to look at` : ""}`,
    ),
  );
}

const hitButton = (page: LabPage, isBack: boolean, text: string, title: string) =>
  h(
    "button",
    {
      type: "button",
      class: "small",
      title,
      "data-hit": isBack ? "before" : "next",
      onClick: () => void page.toHit(isBack),
    },
    text,
  );

/** Beside the scrollbar: where in the list hits lie, and rows in which two runs differ. */
function Marks({ page }: { readonly page: LabPage }) {
  const marks = page.link.state.value?.marks ?? [];
  if (marks.length === 0) return null;
  return h(
    "svg",
    { class: "marks", viewBox: `0 0 1 ${markParts}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    marks.map((part) => h("rect", { key: part, y: part, width: 1, height: 1 })),
  );
}

/** More than this is a file's work: "Trace as text". */
const mostCopied = 10_000;
const rowsAsked = 500;

async function copyRows(page: LabPage, from: number, to: number, isLikeTshark: boolean): Promise<void> {
  const count = to - from + 1;
  if (count > mostCopied) {
    page.link.say(`${count} rows are more than ${mostCopied}: take the trace away as text.`, true);
    return;
  }
  const lines: string[] = [];
  for (let at = from; at <= to; at += rowsAsked)
    for (const cells of await page.link.rows(at, Math.min(rowsAsked, to - at + 1)))
      lines.push(isLikeTshark ? tsharkLine(cells) : cellTexts(cells).join("\t"));
  copy(page, `${lines.join("\n")}\n`, `${lines.length} ${lines.length === 1 ? "row" : "rows"}`);
}

function TraceTable({ page }: { readonly page: LabPage }) {
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (scroller.current === null) return;
    const pool = new RowPool(scroller.current, {
      rows: (from, count) => page.link.rows(from, count),
      onSelect: (cells) => {
        page.folded.value = cells.last === undefined ? null : { from: cells.sequence, to: cells.last };
        void page.choose(cells.sequence, false);
      },
      onCopy: (from, to, isLikeTshark) => void copyRows(page, from, to, isLikeTshark),
    });
    // A case is read from its beginning; a rig that lives is followed.
    pool.isFollowing = page.link.state.peek()?.isCase !== true;
    /** A row of the address, until there are rows to look for it in. */
    let wanted = page.address.peek().row;
    const reveal = async (sequence: number): Promise<void> => {
      const place = await page.link.place(sequence);
      if (place !== pool.selectedPlace) pool.select(place);
    };
    page.onReveal = (sequence) => void reveal(sequence);
    let before = "";
    const end = effect(() => {
      const state = page.link.state.value;
      if (state === null) return pool.clear();
      const { faults, seed, side, unplugAt, what } = state.opening;
      const key = JSON.stringify([state.opened, what, seed, side, faults, unplugAt, state.wish]);
      const isOther = key !== before || state.mode !== "running";
      if (key !== before) {
        pool.clear();
        pool.isFollowing = !state.isCase;
      }
      before = key;
      pool.setCount(state.shown, isOther);
      if (wanted > 0 && state.shown > 0) {
        void reveal(wanted);
        wanted = 0;
      }
      page.afterStep(state.next - 1);
    });
    return () => {
      end();
      page.onReveal = null;
    };
  }, []);
  return h(
    "div",
    { class: "table" },
    h(
      "div",
      {
        class: "scroller",
        ref: scroller,
        role: "grid",
        tabIndex: 0,
        "aria-label": "Rows of the trace",
        "aria-colcount": columnNames.length,
        "aria-multiselectable": "true",
      },
      h(
        "div",
        { role: "rowgroup", class: "head" },
        h(
          "div",
          { role: "row", class: "row", "aria-rowindex": 1 },
          columnNames.map((name) =>
            h("span", { role: "columnheader", class: `c-${name.toLowerCase()}` }, name),
          ),
        ),
      ),
    ),
    h(Marks, { page }),
  );
}

function RowInspector({ page }: { readonly page: LabPage }) {
  const detail = page.detail.value;
  if (detail === null)
    return h(
      "aside",
      { class: "row-inspector" },
      h(
        "p",
        { class: "soft" },
        page.link.state.value?.isCase === true && page.link.state.value.shown === 0
          ? "Nothing of this run was recorded row by row: its result above is what there is."
          : "Choose a row: arrow keys, or a click. Here it opens into its fields, its bytes, and what led to it.",
      ),
    );
  return h(OpenRow, { page, detail });
}

/** A folded run, and the way into it. */
function Folded({ page }: { readonly page: LabPage }) {
  const folded = page.folded.value;
  if (folded === null) return null;
  const { from, to } = folded;
  return h(
    "p",
    { class: "folded" },
    `Rows ${from} to ${to} are folded into one. `,
    h(
      "button",
      {
        type: "button",
        class: "link",
        onClick: () => {
          const { filter } = page.address.peek();
          page.list({
            filter: `no>=${from} and no<=${to}${filter === "" ? "" : ` and (${filter})`}`,
            isFolded: false,
          });
        },
      },
      "Show them one by one",
    ),
  );
}

function OpenRow({ page, detail }: { readonly page: LabPage; readonly detail: RowDetail }) {
  const [marked, mark] = useState(-1);
  const { cells, fields } = detail;
  const wrong = fields.findIndex(({ problem }) => problem !== undefined);
  const shownField = fields[marked >= 0 ? marked : wrong];
  const jump = (row: RowCells) =>
    h(
      "button",
      { type: "button", class: "link", onClick: () => void page.choose(row.sequence) },
      `${row.sequence} ${row.what}`,
      row.status === "" ? "" : ` → ${row.status}`,
    );
  return h(
    "aside",
    { class: "row-inspector", "aria-label": `Row ${cells.sequence}` },
    h(
      "div",
      { class: "whole" },
      h(
        "div",
        { class: "headline" },
        h("h2", null, `Row ${cells.sequence}: ${cells.what}`),
        h(
          "button",
          { type: "button", class: "small", title: "Key: Esc", onClick: () => page.close() },
          "Close",
        ),
      ),
      h(Folded, { page }),
      h(
        "p",
        { class: "who" },
        "Driver call: ",
        cells.who === "" ? h("span", { class: "soft" }, "none known") : h("code", null, cells.who),
      ),
      h(
        "p",
        null,
        "Caused by: ",
        detail.cause === null
          ? h("span", { class: "soft" }, "nothing known")
          : detail.cause === "lost"
            ? "a row that was given up"
            : jump(detail.cause),
      ),
      detail.effects.length === 0
        ? null
        : h(
            "div",
            null,
            "Led to: ",
            h(
              "ul",
              null,
              detail.effects.map((row) => h("li", null, jump(row))),
            ),
          ),
    ),
    fields.length === 0
      ? null
      : h(
          "table",
          { class: "fields" },
          h("caption", null, "Fields"),
          h(
            "tbody",
            null,
            fields.map((field, index) =>
              h(
                "tr",
                {
                  class: `${field.problem === undefined ? "" : "problem"}${field === shownField ? " marked" : ""}`,
                },
                h(
                  "th",
                  { scope: "row" },
                  h("button", { type: "button", class: "link", onClick: () => mark(index) }, field.name),
                ),
                h(
                  "td",
                  null,
                  field.value,
                  field.problem === undefined ? "" : h("b", null, ` wrong: ${field.problem}`),
                ),
              ),
            ),
          ),
        ),
    detail.bytes.length === 0
      ? null
      : h(HexView, {
          detail,
          marked: shownField,
          onByte: (at) => mark(fields.findIndex(({ from, to }) => at >= from && at < to)),
        }),
  );
}

function HexView(props: {
  readonly detail: RowDetail;
  readonly marked: ByteField | undefined;
  readonly onByte: (at: number) => void;
}) {
  const { detail, marked, onByte } = props;
  const lines: unknown[] = [];
  for (let from = 0; from < Math.min(detail.bytes.length, 512); from += 16)
    lines.push(
      h(
        "div",
        { class: "line" },
        h("span", { class: "offset" }, from.toString(16).padStart(4, "0")),
        [...detail.bytes.subarray(from, from + 16)].map((byte, index) => {
          const at = from + index;
          const isMarked = marked !== undefined && at >= marked.from && at < marked.to;
          const isBad = isMarked && marked.problem !== undefined;
          // The space is there for who copies the bytes.
          return [
            " ",
            h(
              "span",
              { class: `byte${isMarked ? " marked" : ""}${isBad ? " bad" : ""}`, onClick: () => onByte(at) },
              byte.toString(16).padStart(2, "0"),
            ),
          ];
        }),
      ),
    );
  const rest = detail.more + Math.max(0, detail.bytes.length - 512);
  return h(
    "div",
    {
      class: "hex",
      role: "img",
      "aria-label": `Bytes: ${[...detail.bytes.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`,
    },
    lines as never,
    rest === 0 ? null : h("p", { class: "soft" }, `${rest} more bytes`),
  );
}

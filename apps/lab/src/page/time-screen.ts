// Time as lanes: queues, endpoints, interrupts, power, faults, log; a span by mouse or keys, and the same span as text.

import { effect, signal } from "@preact/signals";
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { LanesView } from "../session/views.ts";
import type { LabPage } from "./lab-page.ts";

const laneHeight = 24;
const lookEveryMs = 250;
/** A span shorter than this holds nothing to see, nanoseconds. */
const shortestNs = 10;

const view = signal<LanesView | null>(null);
const trouble = signal("");

interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}
/** Null: everything. */
const span = signal<Span | null>(null);
/** What is being brushed, in pixels. */
const brush = signal<{ readonly from: number; readonly to: number } | null>(null);

const seconds = (ns: number): string => {
  const text = (ns / 1e9).toFixed(9).replace(/0+$/, "");
  return text.endsWith(".") ? `${text}0` : text;
};

/** "0.5-0.75" of the address. */
function spanOf(text: string): Span | null {
  const [, from, to] = /^(\d{1,7}(?:\.\d{1,9})?)-(\d{1,7}(?:\.\d{1,9})?)$/.exec(text) ?? [];
  if (from === undefined || Number(to) <= Number(from)) return null;
  return { fromNs: Number(from) * 1e9, toNs: Number(to) * 1e9 };
}

export function TimeScreen({ page }: { readonly page: LabPage }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const asked = useRef({ key: "", isAsking: false });

  const set = (next: Span | null): void => {
    const all = view.peek();
    let to = next;
    if (to !== null && all !== null) {
      const length = Math.max(shortestNs, Math.min(to.toNs - to.fromNs, all.lastNs - all.firstNs));
      const fromNs = Math.max(all.firstNs, Math.min(to.fromNs, all.lastNs - length));
      to = { fromNs, toNs: fromNs + length };
    }
    span.value = to;
    page.show({ span: to === null ? "" : `${seconds(to.fromNs)}-${seconds(to.toNs)}` });
    void ask();
  };

  const ask = async (): Promise<void> => {
    const state = page.link.state.peek();
    const place = canvas.current;
    if (state === null || place === null || asked.current.isAsking) return;
    const { fromNs = 0, toNs = 0 } = span.peek() ?? {};
    const pixels = Math.max(50, place.clientWidth);
    const key = [state.opened, state.opening.what, state.next, fromNs, toNs, pixels].join(" ");
    if (key === asked.current.key && (view.peek()?.left ?? 0) === 0) return;
    asked.current.isAsking = true;
    const answer = await page.link.view({ name: "lanes", fromNs, toNs, pixels });
    asked.current = { key, isAsking: false };
    if (answer?.name === "lanes") {
      view.value = answer;
      trouble.value = "";
    } else if (answer?.name === "none") trouble.value = answer.why;
    // What was asked meanwhile, and rows that were not looked at yet.
    const now = span.peek();
    if ((now?.fromNs ?? 0) !== fromNs || (now?.toNs ?? 0) !== toNs || (view.peek()?.left ?? 0) > 0)
      void ask();
  };

  useEffect(() => {
    span.value = spanOf(page.address.peek().span);
    asked.current.key = "";
    void ask();
    const timer = setInterval(() => void ask(), lookEveryMs);
    const end = effect(() => {
      // Of what is being opened there is nothing yet, and nothing of what was before.
      if (page.link.state.value === null) view.value = null;
      const lanes = view.value;
      const area = brush.value;
      if (canvas.current !== null && lanes !== null) paint(canvas.current, lanes, area);
    });
    const resized = new ResizeObserver(() => void ask());
    if (canvas.current !== null) resized.observe(canvas.current);
    const place = canvas.current;
    // A wheel that zooms must not scroll: Preact's own listener cannot say so.
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, event.offsetX / Math.max(1, place?.clientWidth ?? 1));
    };
    place?.addEventListener("wheel", wheel, { passive: false });
    return () => {
      clearInterval(timer);
      end();
      resized.disconnect();
      place?.removeEventListener("wheel", wheel);
    };
  }, []);

  const shownSpan = (): Span | null => {
    const lanes = view.peek();
    return lanes === null ? null : (span.peek() ?? { fromNs: lanes.firstNs, toNs: lanes.lastNs });
  };
  const zoom = (times: number, at: number): void => {
    const now = shownSpan();
    if (now === null) return;
    const length = now.toNs - now.fromNs;
    const fromNs = now.fromNs + length * at * (1 - times);
    set({ fromNs, toNs: fromNs + length * times });
  };
  const pan = (part: number): void => {
    const now = shownSpan();
    if (now === null) return;
    const by = (now.toNs - now.fromNs) * part;
    set({ fromNs: now.fromNs + by, toNs: now.toNs + by });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Readonly<Record<string, () => void>> = {
      w: () => zoom(0.5, 0.5),
      s: () => zoom(2, 0.5),
      a: () => pan(-0.25),
      d: () => pan(0.25),
      f: () => set(null),
      "+": () => zoom(0.5, 0.5),
      "-": () => zoom(2, 0.5),
      ArrowLeft: () => pan(-0.25),
      ArrowRight: () => pan(0.25),
      Home: () => set(null),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  };
  const drag = useRef<{ readonly x: number; readonly isPan: boolean; readonly span: Span } | null>(null);
  const down = (event: PointerEvent): void => {
    const now = shownSpan();
    if (event.button !== 0 || now === null) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    drag.current = { x: event.offsetX, isPan: event.shiftKey, span: now };
  };
  const move = (event: PointerEvent): void => {
    const begun = drag.current;
    const width = Math.max(1, canvas.current?.clientWidth ?? 1);
    if (begun === null) return;
    if (!begun.isPan) brush.value = { from: begun.x, to: event.offsetX };
    else {
      const by = ((begun.x - event.offsetX) / width) * (begun.span.toNs - begun.span.fromNs);
      set({ fromNs: begun.span.fromNs + by, toNs: begun.span.toNs + by });
    }
  };
  const up = (event: PointerEvent): void => {
    const begun = drag.current;
    drag.current = null;
    brush.value = null;
    const width = Math.max(1, canvas.current?.clientWidth ?? 1);
    if (begun === null || begun.isPan) return;
    const [left, right] = [begun.x, event.offsetX].sort((one, other) => one - other);
    const perPixel = (begun.span.toNs - begun.span.fromNs) / width;
    if (right - left >= 4) {
      set({ fromNs: begun.span.fromNs + left * perPixel, toNs: begun.span.fromNs + right * perPixel });
      return;
    }
    const lane = view.peek()?.lanes[Math.floor(event.offsetY / laneHeight)];
    const first = lane === undefined ? 0 : nearest(lane.first, event.offsetX);
    if (first > 0) void page.choose(first);
  };

  const lanes = view.value;
  const from = lanes === null ? 0 : lanes.fromNs;
  const to = lanes === null ? 0 : lanes.toNs;
  return h(
    "section",
    { class: "time" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, "Time"),
      h(
        "div",
        { class: "acts" },
        button("Nearer", "Key: w", () => zoom(0.5, 0.5)),
        button("Farther", "Key: s", () => zoom(2, 0.5)),
        button("‹ Earlier", "Key: a", () => pan(-0.5)),
        button("Later ›", "Key: d", () => pan(0.5)),
        button("All of it", "Key: f", () => set(null)),
        h(
          "a",
          {
            class: "act",
            "data-filter": true,
            href: page.addressOf({
              screen: "trace",
              filter: `not time<${seconds(from)} and time<${seconds(to)}`,
              row: 0,
            }),
          },
          "This span in the trace",
        ),
      ),
    ),
    trouble.value === ""
      ? h(
          "p",
          { class: "soft", id: "time-says", role: "status" },
          lanes === null
            ? "Looking …"
            : `${seconds(from)} s to ${seconds(to)} s: ${lanes.rowsInSpan.toLocaleString("en")} rows in ${lanes.lanes.filter(({ rows }) => rows > 0).length} lanes${lanes.left > 0 ? `, ${lanes.left.toLocaleString("en")} rows to look at` : ""}. Drag over a span to go into it, Shift and drag to move, wheel to zoom.`,
        )
      : h("p", { class: "trouble", role: "alert" }, trouble.value),
    h(
      "div",
      { class: "lanes" },
      h(
        "ul",
        { class: "lane-names" },
        (lanes?.lanes ?? []).map((lane) =>
          h(
            "li",
            { key: `${lane.group} ${lane.name}`, class: lane.bad.some((count) => count > 0) ? "bad" : "" },
            h("span", { class: "soft" }, lane.group),
            ` ${lane.name} `,
            h("span", { class: "soft" }, lane.rows.toLocaleString("en")),
          ),
        ),
      ),
      h("canvas", {
        ref: canvas,
        tabIndex: 0,
        role: "img",
        "aria-label": "Lanes over time; the same span stands below as text. Keys: w s a d f",
        onKeyDown: key,
        onPointerDown: down,
        onPointerMove: move,
        onPointerUp: up,
      }),
    ),
    h(SpanText, { page, lanes }),
  );
}

const button = (text: string, title: string, act: () => void) =>
  h("button", { type: "button", class: "act", title, onClick: act }, text);

/** The row at a pixel, or near it. */
function nearest(first: Float64Array, at: number): number {
  for (let off = 0; off < 6; off++)
    for (const place of [at - off, at + off]) {
      const found = first[Math.round(place)] ?? 0;
      if (found > 0) return found;
    }
  return 0;
}

function paint(
  canvas: HTMLCanvasElement,
  { lanes }: LanesView,
  area: { readonly from: number; readonly to: number } | null,
): void {
  const width = canvas.clientWidth;
  const height = Math.max(1, lanes.length) * laneHeight;
  canvas.style.height = `${height}px`;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  if (context === null) return;
  const style = getComputedStyle(canvas);
  const color = (name: string): string => style.getPropertyValue(name);
  context.fillStyle = style.backgroundColor;
  context.fillRect(0, 0, width, height);
  const [sea, bad, line, ink] = [style.color, style.outlineColor, style.borderTopColor, color("caret-color")];
  lanes.forEach((lane, index) => {
    const top = index * laneHeight;
    context.fillStyle = line;
    context.fillRect(0, top + laneHeight - 1, width, 1);
    let most = 1;
    for (const count of lane.counts) most = Math.max(most, count);
    let last = Number.NEGATIVE_INFINITY;
    let marks = 0;
    for (let x = 0; x < lane.counts.length; x++) {
      const count = lane.counts[x];
      if (count === 0) continue;
      marks++;
      last = x;
      // One row is a mark that can be seen; more of them are taller.
      const tall = 6 + Math.round((14 * Math.log2(1 + count)) / Math.log2(1 + most));
      context.fillStyle = lane.bad[x] > 0 ? bad : sea;
      context.fillRect(x, top + laneHeight - 2 - tall, lane.bad[x] > 0 ? 3 : 1, tall);
      if (lane.busy[x] > 0) context.fillRect(x, top + laneHeight - 3, 1, 2);
    }
    // Where a lane has one thing to say there is room for it.
    if (marks === 1 && lane.text !== "") {
      context.fillStyle = ink;
      context.font = "12px ui-monospace, monospace";
      const text = lane.text.slice(0, 60);
      const isRight = last + 8 + context.measureText(text).width > width;
      context.textAlign = isRight ? "right" : "left";
      context.fillText(text, isRight ? last - 5 : last + 6, top + 16);
    }
  });
  if (area !== null) {
    context.globalAlpha = 0.25;
    context.fillStyle = sea;
    context.fillRect(Math.min(area.from, area.to), 0, Math.abs(area.to - area.from), height);
    context.globalAlpha = 1;
  }
}

/** The same span for those who cannot see the lanes, and for who wants its rows. */
function SpanText({ lanes, page }: { readonly page: LabPage; readonly lanes: LanesView | null }) {
  if (lanes === null) return null;
  return h(
    "div",
    { class: "span-text", tabIndex: 0, role: "region", "aria-label": "The same span as text" },
    h(
      "table",
      { class: "fields" },
      h("caption", null, "The same span as text"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Row", "Time", "Lane", "What"].map((name) => h("th", { scope: "col", key: name }, name)),
        ),
      ),
      h(
        "tbody",
        null,
        lanes.rows.map(({ cells, lane }) =>
          h(
            "tr",
            { key: cells.sequence, class: cells.isBad ? "problem" : "" },
            h(
              "td",
              null,
              h(
                "a",
                { href: page.addressOf({ screen: "trace", row: cells.sequence, filter: "" }) },
                String(cells.sequence),
              ),
            ),
            h("td", null, (cells.timeNs / 1e9).toFixed(6)),
            h("td", null, lane),
            h("td", null, [cells.what, cells.who, cells.status].filter((text) => text !== "").join(" · ")),
          ),
        ),
      ),
    ),
    lanes.rowsInSpan > lanes.rows.length
      ? h(
          "p",
          { class: "soft" },
          `and ${(lanes.rowsInSpan - lanes.rows.length).toLocaleString("en")} more: go nearer, or to the trace`,
        )
      : null,
  );
}

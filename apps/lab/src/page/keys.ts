// Keys of the lab. No single key acts while a field has the focus; everything is also a button.

import { acts } from "../session/acts.ts";
import type { Screen } from "./address.ts";
import { boardLink } from "./kept-lab.ts";
import type { LabPage } from "./lab-page.ts";

const screenKeys: Readonly<Record<string, Screen>> = {
  r: "rig",
  t: "trace",
  g: "registry",
  i: "time",
  c: "consoles",
  k: "cases",
  d: "doctor",
};

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (/^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable);

export function listenForKeys(page: LabPage, copyLink: () => void): void {
  let goes = Number.NEGATIVE_INFINITY;
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      page.dialog.value = "palette";
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || page.dialog.value !== "")
      return;
    if (performance.now() - goes < 1500) {
      goes = Number.NEGATIVE_INFINITY;
      const board = boardLink("/");
      if (event.key === "b" && board !== null) location.href = board;
      const screen = Object.hasOwn(screenKeys, event.key) ? screenKeys[event.key] : undefined;
      if (screen !== undefined) page.go({ screen });
      return;
    }
    if (act(page, event, copyLink)) event.preventDefault();
    else if (event.key === "g") goes = performance.now();
  });
}

function act(page: LabPage, event: KeyboardEvent, copyLink: () => void): boolean {
  const state = page.link.state.peek();
  const detail = page.detail.peek();
  const isButton = event.target instanceof HTMLElement && /^(?:BUTTON|A|SUMMARY)$/.test(event.target.tagName);
  switch (event.key) {
    case " ":
      if (isButton || state === null || state.isCase) return false;
      page.act(state.mode === "running" ? "pause" : "run");
      return true;
    case "/":
      page.go({ screen: "trace" });
      requestAnimationFrame(() => document.getElementById("filter")?.focus());
      return true;
    case "?":
      page.dialog.value = "keys";
      return true;
    case "y":
      copyLink();
      return true;
    case "e":
      if (detail?.cause != null && detail.cause !== "lost") void page.choose(detail.cause.sequence);
      return true;
    case "E":
      if (detail?.effects[0] !== undefined) void page.choose(detail.effects[0].sequence);
      return true;
    case "n":
    case "N":
      void page.toHit(event.key === "N");
      return true;
    case "Escape":
      if (state?.mode === "busy") page.link.cancel();
      else page.close();
      return true;
    case "[":
    case "]": {
      if (state === null || state.isCase) return false;
      const speed = state.speed === 0 ? 1000 : state.speed;
      page.act("speed", String(event.key === "[" ? Math.max(0.001, speed / 10) : Math.min(1000, speed * 10)));
      return true;
    }
    default: {
      const found = acts.find(({ key }) => key === event.key);
      if (found === undefined || state === null || !state.acts.includes(found.name)) return false;
      if (found.argument === "rule" || found.argument === "seed") page.dialog.value = "palette";
      else page.act(found.name, found.usual);
      return true;
    }
  }
}

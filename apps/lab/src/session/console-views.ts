// What consoles show: power as the kernel's clock saw it, frames on cables, inputs that were heard.

import type { HidEvent } from "@drydock/core/ports/hid";
import { TimelineKind } from "@drydock/core/ports/recorder";
import type { BuiltRig } from "@drydock/core/rigs/rig-entry";
import type { Timeline } from "@drydock/core/trace/timeline";
import type { RigRun } from "./lab-run.ts";
import type { InputsView, NetworkLine, NetworkView, PowerChange, PowerView } from "./views.ts";

const mostChanges = 60;
const mostToldEvents = 20;
/** Frames are counted in parts of this length of the rig's time, nanoseconds. */
const partNs = 100_000_000;
const shownParts = 60;
/** Rows of frames that are looked at for one question, from the newest back. */
const mostFrames = 200_000;

/** Every change of power of a timeline. The rows are those of the kernel's own clock (runtime/power-tree.ts). */
export function powerOf(timeline: Timeline): PowerView {
  const changes: PowerChange[] = [];
  for (const { fields, sequence, text, timeNs } of timeline.rows(undefined, [TimelineKind.power])) {
    const [, service, from, to, how] = /^(.*) (\d+) -> (\d+): (.*)$/s.exec(text) ?? [];
    if (service === undefined) continue;
    changes.push({
      sequence,
      timeNs,
      service,
      from: Number(from),
      to: Number(to),
      tookNs: fields[0] < 0 ? null : fields[0],
      budgetNs: fields[1],
      by: how,
    });
  }
  return {
    name: "power",
    changes: changes.slice(-mostChanges),
    more: Math.max(0, changes.length - mostChanges),
  };
}

interface Counts {
  sentFrames: number;
  sentBytes: number;
  receivedFrames: number;
  receivedBytes: number;
}

/** What passed on the cables of a timeline, and what the interfaces of a rig of this page count. */
export function networkOf(timeline: Timeline, rig: BuiltRig | null): NetworkView {
  const cables = new Map<string, Counts>();
  const parts = new Map<number, number>();
  let frames = 0;
  let lastNs = 0;
  const skipped = Math.max(0, timeline.kept(TimelineKind.ethernet) - mostFrames);
  for (const { fields, text, timeNs } of timeline.rows(undefined, [TimelineKind.ethernet])) {
    let counts = cables.get(text);
    if (counts === undefined) {
      counts = { sentFrames: 0, sentBytes: 0, receivedFrames: 0, receivedBytes: 0 };
      cables.set(text, counts);
    }
    // Written by trace/ethernet-trace.ts: which way, and how long.
    if (fields[0] === 1) {
      counts.receivedFrames++;
      counts.receivedBytes += fields[1];
    } else {
      counts.sentFrames++;
      counts.sentBytes += fields[1];
    }
    lastNs = timeNs;
    if (frames++ < skipped) continue;
    const part = Math.floor(timeNs / partNs);
    parts.set(part, (parts.get(part) ?? 0) + 1);
  }
  const last = Math.floor(Math.max(lastNs, rig?.machine.scheduler.nowNs() ?? 0) / partNs);
  return {
    name: "network",
    interfaces: (rig?.interfaces ?? []).map(({ counts, isGone, isOpen, link, name }) => ({
      ...counts,
      title: name,
      state: isGone
        ? "gone"
        : `link ${link.isUp ? `up at ${link.bitsPerSecond / 1e6} Mbit/s` : "down"}, ${isOpen ? "open" : "nobody has it open"}`,
    })),
    cables: [...cables].map(
      ([title, counts]): NetworkLine => ({
        ...counts,
        title,
        state: "",
        lostFrames: null,
        droppedFrames: null,
      }),
    ),
    rates: Array.from({ length: Math.min(shownParts, last + 1) }, (_none, index) => {
      const part = last - Math.min(shownParts, last + 1) + 1 + index;
      return parts.get(part) ?? 0;
    }),
    partNs,
  };
}

export function inputsOf({ rig }: RigRun): InputsView {
  return {
    name: "inputs",
    inputs: (rig.inputs ?? []).map(({ events, isGone, name }) => ({
      title: name,
      isGone,
      events: events.length,
      told: events.slice(-mostToldEvents).map(describeEvent),
      down: downOf(events),
    })),
  };
}

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(6)} s`;

/** Letters by their usage on the keyboard's page (HID Usage Tables 1.4, chapter 10). */
function keyName(usagePage: number, usage: number): string {
  if (usagePage === 0x07 && usage >= 4 && usage < 30) return String.fromCharCode(65 + usage - 4);
  if (usagePage === 0x09) return `button ${usage}`;
  return `page 0x${usagePage.toString(16)} usage 0x${usage.toString(16)}`;
}

function describeEvent(event: HidEvent): string {
  const at = seconds(event.timeNs);
  switch (event.kind) {
    case "key":
      return `${at} ${keyName(event.usagePage, event.usage)} ${event.isDown ? "down" : "up"}`;
    case "relative-pointer":
      return `${at} moved by ${event.dx}, ${event.dy}; buttons ${event.buttons.toString(2)}`;
    case "absolute-pointer":
      return `${at} at ${event.x.toFixed(3)}, ${event.y.toFixed(3)}; buttons ${event.buttons.toString(2)}`;
    case "scroll":
      return `${at} turned by ${event.dx}, ${event.dy}`;
    case "game-controller": {
      const pressed = pressedOf(event);
      return `${at} ${pressed.length === 0 ? "nothing is pressed" : `pressed: ${pressed.join(", ")}`}`;
    }
  }
}

function pressedOf(event: Extract<HidEvent, { kind: "game-controller" }>): string[] {
  const named = { ...event.face, ...event.shoulder, ...event.dpad };
  return [
    ...Object.entries(named).flatMap(([name, value]) => (value > 0 ? [name] : [])),
    ...(event.thumbstickLeft ? ["left stick"] : []),
    ...(event.thumbstickRight ? ["right stick"] : []),
  ];
}

/** What is down after all of them. */
function downOf(events: readonly HidEvent[]): string[] {
  const down = new Set<string>();
  for (const event of events)
    if (event.kind === "key") {
      const name = keyName(event.usagePage, event.usage);
      if (event.isDown) down.add(name);
      else down.delete(name);
    }
  const last = events.findLast((event) => event.kind === "game-controller");
  return [...down, ...(last?.kind === "game-controller" ? pressedOf(last) : [])];
}

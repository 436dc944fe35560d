// The lab's first script: starts the worker, listens to address and keys, draws the frame.

import { effect, signal } from "@preact/signals";
import { h, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isEnded } from "../session/opened-names.ts";
import { type Screen, screens } from "./address.ts";
import { Dialogs } from "./dialogs.ts";
import { boardLink, keptLab, type PageWorker } from "./kept-lab.ts";
import { listenForKeys } from "./keys.ts";
import { LabPage } from "./lab-page.ts";
import { type DrawScreen, LaterScreen } from "./later-screen.ts";
import { copy } from "./parts.ts";
import { RigScreen } from "./rig-screen.ts";
import type { OpenScreens } from "./screen-door.ts";
import type { SearchSeeds } from "./seed-door.ts";
import { SessionLink } from "./session-link.ts";
import type { SharedPreact } from "./shared-preact.ts";
import { Splitter } from "./splitter.ts";
import type { LoadTerminal, OpenTerminal } from "./terminal-door.ts";
import { TimeBar } from "./time-bar.ts";
import { TraceScreen } from "./trace-screen.ts";
import { WorkerPort, workerNames } from "./worker-port.ts";

interface Policy {
  createScriptURL(url: string): string;
}

const source =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;
const terminalName = "lab-terminal.js";
const screensName = "lab-screens.js";
const seedsName = "lab-seeds.js";
const ours = [
  ...workerNames,
  "case-worker.js",
  "evidence-worker.js",
  "source-worker.js",
  terminalName,
  screensName,
  seedsName,
];
const addressOf = (name: string): string => new URL(name, source).href;
const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } })
  .trustedTypes;
const policy = factory?.createPolicy("drydock", {
  createScriptURL: (name) => {
    if (!ours.includes(name)) throw new TypeError("no script of ours");
    return addressOf(name);
  },
});
const scriptOf = (name: string): string => policy?.createScriptURL(name) ?? addressOf(name);
const loading = new Map<string, Promise<unknown>>();
/** What the script leaves under `door`. Asked of the server once; a failure is asked again the next time. */
function load<Left>(name: string, door: string): Promise<Left> {
  const known = loading.get(name);
  if (known !== undefined) return known as Promise<Left>;
  const coming = new Promise<Left>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = scriptOf(name);
    script.onload = () => resolve((globalThis as Record<string, unknown>)[door] as Left);
    script.onerror = () => {
      loading.delete(name);
      reject(new Error(`${name} could not be loaded: is the board still running?`));
    };
    document.head.append(script);
  });
  loading.set(name, coming);
  return coming;
}
const loadTerminal: LoadTerminal = () => load<OpenTerminal>(terminalName, "drydockTerminal");
const startWorker = (name: string): PageWorker => keptLab?.startWorker(name) ?? new Worker(scriptOf(name));

const link = new SessionLink(new WorkerPort((index) => startWorker(workerNames[index])));
const page = new LabPage(link);

Object.assign(globalThis, {
  drydockShared: { effect, h, signal, useEffect, useRef, useState } satisfies SharedPreact,
});
page.searchSeeds = (count) => {
  load<SearchSeeds>(seedsName, "drydockSeeds").then(
    (search) => search({ page, startWorker }, count),
    (error: Error) => link.say(error.message, true),
  );
};

let draw: DrawScreen | null = null;
page.loadScreens = async () => {
  const open = await load<OpenScreens>(screensName, "drydockScreens");
  draw ??= open({ page, loadTerminal, startWorker });
  return draw;
};

/** Before the lab's own, which has the last word. */
function addSheet(name: string): void {
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = addressOf(name);
  document.head.querySelector('link[href$="lab.css"]')?.before(sheet);
}

// What cases and later screens are drawn with comes with the first of them.
const end = effect(() => {
  const screen = page.screen.value;
  if (!isEnded(page.address.value.what) && (screen === "rig" || screen === "trace")) return;
  addSheet("more.css");
  addSheet("lab-screens.css");
  queueMicrotask(() => end());
});

const words: Readonly<Record<Screen, string>> = {
  rig: "Rig",
  trace: "Trace",
  registry: "Registry",
  time: "Time",
  consoles: "Consoles",
  cases: "Cases",
  doctor: "Doctor",
};
const icons: Readonly<Record<Screen, string>> = {
  rig: "⚓",
  trace: "≣",
  registry: "⌥",
  time: "◷",
  consoles: "›_",
  cases: "⚖",
  doctor: "✚",
};

const board = boardLink("/");

function Frame() {
  const screen = page.screen.value;
  return h(
    "div",
    { class: "lab" },
    h(
      "nav",
      { class: "side", "aria-label": "Lab" },
      board === null ? null : h("a", { class: "home", href: board }, "Board"),
      screens.map((name) =>
        h(
          "a",
          {
            href: page.addressOf({ screen: name }),
            "aria-current": screen === name ? "page" : undefined,
            "data-screen": name,
          },
          h("span", { class: "icon", "aria-hidden": "true" }, icons[name]),
          words[name],
        ),
      ),
      h(
        "button",
        {
          type: "button",
          class: "small",
          onClick: () => (page.dialog.value = "palette"),
          title: "All acts. Key: Ctrl+K",
        },
        "Acts",
      ),
      h(
        "button",
        {
          type: "button",
          class: "small",
          onClick: () => (page.dialog.value = "keys"),
          title: "List of keys. Key: ?",
        },
        "Keys",
      ),
    ),
    h(
      "main",
      { class: `screen-${screen}`, id: "main" },
      screen === "rig"
        ? [
            h(RigScreen, { page }),
            h(Splitter, { name: "rig", label: "Height of the picture", usual: 60 }),
            h(TraceScreen, { page, isSmall: true }),
          ]
        : screen === "trace"
          ? h(TraceScreen, { page })
          : h(LaterScreen, { load: page.loadScreens, name: screen }),
    ),
    h(TimeBar, { page }),
    h(
      "div",
      { class: "says", role: "status" },
      // Another element each time: its going away begins anew, or what is said later is never seen.
      h(
        "p",
        { class: `said${link.said.value.isRefusal ? " refusal" : ""}`, key: link.said.value.number },
        link.said.value.text,
      ),
    ),
    h(Dialogs, { page }),
  );
}

const root = document.getElementById("lab");
if (root !== null) render(h(Frame, null), root);
listenForKeys(page, () => copy(page, location.href, "link"));

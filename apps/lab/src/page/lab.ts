// The lab's first script: starts the worker, listens to address and keys, draws the frame.

import { effect } from "@preact/signals";
import { h, render } from "preact";
import { isCase, type Screen, screens } from "./address.ts";
import type { RunAnswer, RunAsk } from "./case-run.ts";
import { CasesScreen } from "./cases-screen.ts";
import { ConsoleScreen } from "./console-screen.ts";
import { Dialogs } from "./dialogs.ts";
import { listenForKeys } from "./keys.ts";
import { LabPage } from "./lab-page.ts";
import { copy } from "./parts.ts";
import { RigScreen } from "./rig-screen.ts";
import { SessionLink } from "./session-link.ts";
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
const ours = [...workerNames, "case-worker.js", terminalName].map((name) => new URL(name, source).href);
const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } })
  .trustedTypes;
const policy = factory?.createPolicy("drydock", {
  createScriptURL: (url) => {
    if (!ours.includes(url)) throw new TypeError("no script of ours");
    return url;
  },
});
/** Asked of the server once; a failure is asked again the next time. */
let terminal: Promise<OpenTerminal> | null = null;
const loadTerminal: LoadTerminal = () => {
  terminal ??= new Promise<OpenTerminal>((resolve, reject) => {
    const url = ours[ours.length - 1];
    const script = document.createElement("script");
    script.src = policy?.createScriptURL(url) ?? url;
    script.onload = () => {
      const { drydockTerminal } = globalThis as { drydockTerminal?: OpenTerminal };
      if (drydockTerminal === undefined) reject(new Error("The terminal did not start."));
      else resolve(drydockTerminal);
    };
    script.onerror = () => reject(new Error("The terminal could not be loaded: is the board still running?"));
    document.head.append(script);
  });
  terminal.catch(() => {
    terminal = null;
  });
  return terminal;
};
const startWorker = (index: number): Worker =>
  new Worker(policy?.createScriptURL(ours[index]) ?? ours[index]);

const link = new SessionLink(new WorkerPort(startWorker));
const page = new LabPage(link);

let caseWorker: Worker | null = null;
const runs = {
  play: (id: string, seed: number, step: number | null): Promise<RunAnswer> => {
    caseWorker ??= startWorker(workerNames.length);
    const current = caseWorker;
    return new Promise((resolve, reject) => {
      current.onmessage = (event: MessageEvent<RunAnswer>) => resolve(event.data);
      current.onerror = (event) => {
        caseWorker = null;
        reject(new Error(event.message ?? "the worker did not start"));
      };
      current.postMessage({ id, seed, side: null, step } satisfies RunAsk);
    });
  },
};

// What cases are drawn with comes with the first of them.
const end = effect(() => {
  if (!isCase(page.address.value.what) && page.screen.value !== "cases") return;
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("more.css", source).href;
  // Before the lab's own, which has the last word.
  document.head.querySelector('link[href$="lab.css"]')?.before(sheet);
  queueMicrotask(() => end());
});

const words: Readonly<Record<Screen, string>> = {
  rig: "Rig",
  trace: "Trace",
  consoles: "Consoles",
  cases: "Cases",
};
const icons: Readonly<Record<Screen, string>> = { rig: "⚓", trace: "≣", consoles: "›_", cases: "⚖" };

function Frame() {
  const screen = page.screen.value;
  return h(
    "div",
    { class: "lab" },
    h(
      "nav",
      { class: "side", "aria-label": "Lab" },
      h("a", { class: "home", href: "/" }, "Board"),
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
          : screen === "consoles"
            ? h(ConsoleScreen, { page, loadTerminal })
            : h(CasesScreen, { page, runs }),
    ),
    h(TimeBar, { page }),
    h(
      "p",
      { class: `said${link.said.value.isRefusal ? " refusal" : ""}`, role: "status", "aria-live": "polite" },
      link.said.value.text,
    ),
    h(Dialogs, { page }),
  );
}

const root = document.getElementById("lab");
if (root !== null) render(h(Frame, null), root);
listenForKeys(page, () => copy(page, location.href, "link"));

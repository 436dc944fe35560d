// The lab's later screens, as a script that the page loads when one of them is looked at.

import { h } from "preact";
import type { RunAnswer, RunAsk } from "./case-run.ts";
import { CasesScreen } from "./cases-screen.ts";
import { ConsoleScreen } from "./console-screen.ts";
import { EvidenceDesk } from "./desk-messages.ts";
import { RegistryScreen } from "./registry-screen.ts";
import type { OpenScreens } from "./screen-door.ts";

const openScreens: OpenScreens = ({ loadTerminal, page, startWorker }) => {
  let caseWorker: Worker | null = null;
  const runs = {
    play: (id: string, seed: number, step: number | null): Promise<RunAnswer> => {
      caseWorker ??= startWorker("case-worker.js");
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
  const desk = new EvidenceDesk(() => startWorker("evidence-worker.js"));
  return (screen) => {
    switch (screen) {
      case "registry":
        return h(RegistryScreen, { page, desk });
      case "consoles":
        return h(ConsoleScreen, { page, loadTerminal });
      case "cases":
        return h(CasesScreen, { page, runs });
      default:
        return null;
    }
  };
};

Object.assign(globalThis, { drydockScreens: openScreens });

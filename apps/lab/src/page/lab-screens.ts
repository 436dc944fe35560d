// The lab's later screens, as a script that the page loads when one of them is looked at.

import { h } from "preact";
import type { RunAnswer, RunAsk } from "./case-run.ts";
import { CasesScreen } from "./cases-screen.ts";
import { ConsoleScreen } from "./console-screen.ts";
import { EvidenceDesk } from "./desk-messages.ts";
import { type Doctor, DoctorScreen } from "./doctor-screen.ts";
import { keptLab, type PageWorker } from "./kept-lab.ts";
import { KeyList } from "./key-list.ts";
import { Parting } from "./parting.ts";
import { RegistryScreen } from "./registry-screen.ts";
import type { OpenScreens } from "./screen-door.ts";
import { TimeScreen } from "./time-screen.ts";

const openScreens: OpenScreens = ({ loadTerminal, page, startWorker }) => {
  let caseWorker: PageWorker | null = null;
  let wasm: ReturnType<Doctor["loadWasm"]> | null = null;
  let before: Promise<unknown> = Promise.resolve();
  const playNow = (id: string, seed: number, step: number | null): Promise<RunAnswer> => {
    caseWorker ??= startWorker("case-worker.js");
    const current = caseWorker;
    return new Promise((resolve, reject) => {
      const once = { once: true } as const;
      current.addEventListener("message", (event) => resolve((event as MessageEvent<RunAnswer>).data), once);
      current.addEventListener(
        "error",
        (event) => {
          caseWorker = null;
          reject(new Error((event as ErrorEvent).message || "the worker did not start"));
        },
        once,
      );
      current.postMessage({ id, seed, side: null, step } satisfies RunAsk);
    });
  };
  const runs = {
    play: (id: string, seed: number, step: number | null): Promise<RunAnswer> => {
      const answer = before.then(() => playNow(id, seed, step));
      // One at a time: an answer does not say whose it is.
      before = answer.catch(() => {});
      return answer;
    },
  };
  const desk = new EvidenceDesk(() => startWorker("evidence-worker.js"));
  const doctor: Doctor = {
    plain: new EvidenceDesk(() => startWorker("evidence-worker.js")),
    source: new EvidenceDesk(() => startWorker("source-worker.js")),
    loadWasm: async () => {
      wasm ??= Promise.all(["source-runtime.wasm", "source-grammar.wasm"].map(loadBytes)).then(
        ([runtime, grammar]) => ({ runtime, grammar }),
      );
      // Asked again the next time.
      wasm.catch(() => {
        wasm = null;
      });
      return await wasm;
    },
    hasBoard: keptLab === null,
  };
  return (screen) => {
    switch (screen) {
      case "registry":
        return h(RegistryScreen, { page, desk });
      case "time":
        return h(TimeScreen, { page });
      case "doctor":
        return h(DoctorScreen, { page, doctor });
      case "consoles":
        return h(ConsoleScreen, { page, loadTerminal });
      case "cases":
        return h(CasesScreen, { page, runs });
      case "keys":
        return h(KeyList, null);
      case "parting":
        return h(Parting, { page });
      default:
        return null;
    }
  };
};

const source =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;

async function loadBytes(name: string): Promise<Uint8Array> {
  if (keptLab !== null) return await keptLab.bytes(name);
  const answer = await fetch(new URL(name, source));
  if (!answer.ok) throw new Error(`${name} could not be loaded`);
  return new Uint8Array(await answer.arrayBuffer());
}

Object.assign(globalThis, { drydockScreens: openScreens });

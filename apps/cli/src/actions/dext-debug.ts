// dext run --debug: the dext in this thread, with Node's inspector open and the C++ lines in its module.

import { readFileSync } from "node:fs";
import inspector from "node:inspector";
import { DextImage } from "@drydock/dext/host/dext-image";
import { withSourceMap } from "@drydock/dext/host/source-map";
import { type DextJob, type DextThreadMessage, doJob } from "./dext-thread.ts";
import type { DextEnd } from "./dext-worker.ts";

/** Where a browser's list of targets looks; another one when somebody has it. */
const usualPort = 9229;

/**
 * Waits until a debugger is there, stops once when the dext is loaded and nothing of it has run, so that breakpoints can be set in its
 * sources, and does the job. Nobody ends a dext here that does not come back: the debugger can.
 */
export async function debugJob(job: Omit<DextJob, "watch">): Promise<DextEnd> {
  inspector.open(usualPort, "127.0.0.1");
  if (inspector.url() === undefined) inspector.open(0, "127.0.0.1");
  inspector.waitForDebugger();
  const module = withSourceMap(new DextImage(job.module), sourceText);
  const watch = new Int32Array(new SharedArrayBuffer(8));
  const ends: DextEnd[] = [];
  await doJob({ ...job, module, watch }, (message) => note(message, ends), stopForBreakpoints);
  inspector.close();
  return ends[0] ?? { kind: "ended", text: "the job said nothing" };
}

function note(message: DextThreadMessage, ends: DextEnd[]): void {
  if (message.kind !== "functions" && message.kind !== "progress") ends.push(message);
}

/** The one place at which a debugger stops by itself. */
function stopForBreakpoints(): void {
  // biome-ignore lint/suspicious/noDebugger: the purpose of the command
  debugger;
}

function sourceText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

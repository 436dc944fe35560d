// drydock lab: opens a session of the lab, does act by act what was asked, and says where it stands.

import { loadCase } from "@drydock/cases/case-doors";
import { shown } from "@drydock/core/base/shown-text";
import { findRig } from "@drydock/core/rigs/catalogue";
import { openingOf, parseAddress, wishOf } from "@drydock/lab/page/address";
import { parseAct } from "@drydock/lab/session/acts";
import { LabSession } from "@drydock/lab/session/lab-session";
import {
  everyRow,
  type FileForm,
  type FromSession,
  type Opening,
  type RowWish,
  type SessionState,
} from "@drydock/lab/session/messages";
import { isCampaignRun, isCase, isEnded } from "@drydock/lab/session/opened-names";
import { makeHands } from "@drydock/lab/session/rig-hands";
import { writeSessionFile } from "@drydock/lab/session/session-files";
import { sessionLater } from "@drydock/lab/session/session-later";
import { hostTurn } from "@drydock/node/host-turn";
import type { OutputFile, OutputFolder } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";

interface LabOptions {
  readonly what?: string;
  readonly export?: OutputFolder;
  readonly side: "bad" | "good";
  readonly seed: number;
  readonly fault: readonly string[];
  readonly act: readonly string[];
  readonly trace: boolean;
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly json: boolean;
}

export async function playInLab(options: LabOptions, io: CommandIo): Promise<ExitCode> {
  if (options.export !== undefined)
    return await (await import("./board.ts")).exportLab(options.export, options.json, io);
  const { what = "serial" } = options;
  const { acts, opening, timeS, wish } = await targetOf(options, what);
  const own = isRigFile(what) ? await loadRigFile(what) : null;
  let state: SessionState | null = null;
  let refusal = "";
  const said: string[] = [];
  const session = new LabSession({
    turn: hostTurn,
    now: () => performance.now(),
    pause: () => hostTurn(),
    findRig: (name) => (name === own?.name ? own : findRig(name)),
    hands: makeHands,
    playEnded: async (asked, turn) => {
      if (isCampaignRun(asked.what))
        return (await import("@drydock/lab/session/shown-campaign")).playCampaignRun(asked, turn);
      const { ShownCase } = await import("@drydock/lab/session/shown-case");
      return await ShownCase.play(asked, turn, await loadCase(asked.what));
    },
    later: async () => sessionLater,
    connect: null,
    send: (message: FromSession) => {
      if (message.kind === "state") state = message.state;
      else if (message.kind === "said") {
        said.push(message.text);
        if (message.isRefusal) refusal = message.text;
        io.event(message.text);
      }
    },
  });
  await session.take({ kind: "open", number: 1, opening });
  await session.take({ kind: "filter", wish });
  if (state === null) throw new UsageError(refusal);
  const lines = [...acts, ...(timeS === null ? [] : [`run-to ${timeS}`]), ...options.act];
  for (const line of lines) {
    const { name, value } = parseAct(line);
    refusal = "";
    await session.take({ kind: "act", act: { name, value } });
    // A failing seed is what was looked for.
    if (refusal !== "" && name !== "which-seed") throw new UsageError(`${shown(line, 80)}: ${refusal}`);
  }
  const { run } = session;
  if (run === null) throw new UsageError(refusal);
  session.end();
  const write = (file: OutputFile | undefined, form: FileForm): void => {
    if (file === undefined) return;
    const { body } = writeSessionFile(run, form);
    file.write(typeof body === "string" ? Buffer.from(body) : body);
  };
  write(options.pcap, "pcapng");
  write(options.perfetto, "perfetto");
  const last: SessionState = state;
  if (options.json) io.document(reportOf(last, said));
  else if (options.trace) io.print(String(writeSessionFile(run, "text").body));
  else print(last, io);
  const isBad = last.mode === "stopped" || last.result?.succeeded === false;
  return isBad ? exitCodes.finding : exitCodes.pass;
}

/** What a word or a link opens, and what a link says besides. */
async function targetOf(
  options: LabOptions,
  what: string,
): Promise<{
  readonly acts: readonly string[];
  readonly opening: Opening;
  readonly timeS: number | null;
  readonly wish: RowWish;
}> {
  const { fault, seed, side } = options;
  if (what.startsWith("#")) {
    const address = parseAddress(what);
    return {
      opening: { ...openingOf(address), isRunning: false },
      acts: isEnded(address.what) ? [] : address.acts,
      timeS: address.timeS,
      wish: wishOf(address),
    };
  }
  const name = isRigFile(what) ? (await loadRigFile(what)).name : what;
  if (isCase(name) && fault.length > 0) throw new UsageError("a case has its own faults: leave --fault out");
  return {
    opening: { what: name, side, seed, faults: fault, isRunning: false },
    acts: [],
    timeS: null,
    wish: everyRow,
  };
}

function reportOf(state: SessionState, said: readonly string[]) {
  const { command, difference, digest, evidence, failures, ledger, mode, note, opening, result } = state;
  const { next, shown: listed, timeNs, title } = state;
  return {
    title,
    opening,
    mode,
    note,
    timeNs,
    rows: next - 1,
    listed,
    digest,
    result,
    failures,
    difference,
    ledger,
    evidence,
    said,
    command,
  };
}

function print(state: SessionState, io: CommandIo): void {
  const { difference, digest, failures, ledger, mode, next, note, result, timeNs, title } = state;
  const lines = [
    title,
    `${mode}${note === "" ? "" : `: ${note}`} at t = ${(timeNs / 1e9).toFixed(9)} s, ${next - 1} rows, digest ${digest}`,
    ...(result === null ? [] : [`${result.succeeded ? "succeeds" : "fails"}: ${result.text}`]),
    ...failures,
    ...(ledger === null ? [] : ledger.lines),
    ...(difference === null
      ? []
      : difference.sequence === null
        ? [`no difference on the wire against ${difference.against}`]
        : [
            `against ${difference.against} row ${difference.sequence} is the first that differs`,
            `  here   ${difference.here}`,
            `  there  ${difference.there}`,
          ]),
  ];
  for (const line of lines) io.print(`${shown(line, 2000)}\n`);
}

// A dext fuzzed for a command: what was fed, what ran, and each fault with the line that replays it.

import { caseText, type FuzzCase, type FuzzFeed } from "@drydock/dext/run/fuzz-input";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { buildDocument, buildForCommand, type DextPathOptions, sayBuild } from "./dext-build.ts";
import { remarkText, sourceRemarks } from "./dext-doctor.ts";
import { DextThread } from "./dext-worker.ts";

export interface DextFuzzOptions extends DextPathOptions {
  readonly seed: number;
  readonly feed?: FuzzFeed;
  readonly inputs: number;
  readonly replay?: FuzzCase;
  /** Real seconds, see `DextThread`. */
  readonly patience: number;
  readonly noJspi: boolean;
  readonly json: boolean;
}

export async function fuzzDextCommand(options: DextFuzzOptions, io: CommandIo): Promise<ExitCode> {
  const built = await buildForCommand({ ...options, sanitize: true, counts: true }, io, false);
  if (built === null) return exitCodes.rigError;
  const { build, sources } = built;
  if (build.module === null) {
    if (options.json) io.document(buildDocument(built));
    else sayBuild(built, io);
    return exitCodes.finding;
  }
  const { feed, inputs, replay } = options;
  const feeds: readonly FuzzFeed[] = feed === undefined ? ["calls", "answers"] : [feed];
  const thread = new DextThread();
  let last = "";
  try {
    const end = await thread.run(
      {
        kind: "fuzz",
        module: build.module,
        info: sources.info,
        entitlements: sources.entitlements,
        rig: null,
        seed: options.seed,
        settleNs: 0,
        most: 0,
        noJspi: options.noJspi,
        counted: null,
        fuzz: { feeds, inputs, replay: replay === undefined ? null : caseText(replay) },
      },
      (text) => {
        last = text;
        io.progress(text);
      },
      options.patience,
    );
    if (end.kind === "ended") {
      // The same seed comes to the same place: that is its line.
      const where = last === "" ? "" : `, after ${last} of seed ${options.seed}`;
      if (options.json) io.document({ name: sources.name, findings: [`${end.text}${where}`] });
      else io.print(`${end.text}${where}\n`);
      return exitCodes.finding;
    }
    if (end.kind !== "fuzz") throw new Error(`a fuzz was answered by a ${end.kind}`);
    const findings = [
      ...end.replayed,
      ...end.reports.flatMap((report) => report.findings.map(({ what }) => what)),
    ];
    const doctor = await sourceRemarks(sources, findings);
    if (options.json)
      io.document({ name: sources.name, reports: end.reports, replayed: end.replayed, doctor });
    else {
      for (const finding of end.replayed) io.print(`finding: ${finding}\n`);
      if (replay !== undefined && end.replayed.length === 0) io.say("nothing was found");
      for (const report of end.reports) {
        for (const { again, line, what } of report.findings)
          io.print(`finding: ${what}\n  --replay "${line}"${again === 0 ? "" : `  (${again} times more)`}\n`);
        io.say(
          report.idle === null
            ? `${report.inputs} ${report.feed} in ${report.sessions} sessions: ${report.blocksRun} of ${report.blocks} blocks ran, ${report.findings.length} findings`
            : `no ${report.feed}: ${report.idle}`,
        );
      }
      for (const each of doctor) io.print(`${remarkText(each)}\n`);
    }
    return findings.length > 0 ? exitCodes.finding : exitCodes.pass;
  } finally {
    thread.end();
  }
}

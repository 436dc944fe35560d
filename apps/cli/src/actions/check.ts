// drydock check: an app or driver extension before it is shipped: signature, profiles, imports, platforms.

import { platformProfile, platformProfiles } from "@drydock/core/platform/platform-profile";
import { checkPackage } from "@drydock/doctor/check";
import { formatCheck } from "@drydock/doctor/report/check-report";
import { formatCheckAnnotations } from "@drydock/doctor/report/github";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { evidenceOf, skippedLines } from "./evidence-folder.ts";

export interface CheckCommand {
  readonly minOs?: string;
  readonly platform?: string;
  readonly path: readonly string[];
  readonly tool: "xcode" | "codesign";
  readonly date?: string;
  readonly udid?: string;
  readonly github: boolean;
  readonly junit?: OutputFile;
  readonly json: boolean;
}

export async function check(options: CheckCommand, io: CommandIo): Promise<ExitCode> {
  const date = options.date ?? new Date().toISOString();
  const asked = options.platform === undefined ? null : platformProfile(options.platform);
  const { sources, skipped } = evidenceOf(options.path.length === 0 ? ["."] : options.path);
  for (const line of skippedLines(skipped)) io.event(`drydock: ${line}`);
  const report = await checkPackage(sources, {
    tool: options.tool,
    platform: asked,
    date,
    udid: options.udid ?? null,
    minimumSystem: options.minOs ?? null,
    platforms: asked === null ? Object.values(platformProfiles).filter(({ id }) => id !== "open") : [asked],
    platformsMustAccept: asked !== null,
  });
  if (options.json) io.document(report);
  else if (options.github) io.printAsIs(formatCheckAnnotations(report, { mustAccept: asked !== null }));
  else io.print(formatCheck(report));
  if (options.junit !== undefined) {
    const { formatCheckJunit } = await import("@drydock/doctor/report/junit");
    options.junit.write(Buffer.from(formatCheckJunit(report, { mustAccept: asked !== null })));
  }
  return report.ok ? exitCodes.pass : exitCodes.finding;
}

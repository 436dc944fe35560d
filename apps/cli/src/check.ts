// drydock check: an app or driver extension before it is shipped: signature, profiles, imports, platforms.

import { platformProfile, platformProfiles } from "@drydock/core/platform/platform-profile";
import { checkPackage } from "@drydock/doctor/check";
import { formatCheck } from "@drydock/doctor/report/check-report";
import { evidenceOf } from "./evidence-folder.ts";
import { exitCodes } from "./exit-codes.ts";

export interface CheckCommand {
  readonly minOs?: string;
  readonly platform?: string;
  readonly tool: string;
  readonly date?: string;
  readonly udid?: string;
  readonly json?: boolean;
}

export async function check(paths: readonly string[], options: CheckCommand): Promise<void> {
  if (options.tool !== "xcode" && options.tool !== "codesign")
    throw new RangeError(`there is no tool "${options.tool}"; there are: xcode, codesign`);
  const date = options.date ?? new Date().toISOString();
  if (!/^\d{4}-\d\d-\d\d/.test(date)) throw new RangeError(`"${date}" is no date; write it like 2026-12-31`);
  const asked = options.platform === undefined ? null : platformProfile(options.platform);
  const { sources, skipped } = evidenceOf(paths);
  for (const line of skipped) process.stderr.write(`drydock: ${line}\n`);
  const report = await checkPackage(sources, {
    tool: options.tool,
    platform: asked,
    date,
    udid: options.udid ?? null,
    minimumSystem: options.minOs ?? null,
    platforms: asked === null ? Object.values(platformProfiles).filter(({ id }) => id !== "open") : [asked],
    platformsMustAccept: asked !== null,
  });
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatCheck(report));
  process.exitCode = report.ok ? exitCodes.pass : exitCodes.finding;
}

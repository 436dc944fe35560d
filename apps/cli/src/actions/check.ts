// drydock check: an app or driver extension before it is shipped: signature, profiles, imports, platforms.

import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { platformProfile, platformProfiles } from "@drydock/core/platform/platform-profile";
import { checkPackage } from "@drydock/doctor/check";
import { formatCheck } from "@drydock/doctor/report/check-report";
import { formatCheckAnnotations } from "@drydock/doctor/report/github";
import { signatureCrypto } from "@drydock/node/signature-crypto";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { evidenceOf, skippedLines } from "./evidence-folder.ts";

export interface CheckCommand {
  readonly minOs?: string;
  readonly platform?: string;
  readonly path: readonly string[];
  readonly tool: "xcode" | "codesign";
  readonly date?: string;
  readonly udid?: string;
  readonly root?: string;
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
    crypto: signatureCrypto,
    roots: options.root === undefined ? [] : rootsOf(options.root),
    skipped: new Set(skipped.map(({ name }) => name)),
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

const mostRootBytes = 1 << 20;
const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Certificates of a PEM file, or the one of a DER file. Throws UsageError for a file that holds none. */
function rootsOf(path: string): Uint8Array[] {
  if (path === "-" || statSync(path).isDirectory() || statSync(path).size > mostRootBytes)
    throw new UsageError("--root takes a file with a certificate, PEM or DER");
  const bytes = readFileSync(path);
  const pem = bytes.toString("latin1").match(certificate);
  try {
    return (pem ?? [bytes]).map((one) => new X509Certificate(one).raw);
  } catch {
    throw new UsageError(`${path} holds no certificate: give one as PEM or DER`);
  }
}

// drydock policy: a USB policy against a recorded bus or a rig: each decision, who could enforce it, what got through.

import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { parsePolicy, type UsbPolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { policyPlatform } from "@drydock/core/platform/usb-policy";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { formatPolicyRehearsal, rehearsePolicy } from "@drydock/core/trials/policy-rehearsal";
import { hostTurn } from "@drydock/node/host-turn";
import { type InputFile, readInput } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { readCapture } from "./capture.ts";
import { rigNamed, withUsbDevices } from "./rig-list.ts";

export interface PolicyCommand {
  readonly file: InputFile;
  readonly against: string;
  readonly on: readonly string[];
  readonly window: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Exit code 1: something that the policy forbids would go through on one of the systems. */
export async function policy(options: PolicyCommand, io: CommandIo): Promise<ExitCode> {
  const rules = readPolicy(options.file);
  const platforms = options.on.map(policyPlatform);
  const rehearsal = rehearsePolicy(await recordingOf(options.against, options.seed), rules, {
    ...(platforms.length > 0 ? { platforms } : {}),
    captureWindowNs: options.window * 1e6,
  });
  if (options.json) io.document(rehearsal);
  else io.print(formatPolicyRehearsal(rehearsal));
  if (rehearsal.devices.length === 0) io.say(`drydock: no device in ${shown(options.against)}`);
  const leaks = rehearsal.devices.some(
    ({ decision, platforms: all }) =>
      decision !== null &&
      all.some(
        ({ isEnforced, bytesBefore }) =>
          isEnforced === false || (isEnforced === true && decision.target !== "allow" && bytesBefore > 0),
      ),
  );
  const isOpen = rehearsal.opens.some(({ platforms: all }) =>
    all.some(({ isEnforced }) => isEnforced === false),
  );
  return leaks || isOpen ? exitCodes.finding : exitCodes.pass;
}

/** The error says line, column and what was expected there. */
function readPolicy(file: InputFile): UsbPolicy {
  const text = file.bytes().toString("utf8");
  try {
    return parsePolicy(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const before = text.slice(0, error.offset).split("\n");
    throw new UsageError(
      `${file.label}:${before.length}:${before[before.length - 1].length + 1}: ${shown(error.message)}`,
    );
  }
}

/** A capture file, or a rig that runs for two virtual seconds. */
async function recordingOf(name: string, seed: number): Promise<UsbTraceLog> {
  const entry = rigNamed(name === "disk" ? "storage" : name, withUsbDevices);
  if (typeof entry === "string") return readCapture(readInput(name), shown(name)).log;
  const rig = entry.build({ seed, turn: hostTurn, platform: "open" });
  await rig.machine.scheduler.run(30e9, () => rig.media.length > 0 || rig.machine.scheduler.nowNs() >= 2e9);
  if (rig.usb === null) throw new Error(`the rig ${name} has USB devices and no bus`);
  return rig.usb.trace;
}

// drydock policy: a USB policy against a recorded bus or a rig: each decision, who could enforce it, what got through.

import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { parsePolicy, type UsbPolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { policyPlatform } from "@drydock/core/platform/usb-policy";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { formatPolicyRehearsal, rehearsePolicy } from "@drydock/core/trials/policy-rehearsal";
import { hostTurn } from "@drydock/node/host-turn";
import { type InputFile, readInput } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { rigEntry } from "./rig-list.ts";
import { buildRig } from "./rigs.ts";

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
  if (name === "disk") {
    const rig = defaultStorageRig(seed, hostTurn);
    await rig.openMedia();
    return rig.usb.trace;
  }
  const entry = rigEntry(name);
  if (typeof entry === "string") return readUsbPcapng(readInput(name)).log;
  const rig = buildRig({ rig: entry, seed, fault: [], device: [], platform: "open" }, { timing: "bus" });
  await rig.machine.run(2e9);
  return rig.usb.trace;
}

// drydock policy: a USB policy against a recorded bus or a rig: each decision, who could enforce it, what got through.

import { existsSync, readFileSync } from "node:fs";
import { DecodeError } from "@drydock/core/base/errors";
import { parsePolicy, type UsbPolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { policyPlatform } from "@drydock/core/platform/usb-policy";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { readUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { formatPolicyRehearsal, rehearsePolicy } from "@drydock/core/trials/policy-rehearsal";
import { hostTurn } from "@drydock/node/host-turn";
import { exitCodes } from "./exit-codes.ts";
import { buildRig, rigNames } from "./rigs.ts";

export interface PolicyCommand {
  readonly against: string;
  readonly on: readonly string[];
  readonly window: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** Exit code 1: something that the policy forbids would go through on one of the systems. */
export async function policy(file: string, options: PolicyCommand): Promise<void> {
  const rules = readPolicy(file);
  const platforms = options.on.map(policyPlatform);
  if (!(options.window >= 0)) throw new RangeError("--window is milliseconds, from 0 on");
  const rehearsal = rehearsePolicy(await recordingOf(options.against, options.seed), rules, {
    ...(platforms.length > 0 ? { platforms } : {}),
    captureWindowNs: options.window * 1e6,
  });
  process.stdout.write(
    options.json === true ? `${JSON.stringify(rehearsal, null, 2)}\n` : formatPolicyRehearsal(rehearsal),
  );
  if (rehearsal.devices.length === 0) process.stderr.write(`drydock: no device in ${options.against}\n`);
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
  process.exitCode = leaks || isOpen ? exitCodes.finding : exitCodes.pass;
}

/** The error says line, column and what was expected there. */
function readPolicy(file: string): UsbPolicy {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new RangeError(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return parsePolicy(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const before = text.slice(0, error.offset).split("\n");
    throw new RangeError(
      `${file}:${before.length}:${before[before.length - 1].length + 1}: ${error.message}`,
    );
  }
}

/** A capture file, or a rig that runs for two virtual seconds. */
async function recordingOf(name: string, seed: number): Promise<UsbTraceLog> {
  if (existsSync(name)) return readUsbPcapng(readFileSync(name)).log;
  if (name === "disk") {
    const rig = defaultStorageRig(seed, hostTurn);
    await rig.openMedia();
    return rig.usb.trace;
  }
  if (!rigNames.includes(name))
    throw new RangeError(
      `${name} is neither a capture file nor a rig; rigs: ${[...rigNames, "disk"].join(", ")}`,
    );
  const rig = buildRig(name, { seed, fault: [], device: [], platform: "open" }, { timing: "bus" });
  await rig.machine.run(2e9);
  return rig.usb.trace;
}

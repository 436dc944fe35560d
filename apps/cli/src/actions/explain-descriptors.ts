// drydock explain --descriptors: every fault in a device's descriptors, and what each host makes of it.

import { shown } from "@drydock/core/base/shown-text";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { capturedDescriptors } from "@drydock/doctor/descriptors/captured-descriptors";
import { type DescriptorSet, judgeDescriptors } from "@drydock/doctor/descriptors/descriptor-set";
import { formatFaults } from "@drydock/doctor/descriptors/descriptor-text";
import { faultKnowledge } from "@drydock/doctor/descriptors/hosts";
import { readDescriptors } from "@drydock/doctor/descriptors/read-descriptors";
import { collectEvidence } from "@drydock/doctor/evidence/collect";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import { isStandardInput, mustBeReadable, readInput } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";

const speeds = { low: UsbSpeed.low, full: UsbSpeed.full, high: UsbSpeed.high, super: UsbSpeed.super };

export async function explainDescriptors(
  path: string,
  speed: keyof typeof speeds | null,
  json: boolean,
  io: CommandIo,
): Promise<ExitCode> {
  if (!isStandardInput(path) && mustBeReadable(path) !== "file")
    throw new UsageError(`${shown(path)} is no file: --descriptors takes one`);
  const label = isStandardInput(path) ? "standard input" : shown(path);
  const bytes = readInput(path);
  const { notRead, sets } = readDescriptors(bytes);
  const found = sets.length > 0 ? sets : await setsOfCapture(bytes, label);
  for (const { line, word } of notRead)
    io.event(`drydock: ${label}:${line}: "${shown(word)}" is no number: the array around it was not read`);
  if (found.length === 0)
    throw new UsageError(
      `${label} has no descriptors in it; they may be bytes (Linux: /sys/bus/usb/devices/*/descriptors), what lsusb -v prints, a hexadecimal dump, arrays of a source, or a capture that begins before the device is plugged in`,
    );
  const judged = found.map((set) => {
    const known = speed === null ? set : { ...set, speed: speeds[speed] };
    return { name: set.name, given: set.given, faults: judgeDescriptors(known) };
  });
  if (json)
    io.document({
      devices: judged.map(({ faults, given, name }) => ({
        name,
        descriptors: given.map(({ bytes: own, role }) => ({ role, bytes: own.length })),
        faults: faults.map((fault) => ({ ...fault, ...faultKnowledge[fault.kind] })),
      })),
    });
  else
    for (const { faults, given, name } of judged) {
      const counted = given.map(({ bytes: own, role }) => `${role} (${own.length} bytes)`).join(", ");
      io.print(formatFaults(faults, judged.length > 1 || name !== "" ? name : ""));
      io.print(
        `${faults.length === 0 ? "nothing wrong is known of" : `${faults.length} wrong in`} ${shown(counted, 600)}\n`,
      );
    }
  return judged.some(({ faults }) => faults.length > 0) ? exitCodes.finding : exitCodes.pass;
}

async function setsOfCapture(bytes: Uint8Array, label: string): Promise<readonly DescriptorSet[]> {
  const evidence = await collectEvidence([sourceOfBytes(label, bytes)], []);
  return capturedDescriptors(evidence.facts("transfer").map(({ value }) => value)).map(({ set }) => set);
}

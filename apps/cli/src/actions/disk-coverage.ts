// drydock disk coverage: which SCSI commands and pages a client uses, and which of the disk's it never asks for (F16).

import { spawn } from "node:child_process";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { BlockSubmit } from "@drydock/core/ports/block";
import type { ScsiTargetPort } from "@drydock/core/ports/scsi-target";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { defaultRingHbaRig } from "@drydock/core/rigs/ring-hba-rig";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { type CoverageReport, formatCoverage, ScsiCoverage } from "@drydock/core/trace/scsi-coverage";
import { hostTurn } from "@drydock/node/host-turn";
import { systemSentence } from "@drydock/node/system-words";
import type { ByteSize } from "../grammar/option-kind.ts";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { openIscsiTarget } from "./disk-iscsi.ts";
import { recordingFor, writeRecordings } from "./recording-files.ts";

export interface DiskCoverageOptions {
  readonly seed: number;
  readonly command: readonly string[];
  readonly size: ByteSize;
  readonly through: "uas" | "bulk-only" | "raid" | "ring-hba";
  readonly fault: readonly UsbFaultRule[];
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly json: boolean;
}

/** Runs a client on an iSCSI target that counts; answers its exit code. */
async function coverClient(
  command: readonly string[],
  options: DiskCoverageOptions,
  io: CommandIo,
): Promise<{ report: CoverageReport; code: number }> {
  const served = await openIscsiTarget(
    {
      ...options,
      host: "127.0.0.1",
      port: 0,
      block: 512,
      name: ["disk"],
      file: [],
      readOnly: false,
      part: false,
      unguarded: false,
      quirk: [],
      badBlocks: [],
    },
    true,
    io,
  );
  try {
    const [program, ...rest] = command.map((part) =>
      part.replaceAll("{url}", served.urls[0]).replaceAll("{portal}", served.portal),
    );
    // What the client prints is talk: stdout is the table's.
    const child = spawn(program, rest, { stdio: ["inherit", 2, 2] });
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (error) =>
        reject(
          new UsageError(`command cannot be started: ${systemSentence(error, program)}; is it installed?`),
        ),
      );
      child.once("exit", (status, signal) => resolve(status ?? (signal === null ? 0 : exitCodes.finding)));
    });
    return { report: (served.coverage as ScsiCoverage).report(), code };
  } finally {
    await served.close();
  }
}

/** A rig in which our class driver reaches the disk that way. */
function rigThrough(options: DiskCoverageOptions, target: (disk: ScsiTargetPort) => ScsiTargetPort) {
  const { seed, through } = options;
  const units = [{ blockCount: Math.floor(options.size.bytes / 512) }];
  const parts = { timing: "none" as const, ...recordingFor(options), target };
  switch (through) {
    case "raid":
      return defaultRaidRig(seed, hostTurn, { ...parts, drives: [units] });
    case "ring-hba":
      return defaultRingHbaRig(seed, hostTurn, { ...parts, drives: [units] });
    default:
      return defaultStorageRig(seed, hostTurn, {
        ...parts,
        ...(options.fault.length > 0 ? { faults: { rules: options.fault } } : {}),
        policy: through,
        device: { speed: UsbSpeed.super },
        units,
      });
  }
}

/** The class driver over USB or behind a host adapter: brings the disk up, then reads, writes, flushes, trims and puts zeros. */
async function coverClassDriver(options: DiskCoverageOptions, io: CommandIo): Promise<CoverageReport> {
  let coverage: ScsiCoverage | null = null;
  const rig = rigThrough(options, (disk) => {
    coverage = new ScsiCoverage(disk);
    return coverage;
  });
  const media = await rig.openMedia();
  let done = 0;
  media.connect({ completed: () => done++, detached: () => {} });
  const buffer = new Uint8Array(8 * media.geometry.blockBytes).fill(0x5a);
  const requests = [
    media.write(0, 0, 8, buffer, 0, false),
    media.write(1, 8, 8, buffer, 0, true),
    media.read(2, 64, 8, buffer.slice(), 0),
    media.flush(3),
    media.trim(4, 128, 64),
    media.writeZeroes(5, 256, 64, true, false),
  ];
  const accepted = requests.filter((result) => result === BlockSubmit.accepted).length;
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 60e9, () => done === accepted);
  writeRecordings({ timeline: rig.timeline, trace: "usb" in rig ? rig.usb.trace : null }, options, io);
  return (coverage as unknown as ScsiCoverage).report();
}

/** `command` empty: our own class driver is the client. Exit code 1 when the client fails. */
export async function coverDisk(options: DiskCoverageOptions, io: CommandIo): Promise<ExitCode> {
  const { command } = options;
  const { report, code } =
    command.length === 0
      ? { report: await coverClassDriver(options, io), code: 0 }
      : await coverClient(command, options, io);
  if (options.json) io.document(report);
  else io.print(formatCoverage(report));
  if (code !== 0) io.say(`drydock: ${command[0]} ended with ${code}`);
  return code === 0 ? exitCodes.pass : exitCodes.finding;
}

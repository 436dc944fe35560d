// drydock disk coverage: which SCSI commands and pages a client uses, and which of the disk's it never asks for (F16).

import { spawn } from "node:child_process";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { BlockSubmit } from "@drydock/core/ports/block";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { type CoverageReport, formatCoverage, ScsiCoverage } from "@drydock/core/trace/scsi-coverage";
import { hostTurn } from "@drydock/node/host-turn";
import { openIscsiTarget } from "./disk-iscsi.ts";
import { exitCodes } from "./exit-codes.ts";
import { talk } from "./live-terminals.ts";

export interface DiskCoverageOptions {
  readonly seed: number;
  readonly size: string;
  readonly through: string;
  readonly json?: boolean;
}

/** Runs a client on an iSCSI target that counts; answers its exit code. */
async function coverClient(
  command: readonly string[],
  options: DiskCoverageOptions,
): Promise<{ report: CoverageReport; code: number }> {
  const served = await openIscsiTarget(
    { ...options, host: "127.0.0.1", port: 0, block: 512, name: ["disk"], file: [] },
    true,
  );
  try {
    const [program, ...rest] = command.map((part) =>
      part.replaceAll("{url}", served.urls[0]).replaceAll("{portal}", served.portal),
    );
    // What the client prints is talk: stdout is the table's.
    const child = spawn(program, rest, { stdio: ["inherit", 2, 2] });
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", () => reject(new Error(`${program} cannot be started: is it installed?`)));
      child.once("exit", (status, signal) => resolve(status ?? (signal === null ? 0 : exitCodes.finding)));
    });
    return { report: (served.coverage as ScsiCoverage).report(), code };
  } finally {
    await served.close();
  }
}

/** The class driver over USB: brings the disk up, then reads, writes, flushes, trims and puts zeros. */
async function coverClassDriver(options: DiskCoverageOptions): Promise<CoverageReport> {
  const { through } = options;
  if (through !== "uas" && through !== "bulk-only")
    throw new RangeError(`no way "${through}" to a SCSI disk; there are: uas, bulk-only`);
  let coverage: ScsiCoverage | null = null;
  const rig = defaultStorageRig(options.seed, hostTurn, {
    timing: "none",
    trace: false,
    policy: through,
    device: { speed: UsbSpeed.super },
    target: (disk) => {
      coverage = new ScsiCoverage(disk);
      return coverage;
    },
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
  return (coverage as unknown as ScsiCoverage).report();
}

/** `command` empty: our own class driver is the client. Exit code 1 when the client fails. */
export async function coverDisk(command: readonly string[], options: DiskCoverageOptions): Promise<void> {
  if (command.length > 0 && !command.some((part) => part.includes("{url}") || part.includes("{portal}")))
    throw new RangeError("the command needs {url} (the unit) or {portal} where the disk's address belongs");
  const { report, code } =
    command.length === 0
      ? { report: await coverClassDriver(options), code: 0 }
      : await coverClient(command, options);
  process.stdout.write(
    options.json === true ? `${JSON.stringify(report, null, 2)}\n` : formatCoverage(report),
  );
  if (code !== 0) talk(`drydock: ${command[0]} ended with ${code}`);
  process.exitCode = code === 0 ? exitCodes.pass : exitCodes.finding;
}

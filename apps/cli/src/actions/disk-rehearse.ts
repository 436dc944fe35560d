// drydock disk rehearse: a slow disk sleeps and wakes; what a Mac would have made of it (posts.md F13).

import { badPowerBundle } from "@drydock/cases/P15-power-20s/bad-driver";
import { goodPowerBundle } from "@drydock/cases/P15-power-20s/good-driver";
import { shown } from "@drydock/core/base/shown-text";
import { BlockStatus } from "@drydock/core/ports/block";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { powerRehearsal } from "@drydock/core/trials/power-rehearsal";
import { changePower, firstRead, slowDisk } from "@drydock/core/trials/slow-disk";
import { hostTurn } from "@drydock/node/host-turn";
import type { OutputFolder } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

/** By the name that `--driver` takes. */
const drivers: Readonly<Record<DiskRehearseOptions["driver"], DriverBundle | null>> = {
  kext: null,
  "dext-waits": badPowerBundle,
  "dext-begins": goodPowerBundle,
};

export interface DiskRehearseOptions {
  readonly seed: number;
  readonly spinUp: number;
  readonly driver: "kext" | "dext-waits" | "dext-begins";
  readonly evidence?: OutputFolder;
  readonly json: boolean;
}

/** Exit code 1 when the machine panicked or the first read after the wake failed. */
export async function rehearseDisk(options: DiskRehearseOptions, io: CommandIo): Promise<ExitCode> {
  const bundle = drivers[options.driver];
  const { spinUp } = options;
  const { rig, media } = await slowDisk(bundle, spinUp, { seed: options.seed, turn: hostTurn });
  await changePower(rig, "sleep");
  await changePower(rig, "wake");
  const { machine, scsi } = rig;
  const panic = machine.failure?.text ?? null;
  const read = panic === null ? await firstRead(rig, media) : null;
  const lines = powerRehearsal(machine, scsi.units);
  if (read !== null)
    lines.push(
      `first read after the wake: ${(read.tookNs / 1e9).toFixed(3)} s, ${read.status === BlockStatus.ok ? "good" : `status ${read.status}`}`,
    );
  const files = machine.failure?.kind === "panic" ? machine.failure.evidence : [];
  const { evidence } = options;
  const written = evidence === undefined ? [] : files.map((file) => evidence.write(file.name, file.text));
  if (options.json) {
    const { driver, seed } = options;
    io.document({ driver, spinUp, seed, panic, lines });
  } else {
    io.print(`${lines.join("\n")}\n`);
    if (evidence !== undefined)
      io.print(
        files.length === 0
          ? "no panic, so no evidence to write\n"
          : `evidence in ${shown(evidence.path)}: ${written.join(", ")}\n`,
      );
  }
  return read?.status === BlockStatus.ok ? exitCodes.pass : exitCodes.finding;
}

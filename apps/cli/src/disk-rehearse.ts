// drydock disk rehearse: a slow disk sleeps and wakes; what a Mac would have made of it (posts.md F13).

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { badPowerBundle } from "@drydock/cases/P15-power-20s/bad-driver";
import { goodPowerBundle } from "@drydock/cases/P15-power-20s/good-driver";
import { BlockStatus } from "@drydock/core/ports/block";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { powerRehearsal } from "@drydock/core/trials/power-rehearsal";
import { changePower, firstRead, slowDisk } from "@drydock/core/trials/slow-disk";
import { hostTurn } from "@drydock/node/host-turn";
import { exitCodes } from "./exit-codes.ts";

/** By the name that `--driver` takes. */
const drivers: Readonly<Record<string, DriverBundle | null>> = {
  kext: null,
  "dext-waits": badPowerBundle,
  "dext-begins": goodPowerBundle,
};
/** Every wait of the rehearsal is longer than this. */
const longestSpinUpSeconds = 150;

export interface DiskRehearseOptions {
  readonly seed: number;
  readonly spinUp: number;
  readonly driver: string;
  readonly evidence?: string;
  readonly json?: boolean;
}

/** Exit code 1 when the machine panicked or the first read after the wake failed. RangeError for wrong options. */
export async function rehearseDisk(options: DiskRehearseOptions): Promise<void> {
  const bundle = drivers[options.driver];
  if (bundle === undefined)
    throw new RangeError(
      `no driver "${options.driver}" to rehearse; there are: ${Object.keys(drivers).join(", ")}`,
    );
  const { spinUp } = options;
  if (!(spinUp >= 0 && spinUp <= longestSpinUpSeconds))
    throw new RangeError(`--spin-up takes seconds from 0 to ${longestSpinUpSeconds}`);
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
  if (options.evidence !== undefined) {
    mkdirSync(options.evidence, { recursive: true });
    for (const file of files) writeFileSync(join(options.evidence, file.name), file.text);
  }
  if (options.json === true) {
    const { driver, seed } = options;
    process.stdout.write(`${JSON.stringify({ driver, spinUp, seed, panic, lines }, null, 2)}\n`);
  } else {
    process.stdout.write(`${lines.join("\n")}\n`);
    if (options.evidence !== undefined)
      process.stdout.write(
        files.length === 0
          ? "no panic, so no evidence to write\n"
          : `evidence in ${options.evidence}: ${files.map(({ name }) => name).join(", ")}\n`,
      );
  }
  process.exitCode = read?.status === BlockStatus.ok ? exitCodes.pass : exitCodes.finding;
}

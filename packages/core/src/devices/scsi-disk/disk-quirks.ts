// Ways in which real disks misbehave, each by its name: what public tables of USB storage devices list.

import { getU32be, putU16be, putU32be } from "../../base/bytes.ts";
import { CdbFlag } from "../../codec/scsi/cdb.ts";
import { ScsiOpcode, ServiceAction } from "../../codec/scsi/commands.ts";
import { SenseCode, SenseKey } from "../../codec/scsi/sense.ts";
import type { ScsiTask } from "../../ports/scsi-target.ts";
import { refuseTask } from "../../ports/scsi-target-filter.ts";
import type { QuirkBehaviour } from "./quirky-target.ts";

export interface DiskQuirk {
  readonly name: string;
  /** What the disk does, after "It ". */
  readonly summary: string;
  /** Names of the flag in public tables (Linux's `usb-storage.quirks`, SCSI device lists); empty where there is none. */
  readonly knownAs: string;
  /** A fresh one for each disk; null: nothing about commands. */
  readonly behaviour: (() => QuirkBehaviour) | null;
  /** What is wrong about its USB side (devices/mass-storage). */
  readonly usb?: {
    readonly residueLies?: true;
    readonly tagLies?: true;
    /** Answer to GET MAX LUN, whatever units there are. */
    readonly maximumLun?: number;
  };
}

const refuseCommand = (task: ScsiTask): boolean =>
  refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
const refuseField = (task: ScsiTask): boolean =>
  refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidFieldInCdb);

const isOpcode =
  (...opcodes: number[]) =>
  (task: ScsiTask): boolean =>
    opcodes.includes(task.cdb[0]);
const isVital = (task: ScsiTask): boolean => task.cdb[0] === ScsiOpcode.inquiry && (task.cdb[1] & 1) === 1;
const isLongCapacity = (task: ScsiTask): boolean =>
  task.cdb[0] === ScsiOpcode.serviceActionIn16 && (task.cdb[1] & 0x1f) === ServiceAction.readCapacity16;
const isSame = isOpcode(ScsiOpcode.writeSame10, ScsiOpcode.writeSame16);
const isModeSense = isOpcode(ScsiOpcode.modeSense6, ScsiOpcode.modeSense10);
const isForced = (task: ScsiTask): boolean =>
  isOpcode(ScsiOpcode.write10, ScsiOpcode.write12, ScsiOpcode.write16)(task) &&
  (task.cdb[1] & CdbFlag.forceUnitAccess) !== 0;

const refuses = (isMeant: (task: ScsiTask) => boolean, refuse = refuseCommand) => ({
  refuses: (task: ScsiTask) => isMeant(task) && refuse(task),
});
const hangs = (isMeant: (task: ScsiTask) => boolean) => ({ hangs: isMeant });
const answers = (
  isMeant: (task: ScsiTask) => boolean,
  change: (task: ScsiTask, data: Uint8Array) => void,
) => ({
  answers: (task: ScsiTask) => {
    if (isMeant(task)) change(task, task.data.subarray(task.dataOffset, task.dataOffset + task.movedBytes));
  },
});

/** Blocks of this many bytes, as a firmware reports that sends memory it did not fill. */
const nonsenseBlockBytes = 263_520_264;
/** 32 KiB: what several bridges take at most. */
const fewBlocks = 64;

/** Blocks of READ(10), READ(16), WRITE(10) and WRITE(16); 0 for other commands. */
function movedBlocks({ cdb }: ScsiTask): number {
  if (cdb[0] === ScsiOpcode.read10 || cdb[0] === ScsiOpcode.write10) return (cdb[7] << 8) | cdb[8];
  return cdb[0] === ScsiOpcode.read16 || cdb[0] === ScsiOpcode.write16 ? getU32be(cdb, 10) : 0;
}

export const diskQuirks: readonly DiskQuirk[] = [
  {
    name: "vpd-hangs",
    summary: "never answers INQUIRY with EVPD",
    knownAs: "BLIST_SKIP_VPD_PAGES",
    behaviour: () => hangs(isVital),
  },
  {
    name: "vpd-ignored",
    summary: "answers INQUIRY with EVPD by its standard data",
    knownAs: "BLIST_SKIP_VPD_PAGES",
    behaviour: () =>
      answers(isVital, (_task, data) => {
        // A removable disk of version 2, response format 2.
        data.set(Uint8Array.of(0x00, 0x80, 0x02, 0x02, 0x1f).subarray(0, data.length));
        data.fill(0x20, 8);
      }),
  },
  {
    name: "no-vpd",
    summary: "refuses every vital product data page",
    knownAs: "BLIST_SKIP_VPD_PAGES",
    behaviour: () => refuses(isVital, refuseField),
  },
  {
    name: "report-luns-hangs",
    summary: "never answers REPORT LUNS",
    knownAs: "NO_REPORT_LUNS",
    behaviour: () => hangs(isOpcode(ScsiOpcode.reportLuns)),
  },
  {
    name: "no-read-capacity-16",
    summary: "refuses READ CAPACITY(16)",
    knownAs: "NO_READ_CAPACITY_16",
    behaviour: () => refuses(isLongCapacity),
  },
  {
    name: "read-capacity-16-hangs",
    summary: "never answers READ CAPACITY(16)",
    knownAs: "NO_READ_CAPACITY_16",
    behaviour: () => hangs(isLongCapacity),
  },
  {
    name: "read-capacity-16-zeros",
    summary: "answers READ CAPACITY(16) with zeros and good status",
    knownAs: "NO_READ_CAPACITY_16",
    behaviour: () => answers(isLongCapacity, (_task, data) => data.fill(0)),
  },
  {
    name: "capacity-one-too-many",
    summary: "reports the number of blocks where the last block's number belongs",
    knownAs: "FIX_CAPACITY",
    behaviour: () => ({
      answers: (task) => {
        const at = task.dataOffset + (isLongCapacity(task) ? 4 : 0);
        if (isLongCapacity(task) || task.cdb[0] === ScsiOpcode.readCapacity10)
          putU32be(task.data, at, (getU32be(task.data, at) + 1) >>> 0);
      },
    }),
  },
  {
    name: "capacity-nonsense",
    summary: `says that a block has ${nonsenseBlockBytes} bytes`,
    knownAs: "",
    behaviour: () => ({
      answers: (task) => {
        if (task.cdb[0] === ScsiOpcode.readCapacity10)
          putU32be(task.data, task.dataOffset + 4, nonsenseBlockBytes);
        if (isLongCapacity(task)) putU32be(task.data, task.dataOffset + 8, nonsenseBlockBytes);
      },
    }),
  },
  {
    name: "no-mode-sense",
    summary: "refuses MODE SENSE",
    knownAs: "",
    behaviour: () => refuses(isModeSense),
  },
  {
    name: "mode-sense-hangs",
    summary: "never answers MODE SENSE",
    knownAs: "BLIST_MS_SKIP_PAGE_08",
    behaviour: () => hangs(isModeSense),
  },
  {
    name: "cache-hidden",
    summary: "caches writes and has no caching page that says so",
    knownAs: "WRITE_CACHE",
    behaviour: () => refuses((task) => isModeSense(task) && (task.cdb[2] & 0x3f) === 0x08, refuseField),
  },
  {
    name: "write-protect-lies",
    summary: "says that it is write protected, and is not",
    knownAs: "NO_WP_DETECT",
    behaviour: () =>
      answers(isModeSense, (task, data) => {
        const at = task.cdb[0] === ScsiOpcode.modeSense6 ? 2 : 3;
        if (data.length > at) data[at] |= 0x80;
      }),
  },
  {
    name: "fua-refused",
    summary: "says that it knows FUA (DPOFUA), and refuses it",
    knownAs: "BROKEN_FUA",
    behaviour: () => refuses(isForced, refuseField),
  },
  {
    name: "no-synchronize-cache",
    summary: "caches writes and refuses SYNCHRONIZE CACHE",
    knownAs: "",
    behaviour: () => refuses(isOpcode(ScsiOpcode.synchronizeCache10, ScsiOpcode.synchronizeCache16)),
  },
  {
    name: "no-write-same",
    summary: "refuses WRITE SAME, whatever page B0h says",
    knownAs: "NO_SAME",
    behaviour: () => refuses(isSame),
  },
  {
    name: "write-same-hangs",
    summary: "never answers WRITE SAME",
    knownAs: "NO_SAME",
    behaviour: () => hangs(isSame),
  },
  {
    name: "no-unmap",
    summary: "refuses UNMAP and the UNMAP bit, whatever page B2h says",
    knownAs: "",
    behaviour: () => ({
      refuses: (task) =>
        (task.cdb[0] === ScsiOpcode.unmap && refuseCommand(task)) ||
        (isSame(task) && (task.cdb[1] & 0x08) !== 0 && refuseField(task)),
    }),
  },
  {
    name: "unmap-hangs",
    summary: "never answers UNMAP",
    knownAs: "",
    behaviour: () => hangs(isOpcode(ScsiOpcode.unmap)),
  },
  {
    name: "transfers-of-64",
    summary: `refuses to move more than ${fewBlocks} blocks at once, and does not say so`,
    knownAs: "MAX_SECTORS_64",
    behaviour: () => refuses((task) => movedBlocks(task) > fewBlocks, refuseField),
  },
  {
    name: "transfers-of-one",
    summary: "says that it moves one block at once (page B0h), and moves any number",
    knownAs: "",
    behaviour: () =>
      answers(
        (task) => isVital(task) && task.cdb[2] === 0xb0,
        (_task, data) => {
          if (data.length >= 12) putU32be(data, 8, 1);
        },
      ),
  },
  {
    name: "first-read-fails",
    summary: "fails the first READ after it was plugged in",
    knownAs: "INITIAL_READ10",
    behaviour: () => {
      let isFirst = true;
      return {
        refuses: (task) => {
          if (!isFirst || !isOpcode(ScsiOpcode.read10, ScsiOpcode.read16)(task)) return false;
          isFirst = false;
          return refuseTask(task, SenseKey.hardwareError, SenseCode.internalTargetFailure);
        },
      };
    },
  },
  {
    name: "lock-refused",
    summary: "refuses PREVENT ALLOW MEDIUM REMOVAL",
    knownAs: "NOT_LOCKABLE",
    behaviour: () => refuses(isOpcode(ScsiOpcode.preventAllowMediumRemoval)),
  },
  {
    name: "no-start-stop",
    summary: "refuses START STOP UNIT",
    knownAs: "",
    behaviour: () => refuses(isOpcode(ScsiOpcode.startStopUnit)),
  },
  {
    name: "inquiry-empty",
    summary: "answers INQUIRY with zeros: no vendor, no product",
    knownAs: "FIX_INQUIRY",
    behaviour: () =>
      answers(
        (task) => task.cdb[0] === ScsiOpcode.inquiry && (task.cdb[1] & 1) === 0,
        (_task, data) => data.fill(0, 5),
      ),
  },
  {
    name: "luns-repeat",
    summary: "lists its unit eight times in REPORT LUNS",
    knownAs: "BLIST_NOREPORTLUN",
    behaviour: () => ({
      answers: (task) => {
        if (task.cdb[0] !== ScsiOpcode.reportLuns) return;
        const room = Math.min(task.dataBytes, 8 + 8 * 8);
        task.data.fill(0, task.dataOffset, task.dataOffset + room);
        putU16be(task.data, task.dataOffset + 2, 8 * 8);
        task.movedBytes = room;
      },
    }),
  },
  {
    name: "residue-lies",
    summary: "says in every CSW that nothing was moved (Bulk-Only)",
    knownAs: "IGNORE_RESIDUE",
    behaviour: null,
    usb: { residueLies: true },
  },
  {
    name: "tag-lies",
    summary: "puts a wrong tag into every CSW (Bulk-Only)",
    knownAs: "BULK_IGNORE_TAG",
    behaviour: null,
    usb: { tagLies: true },
  },
  {
    name: "luns-lie",
    summary: "says that it has eight units, and has fewer (Bulk-Only, GET MAX LUN)",
    knownAs: "SINGLE_LUN",
    behaviour: null,
    usb: { maximumLun: 7 },
  },
];

/** By name, in the order given. RangeError that lists what there is. */
export function findDiskQuirks(names: readonly string[]): readonly DiskQuirk[] {
  return names.map((name) => {
    const quirk = diskQuirks.find((entry) => entry.name === name);
    if (quirk === undefined)
      throw new RangeError(
        `no quirk "${name}" of a disk; there are: ${diskQuirks.map((entry) => entry.name).join(", ")}`,
      );
    return quirk;
  });
}

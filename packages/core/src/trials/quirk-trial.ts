// A disk with one quirk under each of our drivers: does a medium come, how do requests end, what did it cost.

import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { type DiskQuirk, diskQuirks } from "../devices/scsi-disk/disk-quirks.ts";
import { AttachedScsiDriver } from "../drivers/mass-storage/attached-scsi-driver.ts";
import { BulkOnlyDriver } from "../drivers/mass-storage/bulk-only-driver.ts";
import type { TransportPolicy } from "../drivers/mass-storage/mass-storage-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { type BlockStatus, BlockSubmit, BlockStatus as Status } from "../ports/block.ts";
import { defaultStorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { linuxOnQuirk } from "./linux-on-quirks.ts";

/** Virtual time until a medium, and for each request. */
const patienceNs = 900e9;
/** Afterwards: whether what came stays. */
const restNs = 600e9;
const blocks = 128;

export interface QuirkOutcome {
  /** Null: none came. */
  readonly medium: { readonly blockBytes: number; readonly blockCount: number } | null;
  /** Virtual seconds until it came. */
  readonly tookSeconds: number;
  /** How each request ended: a BlockStatus by name, or "not offered". */
  readonly ended: Readonly<Record<string, string>>;
  /** What was written was read again. */
  readonly isSame: boolean;
  /** A medium is there after ten more minutes. */
  readonly stays: boolean;
  readonly portResets: number;
  readonly timeouts: number;
  readonly units: number;
  /** What the machine's log says. */
  readonly notes: readonly string[];
}

const statusNames = Object.fromEntries(Object.entries(Status).map(([name, value]) => [value, name]));
const submitNames = Object.fromEntries(Object.entries(BlockSubmit).map(([name, value]) => [value, name]));

/** Brings the disk up and asks it for everything a file system asks for. */
export async function tryQuirk(
  quirks: readonly DiskQuirk[],
  policy: TransportPolicy,
  turn: HostTurn,
  options: Partial<StorageRigOptions> = {},
): Promise<QuirkOutcome> {
  const rig = defaultStorageRig(1, turn, {
    timing: "none",
    trace: false,
    policy,
    device: { speed: UsbSpeed.super },
    quirks,
    ...options,
  });
  const { machine, scsi } = rig;
  const { scheduler } = machine;
  const counted = new Set<BulkOnlyDriver | AttachedScsiDriver>();
  machine.onRegistered(() => {
    for (const entry of machine.registry.entries())
      if (entry instanceof BulkOnlyDriver || entry instanceof AttachedScsiDriver) counted.add(entry);
  });
  const live = (): IOMedia | undefined => rig.media.find((media) => !media.isGone);
  await scheduler.run(patienceNs, () => live() !== undefined);
  const media = live();
  const tookSeconds = Math.round(scheduler.nowNs() / 1e9);
  const ended: Record<string, string> = {};
  let isSame = false;
  if (media !== undefined) {
    let answer: BlockStatus | null = null;
    media.connect({
      completed: (_slot, status) => {
        answer = status;
      },
      detached: () => {},
    });
    const ask = async (submit: () => BlockSubmit): Promise<string> => {
      answer = null;
      const submitted = submit();
      if (submitted === BlockSubmit.unsupported) return "not offered";
      if (submitted !== BlockSubmit.accepted) return submitNames[submitted];
      await scheduler.run(scheduler.nowNs() + patienceNs, () => answer !== null);
      return answer === null ? "never" : statusNames[answer];
    };
    const written = new Uint8Array(blocks * media.geometry.blockBytes).fill(0x5a);
    const read = new Uint8Array(written.length);
    ended.write = await ask(() => media.write(0, 0, blocks, written, 0, false));
    ended.read = await ask(() => media.read(0, 0, blocks, read, 0));
    isSame = read.every((byte, index) => byte === written[index]);
    ended["last block"] = await ask(() => media.read(0, media.geometry.blockCount - 1, 1, read, 0));
    ended.flush = await ask(() => media.flush(0));
    // Success, and the disk was not asked: what is in its cache is not safe.
    if (media.ledger.of("class driver").converted === 0) ended.flush = "success without a command";
    ended["forced write"] = await ask(() => media.write(0, 8, 8, written, 0, true));
    ended.trim = await ask(() => media.trim(0, 1000, blocks));
    ended["zeros, holes allowed"] = await ask(() => media.writeZeroes(0, 2000, blocks, true, false));
    ended["zeros, written"] = await ask(() => media.writeZeroes(0, 3000, blocks, false, false));
  }
  await scheduler.run(scheduler.nowNs() + restNs);
  const counts = [...counted].map(({ recoveries }) => recoveries);
  const notes = machine.log.show({ info: true }).map(({ message }) => message);
  return {
    medium:
      media === undefined
        ? null
        : { blockBytes: media.geometry.blockBytes, blockCount: media.geometry.blockCount },
    tookSeconds,
    ended,
    isSame,
    stays: live() !== undefined,
    portResets: counts.reduce((sum, { portResets }) => sum + portResets, 0),
    timeouts: counts.reduce((sum, { timeouts }) => sum + timeouts, 0),
    units: scsi.units.length,
    notes,
  };
}

const drivers = [
  ["Bulk-Only", "bulk-only"],
  ["UAS", "uas"],
] as const;

/** What a driver did, in a few words for the page. */
function cell(outcome: QuirkOutcome): string {
  const { ended, medium, portResets, timeouts } = outcome;
  const cost = [
    ...(timeouts > 0 ? [`${timeouts} timeout${timeouts > 1 ? "s" : ""}`] : []),
    ...(portResets > 0 ? [`${portResets} port reset${portResets > 1 ? "s" : ""}`] : []),
  ];
  const tail = cost.length > 0 ? ` (${cost.join(", ")})` : "";
  if (medium === null) return `no medium${tail}`;
  const good = Object.entries(ended).filter(([, status]) => status === "ok");
  const rest = Object.entries(ended).filter(([, status]) => status !== "ok");
  const words = rest.map(([name, status]) => `${name}: ${status}`);
  return (good.length === Object.keys(ended).length ? "everything works" : words.join(", ")) + tail;
}

/** docs/disk-quirks.md from what ran. */
export async function quirksPage(turn: HostTurn): Promise<string> {
  const lines = [
    "# Quirks of disks, and what our drivers do about them",
    "",
    "Made by `npm run test:unit -- quirk-trial` from what ran; the test compares this page with its run. What Linux 6.1 does was seen in",
    "the test guest, over USB/IP at high speed; `npm run test:system -- disk-guest` sees a part of it again, with `DRYDOCK_QUIRKS=all` all.",
    "",
    "`drydock disk serve --quirk NAME,NAME` puts a disk with such firmware under our drivers, `drydock export usbip disk --quirk NAME`",
    "and `drydock export usbredir disk --quirk NAME` under foreign ones. The names in the third column are flags of public tables.",
    "Each disk is written, read, flushed, written with FUA, trimmed, and given zeros with and without holes.",
    "",
    "| Name | The disk | Known as | Bulk-Only driver | UAS driver | Linux's usb-storage | Linux's uas |",
    "|---|---|---|---|---|---|---|",
  ];
  for (const quirk of diskQuirks) {
    const cells: string[] = [];
    for (const [, policy] of drivers)
      cells.push(
        quirk.usb !== undefined && policy === "uas"
          ? "not concerned"
          : cell(await tryQuirk([quirk], policy, turn)),
      );
    for (const [, transport] of drivers) cells.push(linuxOnQuirk(quirk.name, transport));
    lines.push(`| \`${quirk.name}\` | ${quirk.summary} | ${quirk.knownAs || "-"} | ${cells.join(" | ")} |`);
  }
  lines.push(
    "",
    "**Not modelled**, because they are about hosts or about devices that this disk cannot be: GO_SLOW, IGNORE_DEVICE, IGNORE_UAS,",
    "SINGLE_LUN by table, SCM_MULT_TARG, BULK32, SANE_SENSE and BAD_SENSE (sense is 18 bytes here), NO_ATA_1X, NO_READ_DISC_INFO,",
    "NO_REPORT_OPCODES, ALWAYS_SYNC, NEEDS_CAP16, CAPACITY_HEURISTICS, CAPACITY_OK, MAX_SECTORS_240, MAX_SECTORS_MIN, SENSE_AFTER_SYNC.",
    "",
    "**What the outcomes mean.** A command that was never answered is remembered with the device, across its resets, and not sent",
    "again; after three port resets without a block moved the device is left alone. A form that is refused is replaced: UNMAP by WRITE",
    "SAME with UNMAP, that by WRITE SAME, that by blocks of zeros; FUA by a flush; SYNCHRONIZE CACHE(10) by (16), and both by switching the",
    "write cache off. A disk that neither can be flushed nor stops caching answers `unsupported` to a flush: nothing could vouch for it.",
    "",
    "Linux is asked to find the disk within 12 s, to write 1 MiB past its cache, flush it, read it again, and read the last block. Its",
    "usb-storage asks for no vital product data and trims nothing, so that it does not meet some of the quirks.",
    "",
  );
  return `${lines.join("\n")}`;
}

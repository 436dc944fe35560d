// Opcode coverage of a SCSI target (F16): what was asked of it, how it ended, and what nobody ever asked for.

import { DecodeError } from "../base/errors.ts";
import { ataCommandName, decodeAtaPassThrough } from "../codec/scsi/ata-pass-through.ts";
import { writeInquiry, writeLogSense, writeModeSense10 } from "../codec/scsi/cdb.ts";
import { findScsiCommand, ScsiOpcode, ServiceAction, scsiCommandName } from "../codec/scsi/commands.ts";
import { LogPage } from "../codec/scsi/log-pages.ts";
import { decodeModeHeader, decodeModePages, ModePage, ModeSubpage } from "../codec/scsi/mode-pages.ts";
import { decodeSense, senseText } from "../codec/scsi/sense.ts";
import { decodeAllCommands } from "../codec/scsi/supported-commands.ts";
import { decodeSupportedPages, VpdPage, vpdPageName } from "../codec/scsi/vpd.ts";
import { ScsiStatus, ScsiTask } from "../ports/scsi-target.ts";
import { ScsiTargetFilter } from "../ports/scsi-target-filter.ts";

/** One command, service action or page. */
export interface CoverageRow {
  /** `READ(10)`, `INQUIRY VPD B0h`. */
  readonly name: string;
  readonly opcode: number;
  /** Times that it was asked for. */
  readonly asked: number;
  readonly good: number;
  /** How the others ended, with counts: sense as text, or the status. */
  readonly failed: Readonly<Record<string, number>>;
  /** Begun, and over only later or never: aborted, or still under way. */
  readonly open: number;
  /** Bytes that the CDBs asked for, and bytes that moved. */
  readonly requestedBytes: number;
  readonly realisedBytes: number;
  /** The target lists it; null when the target could not be asked. */
  readonly isClaimed: boolean | null;
}

export interface CoverageReport {
  readonly rows: readonly CoverageRow[];
  /** What the target claims and nobody asked for; null when it could not be asked. */
  readonly neverAsked: readonly string[] | null;
  /** What a class driver and disk tools need, and this target does not claim or refused when it was asked. */
  readonly gaps: readonly CoverageGap[];
}

export interface CoverageGap {
  readonly name: string;
  /** Sense as text, or "not claimed". */
  readonly why: string;
}

const inWidths = (name: string, bytes: readonly number[]) => bytes.map((each) => `${name}(${each})`);

/**
 * Commands and pages that macOS's class driver for disks and its disk tools use (posts.md P19). A disk may do without
 * UNMAP and WRITE SAME if it says so; without the others something fails sooner or later.
 */
const needs: readonly string[] = [
  "TEST UNIT READY",
  "REQUEST SENSE",
  "INQUIRY",
  ...["00", "80", "83", "B0", "B1", "B2"].map((page) => `INQUIRY VPD ${page}h`),
  ...inWidths("MODE SENSE", [6, 10]).map((name) => `${name} page 08h`),
  ...inWidths("MODE SELECT", [6, 10]),
  "START STOP UNIT",
  ...inWidths("READ", [6, 10, 12, 16]),
  ...inWidths("WRITE", [6, 10, 12, 16]),
  ...inWidths("READ CAPACITY", [10, 16]),
  ...inWidths("SYNCHRONIZE CACHE", [10, 16]),
  "REPORT LUNS",
  "UNMAP",
  ...inWidths("WRITE SAME", [10, 16]),
];

/** An initiator number that no carrier gives: its unit attentions are nobody else's. */
const ownInitiator = 4096;
/** The power-on attention, and what else may stand before an answer. */
const attempts = 8;
const answerBytes = 16384;

interface Count {
  readonly name: string;
  readonly opcode: number;
  asked: number;
  good: number;
  over: number;
  readonly failed: Map<string, number>;
  requestedBytes: number;
  realisedBytes: number;
}

function hex(value: number): string {
  return `${value.toString(16).toUpperCase().padStart(2, "0")}h`;
}

function modePageName(page: number, subpage: number): string {
  return subpage === 0 ? `page ${hex(page)}` : `page ${hex(page)}/${hex(subpage)}`;
}

/** What a CDB asks for: the command's name, and the page where it chooses one. */
export function coverageName(cdb: Uint8Array): string {
  const name = scsiCommandName(cdb);
  switch (cdb[0]) {
    case ScsiOpcode.inquiry:
      return (cdb[1] & 1) === 0 ? name : `${name} VPD ${hex(cdb[2])}`;
    case ScsiOpcode.modeSense6:
    case ScsiOpcode.modeSense10:
      return `${name} ${modePageName(cdb[2] & 0x3f, cdb[3])}`;
    case ScsiOpcode.logSense:
      return `${name} ${modePageName(cdb[2] & 0x3f, cdb[3])}`;
    case ScsiOpcode.ataPassThrough12:
    case ScsiOpcode.ataPassThrough16:
      return `${name} ${ataCommandName(decodeAtaPassThrough(cdb).command)}`;
    default:
      return name;
  }
}

/** Same type in, same type out: everything passes, and is counted. */
export class ScsiCoverage extends ScsiTargetFilter {
  readonly #counts = new Map<string, Count>();
  readonly #open = new Map<ScsiTask, { readonly count: Count; readonly requestedBytes: number }>();

  override begin(task: ScsiTask): boolean {
    const name = coverageName(task.cdb);
    let count = this.#counts.get(name);
    if (count === undefined) {
      const opcode = task.cdb[0];
      count = {
        name,
        opcode,
        asked: 0,
        good: 0,
        over: 0,
        failed: new Map(),
        requestedBytes: 0,
        realisedBytes: 0,
      };
      this.#counts.set(name, count);
    }
    count.asked++;
    const isOver = super.begin(task);
    this.#open.set(task, { count, requestedBytes: task.transferBytes });
    if (isOver) this.#over(task);
    return isOver;
  }

  override execute(task: ScsiTask): boolean {
    const isOver = super.execute(task);
    if (isOver) this.#over(task);
    return isOver;
  }

  protected override finished(task: ScsiTask): void {
    this.#over(task);
    super.finished(task);
  }

  #over(task: ScsiTask): void {
    const entry = this.#open.get(task);
    if (entry === undefined) return;
    this.#open.delete(task);
    const { count } = entry;
    count.over++;
    count.requestedBytes += entry.requestedBytes;
    count.realisedBytes += task.movedBytes;
    if (task.status === ScsiStatus.good || task.status === ScsiStatus.conditionMet) {
      count.good++;
      return;
    }
    const how = endText(task);
    count.failed.set(how, (count.failed.get(how) ?? 0) + 1);
  }

  /** What was asked so far. `lun`: the unit whose claims it is held against. */
  report(lun = 0): CoverageReport {
    const claimed = this.#claims(lun);
    const rows = [...this.#counts.values()]
      .sort((left, right) => left.opcode - right.opcode || (left.name < right.name ? -1 : 1))
      .map(({ over, failed, ...count }) => ({
        ...count,
        failed: Object.fromEntries(failed),
        open: count.asked - over,
        isClaimed: claimed === null ? null : claimed.has(count.name) || asksForAll(count.name),
      }));
    const gaps: CoverageGap[] = [];
    for (const name of needs) {
      const refusals = [...(this.#counts.get(name)?.failed.keys() ?? [])].filter((how) =>
        /\(5\/20\/00\)/.test(how),
      );
      const why = refusals[0] ?? (claimed !== null && !claimed.has(name) ? "not claimed" : null);
      if (why !== null) gaps.push({ name, why });
    }
    return {
      rows,
      gaps,
      neverAsked: claimed === null ? null : [...claimed].filter((name) => !this.#counts.has(name)),
    };
  }

  /** Names of all that the unit lists: commands, and pages in place of the commands that choose one. */
  #claims(lun: number): Set<string> | null {
    const names = new Set<string>();
    const listed = this.#ask(lun, (cdb) => {
      cdb[0] = ScsiOpcode.maintenanceIn;
      cdb[1] = ServiceAction.reportSupportedOperationCodes;
      cdb[8] = answerBytes >> 8;
      return 12;
    });
    if (listed === null) return null;
    const cdb = new Uint8Array(32);
    const modeSenses: number[] = [];
    for (const { opcode, serviceAction } of decodeAllCommands(listed)) {
      cdb.fill(0);
      cdb[0] = opcode;
      if (opcode === ScsiOpcode.variableLength) cdb[9] = serviceAction;
      else if (serviceAction >= 0) cdb[1] = serviceAction;
      if (opcode === ScsiOpcode.modeSense6 || opcode === ScsiOpcode.modeSense10) modeSenses.push(opcode);
      else if (opcode !== ScsiOpcode.logSense) names.add(coverageName(cdb));
    }
    const prefix = (opcode: number) => findScsiCommand(Uint8Array.of(opcode, 0))?.name ?? hex(opcode);
    const pages = this.#ask(lun, (out) => writeInquiry(out, VpdPage.supportedPages, 255));
    for (const page of pages === null ? [] : decodeSupportedPages(pages))
      names.add(`INQUIRY VPD ${hex(page)}`);
    const modes = this.#ask(lun, (out) =>
      writeModeSense10(out, {
        page: ModePage.all,
        subpage: ModeSubpage.all,
        noBlockDescriptors: true,
        allocationBytes: answerBytes,
      }),
    );
    if (modes !== null) {
      const { headerBytes, blockDescriptorBytes } = decodeModeHeader(modes, true);
      const views = decodeModePages(modes, headerBytes + blockDescriptorBytes);
      for (const opcode of modeSenses)
        for (const { page, subpage } of views) names.add(`${prefix(opcode)} ${modePageName(page, subpage)}`);
    }
    const logs = this.#ask(lun, (out) => writeLogSense(out, LogPage.supportedPages, 255));
    if (logs !== null)
      for (const page of logs.subarray(4))
        names.add(`${prefix(ScsiOpcode.logSense)} ${modePageName(page, 0)}`);
    return names;
  }

  /** Data of a command of our own, uncounted; null when it fails or takes time. */
  #ask(lun: number, write: (cdb: Uint8Array) => number): Uint8Array | null {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const task = new ScsiTask();
      task.initiator = ownInitiator;
      task.lun = lun;
      task.cdbBytes = write(task.cdb);
      if (!this.target.begin(task)) {
        task.data = new Uint8Array(Math.min(task.transferBytes, answerBytes));
        task.dataBytes = task.data.length;
        if (!this.target.execute(task)) {
          this.target.abort(task);
          return null;
        }
      }
      if (task.status === ScsiStatus.good) return task.data.subarray(0, task.movedBytes);
    }
    return null;
  }
}

/** MODE SENSE of all pages or subpages names none that could be claimed. */
function asksForAll(name: string): boolean {
  return /^MODE SENSE\(\d+\) page (3Fh|.*\/FFh)/.test(name);
}

function endText(task: ScsiTask): string {
  if (task.status !== ScsiStatus.checkCondition || task.senseBytes === 0) return `status ${hex(task.status)}`;
  try {
    const { key, code } = decodeSense(task.sense.subarray(0, task.senseBytes));
    return senseText({ key, code });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return "sense that cannot be read";
  }
}

/** The report for people: a table, then what the device claims and nobody asked for. */
export function formatCoverage({ rows, neverAsked, gaps }: CoverageReport): string {
  const lines = rows.map((row) => {
    const notes = Object.entries(row.failed).map(([how, times]) => `${times} x ${how}`);
    if (row.open > 0) notes.push(`${row.open} not over`);
    if (row.isClaimed === false) notes.push("not claimed");
    return [
      row.name,
      String(row.asked),
      String(row.good),
      String(row.requestedBytes),
      String(row.realisedBytes),
      notes.join("; "),
    ];
  });
  const table = [["asked for", "times", "good", "bytes wanted", "bytes moved", "notes"], ...lines];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...table.map((line) => line[at].length)));
  const text = table.map((line) =>
    line
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : at < 5 ? cell.padStart(widths[at]) : cell))
      .join("  ")
      .trimEnd(),
  );
  if (neverAsked === null) text.push("", "the device could not be asked what it claims");
  else if (neverAsked.length === 0) text.push("", "everything that the device claims was asked for");
  else {
    text.push("", `claimed and never asked for (${neverAsked.length}):`);
    for (const name of neverAsked) text.push(`  ${named(name)}`);
  }
  if (gaps.length === 0) text.push("", "nothing is missing that a class driver and disk tools need");
  else {
    text.push("", `missing of what a class driver and disk tools need (${gaps.length}):`);
    for (const { name, why } of gaps) text.push(`  ${named(name)}: ${why}`);
  }
  return `${text.join("\n")}\n`;
}

function named(name: string): string {
  const page = /^INQUIRY VPD ([0-9A-F]{2})h$/.exec(name)?.[1];
  return page === undefined ? name : `${name} (${vpdPageName(Number.parseInt(page, 16))})`;
}

// USB mass storage as it passes on the wire: transfers in; their names and whole SCSI commands out.

import { DecodeError } from "../base/errors.ts";
import { hexBytes } from "../base/text.ts";
import {
  attachedScsiProtocol,
  decodeCommandIu,
  decodeStatusIu,
  decodeTaskManagementIu,
  IuId,
  PipeUsage,
  pipeUsageOf,
  ResponseCode,
  TaskFunction,
} from "../codec/mass-storage/attached-scsi.ts";
import {
  BulkOnlyRequest,
  BulkOnlyStatus,
  bulkOnlyProtocol,
  decodeCommandWrapper,
  decodeStatusWrapper,
  isCommandWrapper,
  isStatusWrapper,
  massStorageClass,
  scsiSubClass,
} from "../codec/mass-storage/bulk-only.ts";
import { newCdbFields, readCdb } from "../codec/scsi/cdb.ts";
import { LengthUnit, scsiCommandName } from "../codec/scsi/commands.ts";
import { decodeSense, senseText } from "../codec/scsi/sense.ts";
import { type Configuration, DescriptorType, parseConfiguration } from "../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup, StandardRequest } from "../codec/usb/setup.ts";

/** A transfer when the host queues it. */
export interface WireSubmission {
  /** Pairs the two halves; unique while the transfer is under way. */
  readonly id: number | string;
  readonly device: number;
  /** With the direction bit. */
  readonly endpoint: number;
  /** SETUP bytes of a control transfer, else null. */
  readonly setup: Uint8Array | null;
  /** OUT data, or the beginning of it. */
  readonly data: Uint8Array;
  /** Bytes asked for or offered; -1 when unknown. */
  readonly requested: number;
  /** Bulk stream; 0 for none or unknown. */
  readonly stream: number;
  /** The driver call behind it, empty when unknown. */
  readonly cause: string;
}

/** A transfer when it is over. */
export interface WireCompletion {
  readonly id: number | string;
  readonly device: number;
  readonly endpoint: number;
  readonly result: "ok" | "stall" | "cancelled" | "gone" | "error";
  readonly moved: number;
  /** IN data, or the beginning of it. */
  readonly data: Uint8Array;
}

/** The host's transfer for the data of a command. */
export interface WireData {
  readonly endpoint: number;
  readonly stream: number;
  readonly requested: number;
  moved: number;
  /** IN data, as far as the capture kept it. */
  answer: Uint8Array;
  /** "pending": not over when the capture ended. */
  result: WireCompletion["result"] | "pending";
}

/** One SCSI command as the wire showed it. */
export interface WireCommand {
  readonly device: number;
  readonly transport: "bulk-only" | "uas";
  readonly hasStreams: boolean;
  readonly tag: number;
  readonly lun: number;
  /** What was carried of the CDB. */
  readonly cdb: Uint8Array;
  readonly name: string;
  /** What the CBW says will move; null over UAS: a command IU does not say. */
  readonly statedBytes: number | null;
  /** What the CDB asks for, in bytes or blocks; null where that is not known (vendor commands). */
  readonly countInCdb: number | null;
  /** Null: the host never queued one. */
  data: WireData | null;
  /** The device asked for its data stage (READY unit, ERDY). Null where the capture cannot show it. */
  asked: boolean | null;
  /** SCSI status, over Bulk-Only 0 or 2 by the CSW. Null: none came. */
  status: number | null;
  /** dCSWDataResidue; null over UAS. */
  residue: number | null;
  /** Over Bulk-Only, of the REQUEST SENSE that followed. */
  sense: Uint8Array;
  readonly cause: string;
}

/** posts.md F10: whose turn it was, and the sentence. */
export interface NoDataVerdict {
  readonly who: "device never asked" | "host never queued" | "device refused" | "nobody began";
  readonly sentence: string;
}

const noBytes = new Uint8Array(0);
const checkCondition = 0x02;
const requestSense = 0x03;
const vendorOpcodes = 0xc0;
/** Bytes of an IN data stage that are kept for readers. */
const answerMaximum = 64;
/** Commands without their status that are remembered per device. */
const openMaximum = 256;

const statusNames: Readonly<Record<number, string>> = {
  0: "GOOD",
  2: "CHECK CONDITION",
  4: "CONDITION MET",
  8: "BUSY",
  24: "RESERVATION CONFLICT",
  40: "TASK SET FULL",
  48: "ACA ACTIVE",
  64: "TASK ABORTED",
};

const nameOf = (table: Readonly<Record<string, number>>, value: number): string => {
  const found = Object.entries(table).find(([, number]) => number === value);
  return found === undefined
    ? `0x${value.toString(16)}`
    : found[0].replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
};

/** Status of a command by SAM-5 §5.3.1, in words. */
export function scsiStatusName(status: number): string {
  return statusNames[status] ?? `status 0x${status.toString(16)}`;
}

/** "Bulk-Only Mass Storage Reset", "Get Max LUN"; null for other requests. */
export function describeMassStorageRequest(setup: Setup): string | null {
  const isClass =
    (setup.bmRequestType & RequestType.mask) === RequestType.class &&
    (setup.bmRequestType & Recipient.mask) === Recipient.interface;
  if (!isClass) return null;
  if (setup.bRequest === BulkOnlyRequest.reset) return "Bulk-Only Mass Storage Reset";
  return setup.bRequest === BulkOnlyRequest.getMaxLun ? "Get Max LUN" : null;
}

/** What a device says when it has something for a stream that it had answered NRDY (USB 3.2 §8.5.4), as a trace has it. */
export function erdyText(endpoint: number, stream: number): string {
  return `ERDY endpoint 0x${endpoint.toString(16).padStart(2, "0")} stream ${stream}`;
}

/** True for a remark that `erdyText` made. */
export function isErdyText(text: string): boolean {
  return erdyPattern.test(text);
}

const erdyPattern = /^ERDY endpoint 0x([0-9a-f]{2}) stream (\d+)$/;

type Role = "bulk-only in" | "bulk-only out" | "command" | "status" | "data in" | "data out";

interface Pending {
  readonly submission: WireSubmission;
  readonly role: Role | null;
  command: WireCommand | null;
}

interface Setting {
  readonly alternate: number;
  readonly protocol: number;
  readonly roles: ReadonlyMap<number, Role>;
  readonly hasStreams: boolean;
}

/** What is known about one device address. */
class DeviceView {
  settings: readonly Setting[] = [];
  setting: Setting | null = null;
  interfaceNumber = 0;
  readonly open = new Map<number, WireCommand>();
  /** Bulk-Only: the command under way, and the failed one whose sense is being asked for. */
  current: WireCommand | null = null;
  failed: WireCommand | null = null;
  /** UAS without streams: whose data phase was announced last, by direction. */
  readIn: WireCommand | null = null;
  readOut: WireCommand | null = null;
}

/**
 * Fed with submissions and completions in the order of the capture, any number of devices. Learns the pipes from the
 * configuration descriptor and SET_INTERFACE; Bulk-Only is recognised without them by its signature. Broken bytes make
 * no command and no error: they are somebody else's finding.
 */
export class StorageWire {
  /** Told when a command is over: its status came, or the capture ended. */
  readonly #onCommand: (command: WireCommand) => void;
  readonly #devices = new Map<number, DeviceView>();
  readonly #pending = new Map<number | string, Pending>();
  /** Commands that are over but whose data transfer the host has not had back yet. */
  readonly #late = new Set<WireCommand>();
  #showsErdy = false;

  constructor(onCommand: (command: WireCommand) => void = () => {}) {
    this.#onCommand = onCommand;
  }

  /** True once a device with a mass storage interface was seen. */
  isStorage(device: number): boolean {
    return this.#devices.get(device)?.setting != null;
  }

  /** Alternate settings of a device, by protocol code (50h, 62h), in their order. */
  protocolsOf(device: number): number[] {
    return (this.#devices.get(device)?.settings ?? []).map(({ protocol }) => protocol);
  }

  /** Name of what is sent, for OUT data; null for anything that is not mass storage. */
  submitted(submission: WireSubmission): string | null {
    const view = this.#view(submission.device);
    const role = submission.setup === null ? this.#roleOf(view, submission) : null;
    const pending: Pending = { submission, role, command: null };
    if (this.#pending.size < 65_536) this.#pending.set(submission.id, pending);
    try {
      switch (role) {
        case "bulk-only out":
          return this.#bulkOnlyOut(view, submission, pending);
        case "bulk-only in":
          return this.#attachData(
            view.current,
            pending,
            view.current !== null && this.#wantsIn(view.current),
          );
        case "command":
          return this.#commandUnit(view, submission);
        case "data in":
        case "data out":
          return this.#attachData(this.#owner(view, submission), pending, true);
        default:
          return null;
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return `not valid: ${error.message}`;
    }
  }

  /** Name of what came, for IN data; null when the submission's name says all. */
  completed(completion: WireCompletion): string | null {
    const pending = this.#pending.get(completion.id);
    if (pending === undefined) return null;
    this.#pending.delete(completion.id);
    const view = this.#view(completion.device);
    const { command, role, submission } = pending;
    if (submission.setup !== null) {
      this.#controlDone(view, submission.setup, completion);
      return null;
    }
    if (command?.data != null) {
      command.data.moved = completion.moved;
      command.data.result = completion.result;
      command.data.answer = completion.data.slice(0, answerMaximum);
      if (this.#late.delete(command)) this.#onCommand(command);
      this.#takeSense(view, command, completion.data);
      return null;
    }
    if (completion.result !== "ok") return null;
    try {
      if (role === "bulk-only in") return this.#statusWrapper(view, completion.data);
      return role === "status" ? this.#statusUnit(view, completion.data) : null;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return `not valid: ${error.message}`;
    }
  }

  /** A remark of the trace: ERDY is one. */
  marked(text: string): void {
    const found = erdyPattern.exec(text);
    if (found === null) return;
    this.#showsErdy = true;
    const endpoint = Number.parseInt(found[1], 16);
    for (const view of this.#devices.values()) {
      const role = view.setting?.roles.get(endpoint);
      const command = view.open.get(Number(found[2]));
      if (command !== undefined && (role === "data in" || role === "data out")) command.asked = true;
    }
  }

  /** The capture ended: what is still open is told as it stands. */
  finish(): void {
    for (const command of this.#late) this.#onCommand(command);
    this.#late.clear();
    for (const view of this.#devices.values()) {
      for (const command of view.open.values()) this.#onCommand(command);
      if (view.current !== null) this.#onCommand(view.current);
      view.open.clear();
      view.current = null;
    }
  }

  #view(device: number): DeviceView {
    let view = this.#devices.get(device);
    if (view === undefined) {
      view = new DeviceView();
      this.#devices.set(device, view);
    }
    return view;
  }

  #roleOf(view: DeviceView, submission: WireSubmission): Role | null {
    if (view.setting !== null) return view.setting.roles.get(submission.endpoint) ?? null;
    const { data } = submission;
    const isOut = (submission.endpoint & 0x80) === 0;
    // A capture that began late: CBWs speak for themselves.
    if (isOut && isCommandWrapper(data, 0, data.length)) return "bulk-only out";
    if (view.current === null) return null;
    return isOut ? "bulk-only out" : "bulk-only in";
  }

  #controlDone(view: DeviceView, setup: Uint8Array, completion: WireCompletion): void {
    if (completion.result !== "ok") return;
    const [type, request, valueLow, valueHigh, index] = setup;
    if (
      type === 0x80 &&
      request === StandardRequest.getDescriptor &&
      valueHigh === DescriptorType.configuration
    )
      this.#learn(view, completion.data);
    else if (type === 0x01 && request === StandardRequest.setInterface && index === view.interfaceNumber)
      view.setting = view.settings.find(({ alternate }) => alternate === valueLow) ?? view.setting;
    else if (type === 0x00 && request === StandardRequest.setConfiguration)
      view.setting = view.settings[0] ?? null;
  }

  #learn(view: DeviceView, bytes: Uint8Array): void {
    let configuration: Configuration;
    try {
      configuration = parseConfiguration(bytes);
    } catch (error) {
      // The first read is often the header alone.
      if (!(error instanceof DecodeError)) throw error;
      return;
    }
    const found = configuration.interfaces.find(({ settings }) => settings.some(isStorageSetting));
    if (found === undefined) return;
    view.interfaceNumber = found.number;
    view.settings = found.settings.filter(isStorageSetting).map(({ descriptor, endpoints }): Setting => {
      const isUas = descriptor.bInterfaceProtocol === attachedScsiProtocol;
      const roles = new Map<number, Role>();
      let hasStreams = false;
      for (const endpoint of endpoints) {
        const address = endpoint.descriptor.bEndpointAddress;
        const usage = endpoint.extra.map(({ bytes: extra }) => pipeUsageOf(extra)).find((id) => id !== null);
        const role = isUas
          ? roleOfUsage(usage ?? 0)
          : (address & 0x80) !== 0
            ? "bulk-only in"
            : "bulk-only out";
        if (role !== null) roles.set(address, role);
        if (((endpoint.companion?.bmAttributes ?? 0) & 0x1f) !== 0) hasStreams = true;
      }
      const alternate = descriptor.bAlternateSetting;
      return { alternate, protocol: descriptor.bInterfaceProtocol, roles, hasStreams };
    });
    view.setting ??= view.settings[0] ?? null;
  }

  #bulkOnlyOut(view: DeviceView, submission: WireSubmission, pending: Pending): string | null {
    const { data } = submission;
    if (!isCommandWrapper(data, 0, data.length))
      return this.#attachData(view.current, pending, view.current !== null && !this.#wantsIn(view.current));
    const wrapper = decodeCommandWrapper(data, 0, data.length);
    if (view.current !== null) this.#onCommand(view.current);
    const command = newCommand(
      submission,
      "bulk-only",
      false,
      wrapper.tag,
      wrapper.lun,
      wrapper.cdb,
      wrapper.cdbBytes,
      {
        statedBytes: wrapper.dataBytes,
      },
    );
    view.current = command;
    this.#directions.set(command, wrapper.isIn);
    if (wrapper.cdb[0] !== requestSense) view.failed = null;
    const way =
      wrapper.dataBytes === 0 ? "no data" : `${wrapper.dataBytes} bytes ${wrapper.isIn ? "in" : "out"}`;
    return `CBW tag ${wrapper.tag} LUN ${wrapper.lun}: ${command.name} (${hexBytes(command.cdb)}), ${way}`;
  }

  readonly #directions = new WeakMap<WireCommand, boolean>();

  #wantsIn(command: WireCommand): boolean {
    return (command.statedBytes ?? 0) > 0 && this.#directions.get(command) === true;
  }

  #commandUnit(view: DeviceView, submission: WireSubmission): string | null {
    const { data } = submission;
    if (data[0] === IuId.taskManagement) {
      const unit = decodeTaskManagementIu(data, 0, data.length);
      const about = unit.function === TaskFunction.abortTask || unit.function === TaskFunction.queryTask;
      return `Task Management IU tag ${unit.tag}: ${nameOf(TaskFunction, unit.function)}${about ? ` ${unit.managedTag}` : ` LUN ${unit.lun}`}`;
    }
    const unit = decodeCommandIu(data, 0, data.length);
    const hasStreams = view.setting?.hasStreams ?? false;
    const command = newCommand(submission, "uas", hasStreams, unit.tag, unit.lun, unit.cdb, unit.cdbBytes, {
      statedBytes: null,
    });
    if (!hasStreams || this.#showsErdy) command.asked = false;
    const before = view.open.get(unit.tag);
    if (before !== undefined) this.#onCommand(before);
    if (view.open.size < openMaximum) view.open.set(unit.tag, command);
    return `Command IU tag ${unit.tag} LUN ${unit.lun}: ${command.name} (${hexBytes(command.cdb)})`;
  }

  #owner(view: DeviceView, submission: WireSubmission): WireCommand | null {
    if (submission.stream > 0) return view.open.get(submission.stream) ?? null;
    const announced = (submission.endpoint & 0x80) !== 0 ? view.readIn : view.readOut;
    if (announced !== null && announced.data === null) return announced;
    // Streams exist but the capture does not name them: the newest command without data.
    const waiting = [...view.open.values()].filter(({ data }) => data === null);
    return waiting.at(-1) ?? null;
  }

  #attachData(command: WireCommand | null, pending: Pending, isData: boolean): string | null {
    if (command === null || !isData || command.data !== null) return null;
    const { endpoint, requested, stream } = pending.submission;
    command.data = { endpoint, stream, requested, moved: 0, answer: noBytes, result: "pending" };
    pending.command = command;
    const where = stream > 0 ? `, stream ${stream}` : "";
    return `data of ${command.name}, tag ${command.tag}${where}`;
  }

  #statusWrapper(view: DeviceView, data: Uint8Array): string | null {
    const command = view.current;
    if (!isStatusWrapper(data, 0, data.length)) return command === null ? null : "not valid: no CSW";
    const csw = decodeStatusWrapper(data, 0, data.length);
    if (command !== null && command.tag === csw.tag) {
      view.current = null;
      command.residue = csw.residue;
      command.status = csw.status === BulkOnlyStatus.passed ? 0 : checkCondition;
      if (command.cdb[0] !== requestSense) view.failed = command.status === 0 ? null : command;
      this.#over(command);
    }
    return `CSW tag ${csw.tag}: ${nameOf(BulkOnlyStatus, csw.status)}, residue ${csw.residue}`;
  }

  #statusUnit(view: DeviceView, data: Uint8Array): string | null {
    const unit = decodeStatusIu(data, 0, data.length);
    const command = view.open.get(unit.tag) ?? null;
    if (unit.id === IuId.readReady || unit.id === IuId.writeReady) {
      const isRead = unit.id === IuId.readReady;
      if (command !== null) command.asked = true;
      if (isRead) view.readIn = command;
      else view.readOut = command;
      return `${isRead ? "Read" : "Write"} Ready IU tag ${unit.tag}${command === null ? "" : ` (${command.name})`}`;
    }
    if (unit.id === IuId.response) return `Response IU tag ${unit.tag}: ${nameOf(ResponseCode, unit.status)}`;
    let said = scsiStatusName(unit.status);
    const sense = data.slice(unit.senseAt, unit.senseAt + unit.senseBytes);
    if (unit.senseBytes > 0) said += `, ${senseWords(sense)}`;
    if (command !== null) {
      view.open.delete(unit.tag);
      if (view.readIn === command) view.readIn = null;
      if (view.readOut === command) view.readOut = null;
      command.status = unit.status;
      command.sense = sense;
      this.#over(command);
    }
    return `Sense IU tag ${unit.tag}${command === null ? "" : ` (${command.name})`}: ${said}`;
  }

  /** The status came; a data transfer that the host still has to take back ends the story. */
  #over(command: WireCommand): void {
    if (command.data?.result === "pending") this.#late.add(command);
    else this.#onCommand(command);
  }

  #takeSense(view: DeviceView, command: WireCommand, data: Uint8Array): void {
    if (command.transport !== "bulk-only" || command.cdb[0] !== requestSense || view.failed === null) return;
    view.failed.sense = data.slice();
    view.failed = null;
  }
}

function isStorageSetting(setting: {
  descriptor: { bInterfaceClass: number; bInterfaceSubClass: number; bInterfaceProtocol: number };
}): boolean {
  const { bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol } = setting.descriptor;
  return (
    bInterfaceClass === massStorageClass &&
    bInterfaceSubClass === scsiSubClass &&
    (bInterfaceProtocol === bulkOnlyProtocol || bInterfaceProtocol === attachedScsiProtocol)
  );
}

function roleOfUsage(usage: number): Role | null {
  switch (usage) {
    case PipeUsage.command:
      return "command";
    case PipeUsage.status:
      return "status";
    case PipeUsage.dataIn:
      return "data in";
    default:
      return usage === PipeUsage.dataOut ? "data out" : null;
  }
}

function newCommand(
  submission: WireSubmission,
  transport: "bulk-only" | "uas",
  hasStreams: boolean,
  tag: number,
  lun: number,
  cdb: Uint8Array,
  cdbBytes: number,
  said: { statedBytes: number | null },
): WireCommand {
  const whole = new Uint8Array(32);
  whole.set(cdb.subarray(0, Math.min(cdb.length, 32)));
  const fields = newCdbFields();
  const isKnown = readCdb(whole, Math.max(cdbBytes, 6), fields);
  let countInCdb: number | null = null;
  if (isKnown && fields.info !== null) {
    const { direction, unit } = fields.info;
    // Data with a size of its own have some.
    countInCdb = direction === "none" ? 0 : unit === LengthUnit.own ? 1 : fields.count;
  }
  return {
    device: submission.device,
    transport,
    hasStreams,
    tag,
    lun,
    cdb: whole.slice(0, cdbBytes),
    name: scsiCommandName(whole),
    countInCdb,
    ...said,
    data: null,
    asked: null,
    status: null,
    residue: null,
    sense: noBytes,
    cause: submission.cause,
  };
}

/** Sense data in words, or what is wrong with them. */
export function senseWords(sense: Uint8Array): string {
  try {
    return senseText(decodeSense(sense));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return `sense data that cannot be read (${error.message})`;
  }
}

/** ASC and ASCQ of sense data, ASC in the high byte; -1 where they cannot be read. */
export function senseCodeOf(sense: Uint8Array): number {
  try {
    return sense.length === 0 ? -1 : decodeSense(sense).code;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return -1;
  }
}

/** True for C0h to FFh: what they move, their maker alone knows. */
export function isVendorCommand(command: WireCommand): boolean {
  return command.cdb[0] >= vendorOpcodes;
}

/**
 * posts.md F10, for SCSI: why a command moved no data, and whose turn it was. Null when data moved, when the command
 * has none by its CDB, or when it failed: then its sense says why.
 */
export function whoNeverAsked(command: WireCommand): NoDataVerdict | null {
  const { asked, data, name, tag } = command;
  if (command.status === checkCondition) return null;
  if (data === null && asked === true) {
    return {
      who: "host never queued",
      sentence: `The device asked for the data of ${name}, tag ${tag}${command.hasStreams ? " (ERDY on the stream of that tag)" : ""}, and the host never queued a data stage.`,
    };
  }
  if (command.status === null) return null;
  if (data !== null && (data.moved > 0 || data.requested === 0 || data.result === "gone")) return null;
  const where = data === null ? "" : placeOf(data);
  if (command.transport === "bulk-only") {
    if (data === null) return null;
    return {
      who: "device refused",
      sentence: `The host offered ${data.requested} bytes on ${where} for ${name} (the CBW says so too) and the device ended the command without moving any: it refused the data stage.`,
    };
  }
  if (data !== null) {
    return {
      who: "device never asked",
      sentence: `The host queued ${data.requested} bytes on ${where} for ${name}, tag ${tag}, and the device never asked for them: it ended the command with ${scsiStatusName(command.status)} and 0 bytes.`,
    };
  }
  // TEST UNIT READY and its like end here.
  if (command.countInCdb === 0) return null;
  if (asked === false && !command.hasStreams) {
    return {
      who: "device never asked",
      sentence: `The device never asked for data of ${name}, tag ${tag}: no READ READY or WRITE READY unit came, and without streams the host queues nothing before one.`,
    };
  }
  return {
    who: command.hasStreams ? "host never queued" : "nobody began",
    sentence: `The host never queued a data stage for ${name}, tag ${tag}; ${asked === false ? "the device did not ask for one either" : "whether the device wanted one cannot be seen in this capture"}.`,
  };
}

function placeOf(data: WireData): string {
  const stream = data.stream > 0 ? ` stream ${data.stream}` : "";
  return `endpoint 0x${data.endpoint.toString(16).padStart(2, "0")}${stream}`;
}

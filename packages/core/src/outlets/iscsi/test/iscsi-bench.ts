// An initiator made by hand, for tests: says what it is told to, and checks the form of all that comes back.

import assert from "node:assert/strict";
import { getU24be, getU32be, putU16be, putU24be, putU32be, putU32le } from "../../../base/bytes.ts";
import { crc32c } from "../../../base/crc32c.ts";
import { VirtualClock } from "../../../base/virtual-clock.ts";
import {
  IscsiField,
  IscsiOpcode,
  iscsiFinal,
  iscsiHeaderBytes,
  noTag,
  paddingOf,
} from "../../../codec/iscsi/pdu.ts";
import { decodeTextPairs, encodeTextPairs, type TextPairs } from "../../../codec/iscsi/text.ts";
import { ScsiDiskDevice } from "../../../devices/scsi-disk/scsi-disk-device.ts";
import type { ScsiUnitOptions } from "../../../devices/scsi-disk/unit-options.ts";
import type { ByteStream } from "../../../ports/byte-stream.ts";
import type { ScsiTargetPort } from "../../../ports/scsi-target.ts";
import { memoryStreamPair } from "../../../rigs/memory-stream.ts";
import type { IscsiTargetOptions } from "../iscsi-nexus.ts";
import { IscsiTarget } from "../iscsi-target.ts";

export const targetName = "iqn.2026-01.org.example:disk";
export const initiatorName = "iqn.2026-01.org.example:tester";

export interface Pdu {
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

/** One PDU of an initiator. `fields`: 32-bit numbers by their offset in the header. */
export function pdu(
  opcode: number,
  flags: number,
  fields: Readonly<Record<number, number>> = {},
  data: Uint8Array = new Uint8Array(0),
  digests: { readonly header?: boolean; readonly data?: boolean } = {},
): Uint8Array {
  const headBytes = iscsiHeaderBytes + (digests.header === true ? 4 : 0);
  const padded = data.length + paddingOf(data.length);
  const hasDataDigest = digests.data === true && data.length > 0;
  const bytes = new Uint8Array(headBytes + padded + (hasDataDigest ? 4 : 0));
  bytes[0] = opcode;
  bytes[1] = flags;
  putU24be(bytes, IscsiField.dataSegmentLength, data.length);
  for (const [at, value] of Object.entries(fields)) putU32be(bytes, Number(at), value);
  if (digests.header === true) putU32le(bytes, iscsiHeaderBytes, crc32c(bytes, 0, iscsiHeaderBytes));
  bytes.set(data, headBytes);
  if (hasDataDigest) putU32le(bytes, headBytes + padded, crc32c(bytes, headBytes, padded));
  return bytes;
}

export const normalLogin: TextPairs = [
  ["InitiatorName", initiatorName],
  ["SessionType", "Normal"],
  ["TargetName", targetName],
  ["AuthMethod", "None"],
];

const targetOpcodes: ReadonlySet<number> = new Set([
  IscsiOpcode.nopIn,
  IscsiOpcode.response,
  IscsiOpcode.taskManagementResponse,
  IscsiOpcode.loginResponse,
  IscsiOpcode.textResponse,
  IscsiOpcode.dataIn,
  IscsiOpcode.logoutResponse,
  IscsiOpcode.readyToTransfer,
  IscsiOpcode.reject,
]);

/** Splits what a target sent into PDUs; throws unless it is whole PDUs of kinds that a target sends. */
export function splitPdus(bytes: Uint8Array, digests: { header: boolean; data: boolean }): Pdu[] {
  const found: Pdu[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.ok(at + iscsiHeaderBytes <= bytes.length, "a header is cut off");
    const header = bytes.slice(at, at + iscsiHeaderBytes);
    assert.ok(targetOpcodes.has(header[0]), `opcode ${header[0].toString(16)}h`);
    assert.equal(header[IscsiField.totalAhsLength], 0);
    at += iscsiHeaderBytes;
    if (digests.header) {
      const given = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
      assert.equal(given, crc32c(header), "header digest");
      at += 4;
    }
    const length = getU24be(header, IscsiField.dataSegmentLength);
    const padded = length + paddingOf(length);
    assert.ok(at + padded <= bytes.length, "data is cut off");
    found.push({ header, data: bytes.slice(at, at + length) });
    at += padded;
    if (digests.data && length > 0) {
      const given = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
      assert.equal(given, crc32c(bytes, at - padded, padded), "data digest");
      at += 4;
    }
  }
  return found;
}

export interface CommandOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  readonly expected?: number;
  readonly data?: Uint8Array;
  readonly lun?: number;
  /** More unsolicited data follows. */
  readonly goesOn?: boolean;
}

export class HandInitiator {
  readonly stream: ByteStream;
  readonly #clock: VirtualClock;
  isClosed = false;
  /** All that was sent, for recordings. */
  readonly sent: Uint8Array[] = [];
  digests = { header: false, data: false };
  /** First four bytes: each initiator port needs its own. */
  isid = 0x00023d00;
  cmdSn = 1;
  tag = 0x100;
  #pieces: Uint8Array[] = [];

  constructor(stream: ByteStream, clock: VirtualClock) {
    this.stream = stream;
    this.#clock = clock;
    stream.connect({
      received: (bytes) => this.#pieces.push(bytes.slice()),
      drained: () => {},
      closed: () => {
        this.isClosed = true;
      },
    });
  }

  /** Sends, settles, and answers the PDUs that came since. */
  say(...parts: readonly Uint8Array[]): Pdu[] {
    this.#pieces = [];
    for (const part of parts) {
      this.sent.push(part.slice());
      this.stream.write(part.slice());
    }
    this.#clock.runUntil(this.#clock.nowNs() + 1000);
    return this.answers();
  }

  answers(): Pdu[] {
    const total = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
    const whole = new Uint8Array(total);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return splitPdus(whole, this.digests);
  }

  /** A login request; `from` and `to` are stages, `to` -1: no transition. */
  login(pairs: TextPairs, from: number, to: number): { status: number; keys: Map<string, string> } {
    const flags = (from << 2) | (to < 0 ? 0 : iscsiFinal | to);
    const [answer] = this.say(
      pdu(
        IscsiOpcode.login | 0x40,
        flags,
        { 8: this.isid, 16: this.tag, 24: this.cmdSn },
        encodeTextPairs(pairs),
      ),
    );
    assert.ok(answer !== undefined, "the login was not answered");
    assert.equal(answer.header[0], IscsiOpcode.loginResponse);
    return {
      status: (answer.header[36] << 8) | answer.header[37],
      keys: new Map(decodeTextPairs(answer.data)),
    };
  }

  /** Through both stages with `operational` keys. */
  enter(operational: TextPairs = [], pairs: TextPairs = normalLogin): Map<string, string> {
    assert.equal(this.login(pairs, 0, 1).status, 0);
    const { status, keys } = this.login(operational, 1, 3);
    assert.equal(status, 0);
    this.digests = {
      header: keys.get("HeaderDigest") === "CRC32C",
      data: keys.get("DataDigest") === "CRC32C",
    };
    return keys;
  }

  /** A SCSI Command PDU; takes the next CmdSN and a new task tag. */
  command(cdb: Uint8Array, options: CommandOptions = {}): Uint8Array {
    const flags =
      (options.goesOn === true ? 0 : iscsiFinal) |
      (options.read === true ? 0x40 : 0) |
      (options.write === true ? 0x20 : 0);
    const fields = {
      16: ++this.tag,
      20: options.expected ?? options.data?.length ?? 0,
      24: this.cmdSn++,
    };
    const bytes = pdu(IscsiOpcode.command, flags, fields, options.data, { data: this.digests.data });
    putU16be(bytes, 8, options.lun ?? 0);
    bytes.set(cdb.subarray(0, 16), IscsiField.cdb);
    return this.digests.header ? withHeaderDigest(bytes) : bytes;
  }

  dataOut(
    tag: number,
    offset: number,
    sn: number,
    data: Uint8Array,
    isFinal: boolean,
    transferTag = noTag,
  ): Uint8Array {
    return pdu(
      IscsiOpcode.dataOut,
      isFinal ? iscsiFinal : 0,
      { 16: tag, 20: transferTag, 36: sn, 40: offset },
      data,
      this.digests,
    );
  }

  taskManagement(code: number, fields: Readonly<Record<number, number>>, isImmediate = true): Uint8Array {
    const cmdSn = isImmediate ? this.cmdSn : this.cmdSn++;
    return pdu(IscsiOpcode.taskManagement | (isImmediate ? 0x40 : 0), iscsiFinal | code, {
      16: ++this.tag,
      24: cmdSn,
      ...fields,
    });
  }
}

/** A header digest put in behind a header that was finished late. */
function withHeaderDigest(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 4);
  whole.set(bytes.subarray(0, iscsiHeaderBytes));
  putU32le(whole, iscsiHeaderBytes, crc32c(bytes, 0, iscsiHeaderBytes));
  whole.set(bytes.subarray(iscsiHeaderBytes), iscsiHeaderBytes + 4);
  return whole;
}

export class IscsiBench {
  readonly clock = new VirtualClock();
  readonly disk: ScsiDiskDevice;
  readonly target: IscsiTarget;
  readonly events: string[] = [];

  constructor(
    unit: Partial<ScsiUnitOptions> = {},
    options: Partial<IscsiTargetOptions> = {},
    wrap: (disk: ScsiDiskDevice) => ScsiTargetPort = (disk) => disk,
  ) {
    this.disk = new ScsiDiskDevice({ clock: this.clock, units: [{ blockCount: 131072, ...unit }] });
    this.target = new IscsiTarget({
      name: targetName,
      port: wrap(this.disk),
      clock: this.clock,
      randomBytes: (into) => into.fill(0x5c),
      onEvent: (text) => {
        this.events.push(text);
        if (this.events.length > 1000) this.events.shift();
      },
      ...options,
    });
  }

  join(): HandInitiator {
    const [near, far] = memoryStreamPair({ clock: this.clock });
    this.target.accept(far);
    return new HandInitiator(near, this.clock);
  }

  /** Logged in, with the power-on attention heard. */
  opened(operational: TextPairs = [], isid = 0x00023d00): HandInitiator {
    const initiator = this.join();
    initiator.isid = isid;
    initiator.enter(operational);
    const [answer] = initiator.say(initiator.command(new Uint8Array(16)));
    assert.equal(statusOf(answer), 2);
    return initiator;
  }
}

/** Status of a SCSI Response, or of a Data-In that carries one. */
export function statusOf(answer: Pdu | undefined): number {
  assert.ok(answer !== undefined, "no answer came");
  const opcode = answer.header[0];
  assert.ok(
    opcode === IscsiOpcode.response || opcode === IscsiOpcode.dataIn,
    `opcode ${opcode.toString(16)}h`,
  );
  return answer.header[IscsiField.status];
}

/** Key, and additional code and qualifier, of a response's sense data. */
export function senseOf(answer: Pdu | undefined): string {
  assert.ok(answer !== undefined, "no answer came");
  const sense = answer.data.subarray(2);
  return `${(sense[2] & 15).toString(16)}/${getU32be(sense, 10).toString(16).padStart(8, "0").slice(4)}`;
}

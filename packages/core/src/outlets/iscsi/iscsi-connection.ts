// One iSCSI connection, which is one session: PDUs in, commands to the target.
// RFC 7143 §4, §7, §11; error recovery level 0: what cannot be understood ends the connection.

import { getU32be, putU16be, putU32be } from "../../base/bytes.ts";
import type { TimerHandle } from "../../base/clock.ts";
import { crc32c } from "../../base/crc32c.ts";
import { DecodeError } from "../../base/errors.ts";
import { second } from "../../base/units.ts";
import {
  CommandFlag,
  dataSegmentBytes,
  IscsiField,
  IscsiOpcode,
  IscsiTaskFunction,
  IscsiTaskResponse,
  iscsiFinal,
  iscsiHeaderBytes,
  iscsiImmediate,
  iscsiOpcodeName,
  LoginStage,
  LoginStatus,
  loginRefusal,
  noTag,
  paddingOf,
  RejectReason,
  ResponseFlag,
  readIscsiCdb,
  serialLess,
} from "../../codec/iscsi/pdu.ts";
import {
  decodeTextPairs,
  encodeTextPairs,
  maximumRecvDataSegment,
  type TextPairs,
} from "../../codec/iscsi/text.ts";
import { getLun } from "../../codec/scsi/inquiry.ts";
import { SenseCode, SenseKey, writeFixedSense } from "../../codec/scsi/sense.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { ScsiDirection, ScsiStatus } from "../../ports/scsi-target.ts";
import { IscsiBuffers, OutgoingBuffer } from "./iscsi-buffers.ts";
import { IscsiLogin, type SessionParameters } from "./iscsi-login.ts";
import type { IscsiNexus, IscsiTargetSide } from "./iscsi-nexus.ts";
import { gatheredMaximum, IscsiOutput } from "./iscsi-output.ts";
import { IscsiTask, type IscsiTaskOwner, residualOf, TaskState } from "./iscsi-task.ts";

/** Commands that an initiator may have under way. */
const windowCommands = 128;
/** Tasks that a target keeps for its connections' next commands. */
const spareTaskMaximum = 1024;
/** Text of a login or a text request, all its PDUs together. */
const textMaximum = 65536;
const ahsMaximum = 1020;
/** From the first byte to the end of login. */
const loginNs = 10 * second;
const noBytes = new Uint8Array(0);

export class IscsiConnection implements ByteStreamClient, IscsiNexus, IscsiTaskOwner {
  readonly #stream: ByteStream;
  readonly #target: IscsiTargetSide;
  readonly #onEvent: (text: string) => void;
  readonly #output: IscsiOutput;
  readonly #login: IscsiLogin;
  readonly #parameters: SessionParameters;
  #isOver = false;
  #isFull = false;
  initiator = -1;
  #session = 0;

  // The PDU that is coming in: its header, then its data to where it belongs, then padding and digest.
  readonly #head = new Uint8Array(iscsiHeaderBytes + ahsMaximum + 4);
  #headHave = 0;
  #headNeed = iscsiHeaderBytes;
  #dataNeed = 0;
  #dataHave = 0;
  #sink: Uint8Array = noBytes;
  #sinkAt = 0;
  /** Data beyond this many bytes has no place and is dropped. */
  #sinkRoom = 0;
  readonly #tail = new Uint8Array(8);
  #tailNeed = 0;
  #tailHave = 0;
  #digest = 0;
  #current: IscsiTask | null = null;
  #text: Uint8Array = noBytes;
  #joined: Uint8Array = noBytes;
  /** What came while the other side does not read its answers. */
  #held: Uint8Array[] = [];
  /** Over while enough waited to be sent: they answer when there is room. */
  #finished: IscsiTask[] = [];
  #loginTimer: TimerHandle;

  #statSn = 1;
  #expCmdSn = 1;
  #hasCmdSn = false;
  readonly #tasks = new Map<number, IscsiTask>();
  readonly #buffers: IscsiBuffers;
  /** Since when the initiator does not read its answers; -1: it does. */
  #fullSinceNs = -1;

  /** What SendTargets answers here; null: what the target's own address is. */
  readonly #cameTo: string | null;

  constructor(
    stream: ByteStream,
    target: IscsiTargetSide,
    onEvent: (text: string) => void,
    cameTo: string | null = null,
  ) {
    this.#cameTo = cameTo;
    this.#stream = stream;
    this.#target = target;
    this.#onEvent = onEvent;
    this.#output = new IscsiOutput(stream);
    this.#buffers = new IscsiBuffers(target.memory);
    const { options } = target;
    this.#login = new IscsiLogin({
      targetName: target.name,
      alias: options.alias ?? "",
      chap: options.chap ?? null,
      randomBytes: options.randomBytes,
    });
    this.#parameters = this.#login.parameters;
    this.#loginTimer = options.clock.after(loginNs, () => this.end("did not log in in time"), undefined);
    stream.connect(this);
  }

  get fullSinceNs(): number {
    return this.#fullSinceNs;
  }

  #noteFlow(): void {
    if (this.#output.isWritable) this.#fullSinceNs = -1;
    else if (this.#fullSinceNs < 0) this.#fullSinceNs = this.#target.options.clock.nowNs();
  }

  end(reason: string): void {
    if (this.#isOver) return;
    this.#onEvent(`was let go: ${reason}`);
    this.#output.flush();
    this.#finish();
    this.#stream.close();
  }

  /** Only now has the stream let go of what it still held: until then it counts. */
  closed(): void {
    if (!this.#isOver) {
      this.#onEvent("left");
      this.#finish();
    }
    this.#buffers.over();
  }

  drained(): void {
    if (this.#isOver) return;
    this.#output.isWritable = true;
    this.#fullSinceNs = -1;
    let answered = 0;
    while (answered < this.#finished.length && this.#output.isWritable) {
      const task = this.#finished[answered++];
      if (task.state === TaskState.aborted) this.#release(task);
      else this.#respond(task);
      this.#output.flush();
    }
    this.#finished.splice(0, answered);
    if (!this.#output.isWritable) return;
    const held = this.#held;
    this.#held = [];
    for (const piece of held) this.received(piece);
    if (this.#held.length === 0) this.#stream.resume();
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    if (this.#held.length > 0) {
      this.#held.push(bytes.slice());
      return;
    }
    try {
      const taken = this.#take(bytes);
      if (taken < bytes.length && !this.#isOver) {
        this.#held.push(bytes.slice(taken));
        this.#stream.pause();
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.end(error.message);
    }
    if (this.#isOver) return;
    this.#output.flush();
    this.#noteFlow();
  }

  /** Answers how many bytes were used: all, unless enough waits to be sent. */
  #take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      if (this.#headHave < this.#headNeed) {
        if (this.#headHave === 0 && !this.#output.isWritable) return at;
        const count = Math.min(bytes.length - at, this.#headNeed - this.#headHave);
        this.#head.set(bytes.subarray(at, at + count), this.#headHave);
        this.#headHave += count;
        at += count;
        if (this.#headHave === iscsiHeaderBytes && this.#headNeed === iscsiHeaderBytes) {
          const ahs = this.#head[IscsiField.totalAhsLength] * 4;
          this.#headNeed += ahs + (this.#output.hasHeaderDigest && this.#isFull ? 4 : 0);
        }
        if (this.#headHave < this.#headNeed) continue;
        this.#beginPdu();
      } else if (this.#dataHave < this.#dataNeed) {
        const count = Math.min(bytes.length - at, this.#dataNeed - this.#dataHave);
        const room = Math.min(count, this.#sinkRoom - this.#dataHave);
        if (room > 0) this.#sink.set(bytes.subarray(at, at + room), this.#sinkAt + this.#dataHave);
        if (this.#output.hasDataDigest) this.#digest = crc32c(bytes, at, count, this.#digest);
        this.#dataHave += count;
        at += count;
      } else {
        const count = Math.min(bytes.length - at, this.#tailNeed - this.#tailHave);
        this.#tail.set(bytes.subarray(at, at + count), this.#tailHave);
        this.#tailHave += count;
        at += count;
      }
      if (this.#dataHave === this.#dataNeed && this.#tailHave === this.#tailNeed) this.#endPdu();
    }
    return at;
  }

  #beginPdu(): void {
    const head = this.#head;
    const ahs = head[IscsiField.totalAhsLength] * 4;
    if (this.#output.hasHeaderDigest && this.#isFull) {
      const end = iscsiHeaderBytes + ahs;
      const given = (head[end] | (head[end + 1] << 8) | (head[end + 2] << 16) | (head[end + 3] << 24)) >>> 0;
      if (given !== crc32c(head, 0, end)) throw new DecodeError("iSCSI PDU", end, "header digest error");
    }
    this.#dataNeed = dataSegmentBytes(head);
    if (this.#dataNeed > maximumRecvDataSegment)
      throw new DecodeError("iSCSI PDU", 5, `a data segment of ${this.#dataNeed} bytes`);
    this.#dataHave = 0;
    const padding = paddingOf(this.#dataNeed);
    this.#tailNeed = padding + (this.#dataNeed > 0 && this.#isFull && this.#output.hasDataDigest ? 4 : 0);
    this.#tailHave = 0;
    this.#digest = 0;
    this.#current = null;
    this.#sinkRoom = 0;
    const opcode = head[0] & 0x3f;
    if (!this.#isFull) {
      if (opcode !== IscsiOpcode.login)
        throw new DecodeError("iSCSI PDU", 0, `${iscsiOpcodeName(opcode)} before login`);
      this.#sinkText();
      return;
    }
    if (opcode === IscsiOpcode.command && !this.#login.isDiscovery) this.#beginCommand(ahs);
    else if (opcode === IscsiOpcode.dataOut && !this.#login.isDiscovery) this.#beginData();
    else if (opcode === IscsiOpcode.text || opcode === IscsiOpcode.nopOut) this.#sinkText();
  }

  #sinkText(): void {
    this.#text = new Uint8Array(this.#dataNeed);
    this.#sink = this.#text;
    this.#sinkAt = 0;
    this.#sinkRoom = this.#dataNeed;
  }

  #endPdu(): void {
    if (this.#tailNeed > paddingOf(this.#dataNeed)) {
      const padding = paddingOf(this.#dataNeed);
      const t = this.#tail;
      const given =
        (t[padding] | (t[padding + 1] << 8) | (t[padding + 2] << 16) | (t[padding + 3] << 24)) >>> 0;
      if (given !== crc32c(t, 0, padding, this.#digest))
        throw new DecodeError("iSCSI PDU", 48, "data digest error");
    }
    this.#headHave = 0;
    this.#headNeed = iscsiHeaderBytes;
    this.#tailNeed = 0;
    this.#tailHave = 0;
    const bytes = this.#dataNeed;
    this.#dataNeed = 0;
    this.#dataHave = 0;
    const opcode = this.#head[0] & 0x3f;
    switch (opcode) {
      case IscsiOpcode.login:
        if (this.#isFull) throw new DecodeError("iSCSI PDU", 0, "a login request after login");
        this.#endLogin();
        break;
      case IscsiOpcode.command:
        if (this.#login.isDiscovery)
          throw new DecodeError("iSCSI PDU", 0, "a SCSI command in a discovery session");
        if (this.#current !== null) this.#dataCame(this.#current, bytes, (this.#head[1] & iscsiFinal) !== 0);
        break;
      case IscsiOpcode.dataOut:
        if (this.#current !== null) this.#dataCame(this.#current, bytes, (this.#head[1] & iscsiFinal) !== 0);
        break;
      case IscsiOpcode.nopOut:
        this.#nop();
        break;
      case IscsiOpcode.taskManagement:
        this.#taskManagement();
        break;
      case IscsiOpcode.text:
        this.#endText();
        break;
      case IscsiOpcode.logout:
        this.#logout();
        break;
      default:
        this.#reject(RejectReason.commandNotSupported);
    }
  }

  // Sequence numbers

  /** False: the PDU is outside the window, or out of order, and is silently left out (§4.2.2.1). */
  #takeCmdSn(): boolean {
    const cmdSn = getU32be(this.#head, IscsiField.cmdSn);
    if ((this.#head[0] & iscsiImmediate) !== 0) return true;
    if (cmdSn !== this.#expCmdSn || this.#tasks.size >= windowCommands) return false;
    this.#expCmdSn = (this.#expCmdSn + 1) >>> 0;
    return true;
  }

  /** `takesStatSn`: the PDU carries a status. */
  #putNumbers(header: number, takesStatSn: boolean): void {
    const { bytes } = this.#output;
    putU32be(bytes, header + IscsiField.statSn, this.#statSn);
    if (takesStatSn) this.#statSn = (this.#statSn + 1) >>> 0;
    putU32be(bytes, header + IscsiField.expCmdSn, this.#expCmdSn);
    putU32be(
      bytes,
      header + IscsiField.maxCmdSn,
      (this.#expCmdSn + windowCommands - 1 - this.#tasks.size) >>> 0,
    );
  }

  #newPdu(opcode: number, dataBytes: number, tag: number): number {
    const header = this.#output.begin(dataBytes);
    const { bytes } = this.#output;
    bytes[header] = opcode;
    bytes[header + 1] = iscsiFinal;
    putU32be(bytes, header + IscsiField.initiatorTaskTag, tag);
    return header;
  }

  // Login, text, logout, NOP

  #join(): Uint8Array | null {
    if (this.#joined.length + this.#text.length > textMaximum)
      throw new DecodeError("iSCSI text", 0, `more than ${textMaximum} bytes`);
    const whole = new Uint8Array(this.#joined.length + this.#text.length);
    whole.set(this.#joined);
    whole.set(this.#text, this.#joined.length);
    // C: the text goes on in the next PDU.
    const goesOn = (this.#head[1] & 0x40) !== 0;
    this.#joined = goesOn ? whole : noBytes;
    return goesOn ? null : whole;
  }

  #endLogin(): void {
    const head = this.#head;
    const tag = getU32be(head, IscsiField.initiatorTaskTag);
    if (!this.#hasCmdSn) {
      this.#hasCmdSn = true;
      this.#expCmdSn = getU32be(head, IscsiField.cmdSn);
    }
    const current = (head[1] >> 2) & 3;
    const next = head[1] & 3;
    if (head[3] > 0) {
      this.#answerLogin(tag, LoginStatus.unsupportedVersion, [], current, -1);
      return;
    }
    if (((head[14] << 8) | head[15]) !== 0) {
      this.#answerLogin(tag, LoginStatus.noSession, [], current, -1);
      return;
    }
    const whole = this.#join();
    if (whole === null) {
      this.#answerLogin(tag, LoginStatus.success, [], current, -1);
      return;
    }
    const answer = this.#login.step(current, next, (head[1] & iscsiFinal) !== 0, decodeTextPairs(whole));
    let { status } = answer;
    if (answer.nextStage === LoginStage.fullFeature) {
      this.#session = this.#target.newSession();
      if (!this.#login.isDiscovery) {
        let isid = "";
        for (let at = 8; at < 14; at++) isid += head[at].toString(16).padStart(2, "0");
        const number = this.#target.login(this, this.#login.initiatorName, isid);
        if (number === null) status = LoginStatus.outOfResources;
        else this.initiator = number;
      }
    }
    this.#answerLogin(tag, status, answer.pairs, current, answer.nextStage);
    if (status !== LoginStatus.success || answer.nextStage !== LoginStage.fullFeature) return;
    this.#isFull = true;
    this.#target.loggedIn(this);
    this.#stopTimer();
    this.#output.hasHeaderDigest = this.#parameters.headerDigest;
    this.#output.hasDataDigest = this.#parameters.dataDigest;
    this.#onEvent(
      `logged in as ${this.#login.initiatorName}${this.#login.isDiscovery ? " to discover" : ""}`,
    );
  }

  #stopTimer(): void {
    this.#target.options.clock.cancel(this.#loginTimer);
    this.#loginTimer = 0;
  }

  #answerLogin(tag: number, status: number, pairs: TextPairs, current: number, next: number): void {
    const text = encodeTextPairs(pairs);
    const header = this.#newPdu(IscsiOpcode.loginResponse, text.length, tag);
    const { bytes } = this.#output;
    bytes[header + 1] = (current << 2) | (next >= 0 ? iscsiFinal | next : 0);
    for (let at = 8; at < 14; at++) bytes[header + at] = this.#head[at];
    putU16be(bytes, header + 14, next === LoginStage.fullFeature ? this.#session : 0);
    this.#putNumbers(header, true);
    putU16be(bytes, header + 36, status);
    bytes.set(text, this.#output.dataAt(header));
    this.#output.commit(header, text.length);
    if (status !== LoginStatus.success) this.end(loginRefusal(status));
  }

  #endText(): void {
    const tag = getU32be(this.#head, IscsiField.initiatorTaskTag);
    if (!this.#takeCmdSn()) return;
    const whole = this.#join();
    const answers: [string, string][] = [];
    for (const [key, value] of whole === null ? [] : decodeTextPairs(whole)) {
      if (key !== "SendTargets") answers.push([key, "NotUnderstood"]);
      else if (value === this.#target.name || (value === "All" && this.#login.isDiscovery) || value === "")
        answers.push(
          ["TargetName", this.#target.name],
          ["TargetAddress", `${this.#cameTo ?? this.#target.address},1`],
        );
    }
    const text = encodeTextPairs(answers.slice(0, 64));
    const header = this.#newPdu(IscsiOpcode.textResponse, text.length, tag);
    if (whole === null) this.#output.bytes[header + 1] = 0;
    putU32be(this.#output.bytes, header + IscsiField.targetTransferTag, whole === null ? 1 : noTag);
    this.#putNumbers(header, true);
    this.#output.bytes.set(text, this.#output.dataAt(header));
    this.#output.commit(header, text.length);
  }

  #nop(): void {
    const tag = getU32be(this.#head, IscsiField.initiatorTaskTag);
    if (!this.#takeCmdSn() || tag === noTag) return;
    const length = Math.min(this.#text.length, this.#parameters.initiatorSegment, gatheredMaximum);
    const header = this.#newPdu(IscsiOpcode.nopIn, length, tag);
    putU32be(this.#output.bytes, header + IscsiField.targetTransferTag, noTag);
    this.#putNumbers(header, true);
    this.#output.bytes.set(this.#text.subarray(0, length), this.#output.dataAt(header));
    this.#output.commit(header, length);
  }

  #logout(): void {
    if (!this.#takeCmdSn()) return;
    const header = this.#newPdu(
      IscsiOpcode.logoutResponse,
      0,
      getU32be(this.#head, IscsiField.initiatorTaskTag),
    );
    this.#putNumbers(header, true);
    this.#output.commit(header, 0);
    this.end("it logged out");
  }

  #reject(reason: number): void {
    const header = this.#newPdu(IscsiOpcode.reject, iscsiHeaderBytes, noTag);
    this.#output.bytes[header + IscsiField.response] = reason;
    this.#putNumbers(header, true);
    this.#output.bytes.set(this.#head.subarray(0, iscsiHeaderBytes), this.#output.dataAt(header));
    this.#output.commit(header, iscsiHeaderBytes);
  }

  // Commands

  #beginCommand(ahs: number): void {
    const head = this.#head;
    const tag = getU32be(head, IscsiField.initiatorTaskTag);
    if (!this.#takeCmdSn()) return;
    if (this.#tasks.has(tag) || this.#tasks.size >= 2 * windowCommands)
      throw new DecodeError("SCSI Command", IscsiField.initiatorTaskTag, "the task tag is in use");
    const isFinal = (head[1] & iscsiFinal) !== 0;
    const isWrite = (head[1] & CommandFlag.write) !== 0;
    const expectedBytes = getU32be(head, IscsiField.expectedDataLength);
    const { firstBurst, immediateData, initialR2T } = this.#parameters;
    const unsolicitedMaximum = isWrite ? Math.min(firstBurst, expectedBytes) : 0;
    // What may come unasked was negotiated (§13.10, §13.11, §13.14).
    if (this.#dataNeed > (immediateData ? unsolicitedMaximum : 0) || (!isFinal && (initialR2T || !isWrite)))
      throw new DecodeError("SCSI Command", IscsiField.dataSegmentLength, "data that nobody asked for");
    const task = this.#target.spareTasks.pop() ?? new IscsiTask();
    const { scsi } = task;
    scsi.cdbBytes = readIscsiCdb(head, ahs, scsi.cdb);
    if (scsi.cdbBytes === 0)
      throw new DecodeError("SCSI Command", iscsiHeaderBytes, "additional header segments");
    task.connection = this;
    task.state = TaskState.collecting;
    task.initiatorTaskTag = tag;
    task.isRead = (head[1] & CommandFlag.read) !== 0;
    task.isWrite = isWrite;
    task.expectedBytes = expectedBytes;
    task.receivedBytes = 0;
    task.burstEnd = unsolicitedMaximum;
    task.nextDataSn = 0;
    task.r2tSn = 0;
    task.isUnsolicited = true;
    this.#target.register(task);
    this.#tasks.set(tag, task);
    scsi.initiator = this.initiator;
    scsi.lun = getLun(head, IscsiField.lun);
    task.isOver = this.#target.port.begin(scsi);
    const isOut = !task.isOver && scsi.direction === ScsiDirection.out && task.isWrite;
    task.wantedBytes = isOut ? Math.min(scsi.transferBytes, task.expectedBytes) : 0;
    if (!task.isOver && !this.#reserve(task)) {
      task.wantedBytes = 0;
      scsi.status = ScsiStatus.taskSetFull;
      task.isOver = true;
    }
    this.#current = task;
    this.#sink = task.buffer;
    this.#sinkAt = 0;
    this.#sinkRoom = task.wantedBytes;
  }

  /** Memory for data on its way to the target. */
  #reserve(task: IscsiTask): boolean {
    if (task.wantedBytes === 0) return true;
    const buffer = this.#buffers.take(task.wantedBytes);
    if (buffer === null) return false;
    task.buffer = buffer;
    return true;
  }

  #beginData(): void {
    const head = this.#head;
    const task = this.#tasks.get(getU32be(head, IscsiField.initiatorTaskTag));
    // Data of a command that is over already.
    if (task === undefined || task.state !== TaskState.collecting) return;
    const offset = getU32be(head, IscsiField.bufferOffset);
    const sn = getU32be(head, IscsiField.dataSn);
    const tag = getU32be(head, IscsiField.targetTransferTag);
    const tagIsRight = task.isUnsolicited ? tag === noTag : tag === task.targetTransferTag;
    if (!task.isOver && (offset !== task.receivedBytes || sn !== task.nextDataSn || !tagIsRight)) {
      this.#fail(task, SenseCode.dataPhaseError);
      return;
    }
    if (!task.isOver && offset + this.#dataNeed > task.burstEnd) {
      this.#fail(task, task.isUnsolicited ? SenseCode.unexpectedUnsolicitedData : SenseCode.dataPhaseError);
      return;
    }
    task.nextDataSn++;
    this.#current = task;
    this.#sink = task.buffer;
    this.#sinkAt = offset;
    this.#sinkRoom = task.isOver ? 0 : Math.max(0, task.wantedBytes - offset);
  }

  #fail(task: IscsiTask, code: number): void {
    task.scsi.status = ScsiStatus.checkCondition;
    task.scsi.senseBytes = writeFixedSense(task.scsi.sense, { key: SenseKey.abortedCommand, code });
    task.scsi.movedBytes = 0;
    this.#respond(task);
  }

  #dataCame(task: IscsiTask, bytes: number, isFinal: boolean): void {
    task.receivedBytes += bytes;
    if (!isFinal) return;
    if (task.isOver) {
      this.#respond(task);
      return;
    }
    if (task.receivedBytes < task.wantedBytes) {
      this.#askFor(task);
      return;
    }
    this.#execute(task);
  }

  #askFor(task: IscsiTask): void {
    const length = Math.min(task.wantedBytes - task.receivedBytes, this.#parameters.maximumBurst);
    task.isUnsolicited = false;
    task.burstEnd = task.receivedBytes + length;
    task.nextDataSn = 0;
    task.targetTransferTag = (task.scsi.tag * 65536 + (task.r2tSn & 0xffff)) >>> 0;
    const header = this.#newPdu(IscsiOpcode.readyToTransfer, 0, task.initiatorTaskTag);
    const { bytes } = this.#output;
    putU32be(bytes, header + IscsiField.targetTransferTag, task.targetTransferTag);
    this.#putNumbers(header, false);
    putU32be(bytes, header + IscsiField.dataSn, task.r2tSn++);
    putU32be(bytes, header + IscsiField.bufferOffset, task.receivedBytes);
    putU32be(bytes, header + IscsiField.desiredLength, length);
    this.#output.commit(header, 0);
  }

  #execute(task: IscsiTask): void {
    const { scsi } = task;
    task.state = TaskState.running;
    if (scsi.direction !== ScsiDirection.in) {
      scsi.data = task.buffer;
      scsi.dataOffset = 0;
      scsi.dataBytes = task.wantedBytes;
      if (this.#target.port.execute(scsi)) this.#respond(task);
      return;
    }
    const room = task.isRead ? Math.min(scsi.transferBytes, task.expectedBytes) : 0;
    const isGathered = room <= Math.min(gatheredMaximum, this.#parameters.initiatorSegment);
    if (!isGathered) {
      const bytes = this.#buffers.take(room);
      if (bytes === null) {
        scsi.status = ScsiStatus.taskSetFull;
        scsi.movedBytes = 0;
        this.#respond(task);
        return;
      }
      task.outgoing = new OutgoingBuffer(bytes, this.#buffers);
      scsi.data = bytes;
      scsi.dataOffset = 0;
      scsi.dataBytes = room;
      if (this.#target.port.execute(scsi)) this.#respond(task);
      return;
    }
    const header = this.#newPdu(IscsiOpcode.dataIn, room, task.initiatorTaskTag);
    scsi.data = this.#output.bytes;
    scsi.dataOffset = this.#output.dataAt(header);
    scsi.dataBytes = room;
    if (!this.#target.port.execute(scsi)) {
      // The target goes on filling it: that memory is out of our hands.
      this.#output.detach(header, room);
      return;
    }
    if (scsi.status !== ScsiStatus.good || scsi.movedBytes === 0) {
      this.#respond(task);
      return;
    }
    this.#release(task);
    const { bytes } = this.#output;
    bytes[header + 1] = iscsiFinal | ResponseFlag.status | this.#residual(task, header);
    putU32be(bytes, header + IscsiField.targetTransferTag, noTag);
    this.#putNumbers(header, true);
    this.#output.commit(header, scsi.movedBytes);
  }

  taskFinished(task: IscsiTask): void {
    if (task.state === TaskState.aborted) this.#release(task);
    else if (this.#output.isWritable) this.#respond(task);
    else this.#finished.push(task);
    if (this.#isOver) return;
    this.#output.flush();
    this.#noteFlow();
  }

  /** Sets the residual count; answers the flag that goes with it. */
  #residual(task: IscsiTask, header: number): number {
    const residual = residualOf(task);
    if (residual === 0) return 0;
    putU32be(this.#output.bytes, header + IscsiField.residual, Math.abs(residual));
    return residual > 0 ? ResponseFlag.overflow : ResponseFlag.underflow;
  }

  /** Data-In PDUs, if any, and the SCSI Response. */
  #respond(task: IscsiTask): void {
    const { scsi } = task;
    const { outgoing } = task;
    const { data: moved, dataOffset } = scsi;
    task.outgoing = null;
    this.#release(task);
    const hasData = scsi.direction === ScsiDirection.in && scsi.movedBytes > 0 && task.isRead;
    outgoing?.sends(hasData && !this.#isOver ? scsi.movedBytes : 0);
    if (this.#isOver) return;
    let dataSn = 0;
    if (hasData) {
      const data = moved.subarray(dataOffset, dataOffset + scsi.movedBytes);
      for (let at = 0; at < data.length; ) {
        const length = Math.min(data.length - at, this.#parameters.initiatorSegment);
        const header = this.#newPdu(IscsiOpcode.dataIn, 0, task.initiatorTaskTag);
        const { bytes } = this.#output;
        const isLast = at + length === data.length;
        bytes[header + 1] = isLast ? iscsiFinal : 0;
        putU32be(bytes, header + IscsiField.targetTransferTag, noTag);
        this.#putNumbers(header, false);
        putU32be(bytes, header + IscsiField.statSn, 0);
        putU32be(bytes, header + IscsiField.dataSn, dataSn++);
        putU32be(bytes, header + IscsiField.bufferOffset, at);
        // The gathered output is used again after a command that failed: its bytes are copied.
        const isShared = moved === this.#output.bytes;
        this.#output.commitWithData(
          header,
          isShared ? data.slice(at, at + length) : data.subarray(at, at + length),
          outgoing ?? undefined,
        );
        at += length;
      }
    }
    const senseBytes = scsi.status === ScsiStatus.checkCondition ? scsi.senseBytes + 2 : 0;
    const header = this.#newPdu(IscsiOpcode.response, senseBytes, task.initiatorTaskTag);
    const { bytes } = this.#output;
    bytes[header + 1] = iscsiFinal | this.#residual(task, header);
    bytes[header + IscsiField.status] = scsi.status;
    this.#putNumbers(header, true);
    putU32be(bytes, header + IscsiField.dataSn, dataSn);
    if (senseBytes > 0) {
      const at = this.#output.dataAt(header);
      putU16be(bytes, at, scsi.senseBytes);
      bytes.set(scsi.sense.subarray(0, scsi.senseBytes), at + 2);
    }
    this.#output.commit(header, senseBytes);
  }

  #release(task: IscsiTask): void {
    if (task.state === TaskState.free) return;
    this.#target.unregister(task);
    if (this.#tasks.get(task.initiatorTaskTag) === task) this.#tasks.delete(task.initiatorTaskTag);
    task.state = TaskState.free;
    task.outgoing?.sends(0);
    task.outgoing = null;
    if (task.buffer.length > 0) {
      this.#buffers.give(task.buffer);
      task.buffer = noBytes;
    }
    task.connection = null;
    // Nobody's memory is kept by a task that waits to be used.
    task.scsi.data = noBytes;
    const { spareTasks } = this.#target;
    if (spareTasks.length < spareTaskMaximum) spareTasks.push(task);
  }

  // Task management

  #taskManagement(): void {
    const head = this.#head;
    const expected = this.#expCmdSn;
    if (!this.#takeCmdSn()) return;
    const code = head[1] & 0x7f;
    const tag = getU32be(head, IscsiField.initiatorTaskTag);
    const lun = getLun(head, IscsiField.lun);
    let response: number = IscsiTaskResponse.complete;
    if (code === IscsiTaskFunction.abortTask) {
      const task = this.#tasks.get(getU32be(head, IscsiField.referencedTaskTag));
      const refCmdSn = getU32be(head, 32);
      if (task !== undefined) this.#abort(task);
      // A command that was sent and never came counts as received; one answered before is no task (§11.6.1).
      else if (serialLess(refCmdSn, expected) || !serialLess(refCmdSn, getU32be(head, IscsiField.cmdSn)))
        response = IscsiTaskResponse.noTask;
      else if (refCmdSn === this.#expCmdSn) this.#expCmdSn = (refCmdSn + 1) >>> 0;
    } else if (code === IscsiTaskFunction.abortTaskSet || code === IscsiTaskFunction.clearTaskSet) {
      this.#abortUnit(lun);
      // One task set for all initiators: the Control page's TST is 0 (SAM-5 §7.4).
      if (code === IscsiTaskFunction.clearTaskSet && lun >= 0) this.#target.clearOthers(this, lun);
    } else if (code === IscsiTaskFunction.logicalUnitReset) {
      this.#abortUnit(lun);
      if (lun < 0) response = IscsiTaskResponse.noUnit;
      else this.#target.port.resetUnit(lun);
    } else if (code === IscsiTaskFunction.targetWarmReset || code === IscsiTaskFunction.targetColdReset) {
      this.#abortUnit(-1);
      this.#target.port.resetTarget();
    } else if (code === IscsiTaskFunction.taskReassign) response = IscsiTaskResponse.reassignNotSupported;
    else response = IscsiTaskResponse.notSupported;
    const header = this.#newPdu(IscsiOpcode.taskManagementResponse, 0, tag);
    this.#output.bytes[header + IscsiField.response] = response;
    this.#putNumbers(header, true);
    this.#output.commit(header, 0);
    if (code === IscsiTaskFunction.targetColdReset) this.#target.dropAll("the target was reset");
  }

  #abort(task: IscsiTask): void {
    if (task.state === TaskState.collecting) this.#release(task);
    else if (task.state === TaskState.running) {
      task.state = TaskState.aborted;
      this.#tasks.delete(task.initiatorTaskTag);
      this.#target.port.abort(task.scsi);
    }
  }

  clearUnit(lun: number): boolean {
    const before = this.#tasks.size;
    this.#abortUnit(lun);
    return this.#tasks.size < before;
  }

  /** Of one unit, or of all (-1). */
  #abortUnit(lun: number): void {
    for (const task of [...this.#tasks.values()]) if (lun < 0 || task.scsi.lun === lun) this.#abort(task);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimer();
    this.#abortUnit(-1);
    for (const task of this.#finished.splice(0)) this.#release(task);
    this.#held = [];
    this.#joined = noBytes;
    this.#target.ended(this, this.initiator);
  }
}

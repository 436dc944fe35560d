// The iSCSI target PDU by PDU: digests, CHAP both ways, what may come unasked, aborts, and bounded memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU32be } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { second } from "../../base/units.ts";
import { IscsiField, IscsiOpcode, IscsiTaskFunction, IscsiTaskResponse } from "../../codec/iscsi/pdu.ts";
import { formatIscsiBinary, parseIscsiBinary } from "../../codec/iscsi/text.ts";
import { writeInquiry, writeReadWrite, writeSynchronizeCache } from "../../codec/scsi/cdb.ts";
import type { ByteOwner, ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { ScsiStatus } from "../../ports/scsi-target.ts";
import { chapResponse } from "./iscsi-login.ts";
import {
  type HandInitiator,
  IscsiBench,
  normalLogin,
  type Pdu,
  pdu,
  senseOf,
  splitPdus,
  statusOf,
} from "./test/iscsi-bench.ts";

const pattern = (bytes: number, start = 1) =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 7 + start) & 0xff);

function cdb(write: (cdb: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(32);
  write(bytes);
  return bytes;
}

const read = (lba: number, blocks: number) => cdb((out) => writeReadWrite(out, "read", 10, lba, blocks));
const write = (lba: number, blocks: number) => cdb((out) => writeReadWrite(out, "write", 10, lba, blocks));
const dataOf = (answers: readonly Pdu[]) =>
  Uint8Array.from(
    answers.filter(({ header }) => header[0] === IscsiOpcode.dataIn).flatMap(({ data }) => [...data]),
  );

test("CRC32C is that of RFC 7143 appendix A.4, over the lowest byte first", () => {
  const lowFirst = (value: number) => hexBytes(Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24));
  const ramp = Uint8Array.from({ length: 32 }, (_, at) => at);
  const command = bytesFromHex(
    `01c00000 00000000 00000000 00000000 14000000 00000400
     00000014 00000018 28000000 00000000 02000000 00000000`,
  );
  const answers = [new Uint8Array(32), new Uint8Array(32).fill(0xff), ramp, ramp.slice().reverse(), command];
  assert.deepEqual(
    answers.map((bytes) => lowFirst(crc32c(bytes)).replaceAll(" ", "")),
    ["aa36918a", "43aba862", "4e79dd46", "5cdb3f11", "563a96d9"],
  );
});

test("with both digests a write comes back as it was, and every PDU bears them", () => {
  const bench = new IscsiBench();
  const initiator = bench.opened([
    ["HeaderDigest", "CRC32C,None"],
    ["DataDigest", "CRC32C"],
    ["InitialR2T", "No"],
    ["MaxRecvDataSegmentLength", "65536"],
  ]);
  assert.deepEqual(initiator.digests, { header: true, data: true });
  const data = pattern(512 * 5 + 0);
  assert.equal(
    statusOf(initiator.say(initiator.command(write(9, 5), { write: true, data }))[0]),
    ScsiStatus.good,
  );
  const answers = initiator.say(initiator.command(read(9, 5), { read: true, expected: data.length }));
  assert.deepEqual(dataOf(answers), data);
  // An answer longer than what is gathered goes another way.
  const long = initiator.say(initiator.command(read(0, 512), { read: true, expected: 262144 }));
  assert.deepEqual(dataOf(long).subarray(9 * 512, 14 * 512), data);
});

test("one wrong bit in a header or in data ends the connection, and says why", () => {
  for (const [where, words] of [
    [30, /header digest error/],
    [60, /data digest error/],
  ] as const) {
    const bench = new IscsiBench();
    const initiator = bench.opened([
      ["HeaderDigest", "CRC32C"],
      ["DataDigest", "CRC32C"],
    ]);
    const bytes = initiator.command(write(0, 1), { write: true, data: pattern(512) });
    bytes[where] ^= 0x10;
    assert.deepEqual(initiator.say(bytes), []);
    assert.ok(initiator.isClosed);
    assert.match(bench.events.join("\n"), words);
    assert.equal(bench.target.connectionCount, 0);
  }
});

const chap = {
  user: "dock",
  secret: "dry-dock-secret",
  mutual: { user: "pier", secret: "pier-secret-two" },
};
const chapLogin = normalLogin.map(
  ([key, value]) => [key, key === "AuthMethod" ? "CHAP,None" : value] as const,
);

test("CHAP both ways: each side proves its secret; a challenge sent back is refused", () => {
  for (const kind of ["right", "wrong", "reflected"] as const) {
    const initiator = new IscsiBench({}, { chap }).join();
    assert.equal(initiator.login(chapLogin, 0, 1).keys.get("AuthMethod"), "CHAP");
    const { keys } = initiator.login([["CHAP_A", "5"]], 0, 1);
    const challenge = parseIscsiBinary(keys.get("CHAP_C") ?? "");
    const identifier = Number(keys.get("CHAP_I"));
    assert.ok(challenge !== null && challenge.length >= 16);
    const secret = kind === "wrong" ? "dry-dock-secreT" : chap.secret;
    const ours = kind === "reflected" ? challenge : pattern(20);
    const { status, keys: proof } = initiator.login(
      [
        ["CHAP_N", "dock"],
        ["CHAP_R", formatIscsiBinary(chapResponse(identifier, secret, challenge))],
        ["CHAP_I", "77"],
        ["CHAP_C", formatIscsiBinary(ours)],
      ],
      0,
      1,
    );
    if (kind !== "right") {
      assert.equal(status, 0x0201, kind);
      assert.ok(initiator.isClosed);
      continue;
    }
    assert.equal(status, 0);
    assert.equal(proof.get("CHAP_N"), "pier");
    assert.equal(proof.get("CHAP_R"), formatIscsiBinary(chapResponse(77, chap.mutual.secret, ours)));
    assert.equal(initiator.login([], 1, 3).status, 0);
  }
});

test("no way past CHAP: neither None nor the operational stage nor a command", () => {
  const none = new IscsiBench({}, { chap }).join();
  assert.equal(none.login(normalLogin, 0, 1).status, 0x0201);
  const jump = new IscsiBench({}, { chap }).join();
  assert.equal(jump.login(normalLogin, 1, 3).status, 0x0201);
  const early = new IscsiBench({}, { chap }).join();
  early.login(chapLogin, 0, 1);
  assert.deepEqual(early.say(early.command(read(0, 1), { read: true, expected: 512 })), []);
  assert.ok(early.isClosed);
});

test("data that was not negotiated to come unasked is never taken for data", () => {
  // More immediate data than FirstBurstLength.
  const burst = new IscsiBench();
  const first = burst.opened([["FirstBurstLength", "512"]]);
  assert.deepEqual(first.say(first.command(write(0, 2), { write: true, data: pattern(1024) })), []);
  assert.ok(first.isClosed);
  assert.match(burst.events.join(), /nobody asked for/);
  // None at all with ImmediateData=No.
  const no = new IscsiBench().opened([["ImmediateData", "No"]]);
  no.say(no.command(write(0, 1), { write: true, data: pattern(512) }));
  assert.ok(no.isClosed);
  // Unsolicited Data-Out beyond the first burst.
  const out = new IscsiBench().opened([
    ["InitialR2T", "No"],
    ["FirstBurstLength", "1024"],
  ]);
  assert.deepEqual(out.say(out.command(write(0, 4), { write: true, expected: 2048, goesOn: true })), []);
  const answers = out.say(out.dataOut(out.tag, 0, 0, pattern(1536), true));
  assert.equal(senseOf(answers[0]), "b/0c0c");
  // Solicited data beyond what the R2T wanted.
  const r2t = new IscsiBench().opened([["MaxBurstLength", "1024"]]);
  const [wanted] = r2t.say(r2t.command(write(0, 4), { write: true, expected: 2048 }));
  assert.equal(wanted.header[0], IscsiOpcode.readyToTransfer);
  assert.equal(getU32be(wanted.header, IscsiField.desiredLength), 1024);
  const transferTag = getU32be(wanted.header, IscsiField.targetTransferTag);
  assert.equal(senseOf(r2t.say(r2t.dataOut(r2t.tag, 0, 0, pattern(2048), true, transferTag))[0]), "b/4b00");
});

test("a write in bursts: one R2T after another, the last block where it belongs", () => {
  const initiator = new IscsiBench().opened([["MaxBurstLength", "1024"]]);
  const data = pattern(2560);
  let answers = initiator.say(initiator.command(write(3, 5), { write: true, expected: data.length }));
  const offsets: number[] = [];
  while (answers[0].header[0] === IscsiOpcode.readyToTransfer) {
    const { header } = answers[0];
    const offset = getU32be(header, IscsiField.bufferOffset);
    const piece = data.subarray(offset, offset + getU32be(header, IscsiField.desiredLength));
    offsets.push(offset);
    const tag = getU32be(header, IscsiField.targetTransferTag);
    answers = initiator.say(
      initiator.dataOut(initiator.tag, offset, 0, piece.subarray(0, 512), piece.length === 512, tag),
      ...(piece.length > 512
        ? [initiator.dataOut(initiator.tag, offset + 512, 1, piece.subarray(512), true, tag)]
        : []),
    );
  }
  assert.deepEqual(offsets, [0, 1024, 2048]);
  assert.equal(statusOf(answers[0]), ScsiStatus.good);
  assert.deepEqual(
    dataOf(initiator.say(initiator.command(read(3, 5), { read: true, expected: 2560 }))),
    data,
  );
});

test("ABORT TASK: a task that is over is none; one under way ends without a word; one that never came counts", () => {
  const bench = new IscsiBench({ accessNs: 1e6 });
  const initiator = bench.opened();
  const abort = (tag: number, refCmdSn: number, isImmediate = true) =>
    initiator.say(
      initiator.taskManagement(IscsiTaskFunction.abortTask, { 20: tag, 32: refCmdSn }, isImmediate),
    );
  initiator.say(
    initiator.command(
      cdb((out) => writeInquiry(out, null, 36)),
      { read: true, expected: 36 },
    ),
  );
  const [over] = abort(initiator.tag, initiator.cmdSn - 1);
  assert.equal(over.header[IscsiField.response], IscsiTaskResponse.noTask);
  const command = initiator.command(read(0, 1), { read: true, expected: 512 });
  const { tag } = initiator;
  const answers = initiator.say(
    command,
    initiator.taskManagement(IscsiTaskFunction.abortTask, { 20: tag, 32: initiator.cmdSn - 1 }),
  );
  assert.deepEqual(
    answers.map(({ header }) => [header[0], header[IscsiField.response]]),
    [[IscsiOpcode.taskManagementResponse, IscsiTaskResponse.complete]],
  );
  bench.clock.runUntil(bench.clock.nowNs() + second);
  assert.deepEqual(initiator.answers().length, 1);
  // The command with this CmdSN was lost: the abort takes its place in the order.
  const lost = initiator.cmdSn++;
  const [never] = abort(0x7777, lost);
  assert.equal(never.header[IscsiField.response], IscsiTaskResponse.complete);
  assert.equal(getU32be(never.header, IscsiField.expCmdSn), initiator.cmdSn);
});

test("CLEAR TASK SET: tasks of every initiator end, those of other units stay; who lost some hears of it once", () => {
  // SAM-5 r21 §7.4 with TST and TAS 0: no status for the cleared commands, a unit attention for their initiators.
  const bench = new IscsiBench({ accessNs: 1e6 });
  const clearing = bench.opened();
  const losing = bench.opened([], 0x00023d01);
  const idle = bench.opened([], 0x00023d02);
  // One is with the disk, one still waits for its data.
  losing.say(losing.command(read(0, 1), { read: true, expected: 512 }));
  losing.say(losing.command(write(8, 1), { write: true, expected: 512 }));
  const own = clearing.command(read(0, 1), { read: true, expected: 512 });
  const answers = clearing.say(own, clearing.taskManagement(IscsiTaskFunction.clearTaskSet, {}));
  assert.deepEqual(
    answers.map(({ header }) => [header[0], header[IscsiField.response]]),
    [[IscsiOpcode.taskManagementResponse, IscsiTaskResponse.complete]],
  );
  bench.clock.runUntil(bench.clock.nowNs() + second);
  assert.deepEqual(
    losing.answers().map(({ header }) => header[0]),
    [IscsiOpcode.readyToTransfer],
    "nothing is said about the cleared commands",
  );
  const testUnitReady = (initiator: HandInitiator) => initiator.say(initiator.command(new Uint8Array(16)))[0];
  const told = testUnitReady(losing);
  assert.equal(statusOf(told), ScsiStatus.checkCondition);
  assert.equal(senseOf(told), "6/2f00");
  assert.equal(statusOf(testUnitReady(losing)), ScsiStatus.good);
  // Who lost nothing hears nothing.
  assert.equal(statusOf(testUnitReady(idle)), ScsiStatus.good);
  assert.equal(statusOf(testUnitReady(clearing)), ScsiStatus.good);
});

test("commands outside the window and a tag in use: left out, and ended", () => {
  const bench = new IscsiBench();
  const initiator = bench.opened();
  initiator.cmdSn += 5;
  assert.deepEqual(initiator.say(initiator.command(read(0, 1), { read: true, expected: 512 })), []);
  initiator.cmdSn -= 6;
  const waiting = initiator.command(write(0, 1), { write: true, expected: 512 });
  initiator.say(waiting);
  initiator.tag--;
  initiator.say(initiator.command(write(0, 1), { write: true, expected: 512 }));
  assert.ok(initiator.isClosed);
  assert.match(bench.events.join(), /task tag is in use/);
});

test("who does not log in within 10 s is let go; who did may be silent for ever", () => {
  const bench = new IscsiBench();
  const opened = bench.opened();
  const slow = bench.join();
  slow.login(normalLogin, 0, -1);
  bench.clock.runUntil(bench.clock.nowNs() + 9 * second);
  assert.equal(slow.isClosed, false);
  bench.clock.runUntil(bench.clock.nowNs() + 2 * second);
  assert.ok(slow.isClosed && !opened.isClosed);
  assert.match(bench.events.join(), /did not log in in time/);
});

/** A stream whose other side reads nothing until it is told to. */
class StuckStream implements ByteStream {
  client: ByteStreamClient | null = null;
  written: Uint8Array[] = [];
  owners: [ByteOwner, number][] = [];
  waiting = 0;
  isPaused = false;
  readonly #highWater: number;

  constructor(highWater: number) {
    this.#highWater = highWater;
  }

  connect(client: ByteStreamClient): void {
    this.client = client;
  }

  write(bytes: Uint8Array, owner?: ByteOwner): boolean {
    this.written.push(bytes);
    if (owner !== undefined) this.owners.push([owner, bytes.length]);
    this.waiting += bytes.length;
    return this.waiting < this.#highWater;
  }

  /** The other side reads all that waits. */
  drain(): Pdu[] {
    const bytes = new Uint8Array(this.waiting);
    let at = 0;
    for (const piece of this.written) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.written = [];
    this.waiting = 0;
    for (const [owner, count] of this.owners.splice(0)) owner.released(count);
    this.client?.drained();
    return splitPdus(bytes, { header: false, data: false });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {}
}

const highWater = 65536;
const readBytes = 1 << 20;

/** A session whose reader is stuck, with `count` reads of 1 MiB asked for. */
function stuck(bench: IscsiBench, count: number): StuckStream {
  // A hand that writes the PDUs, and a stream that it does not read from.
  const hand = bench.join();
  const stream = new StuckStream(highWater);
  bench.target.accept(stream);
  const say = (bytes: Uint8Array) => stream.client?.received(bytes);
  hand.enter();
  hand.say(hand.command(new Uint8Array(16)));
  for (const part of hand.sent) say(part);
  stream.drain();
  for (let index = 0; index < count; index++)
    say(hand.command(read(0, readBytes / 512), { read: true, expected: readBytes }));
  return stream;
}

test("an initiator that does not read its answers stops the target, which goes on when it does", () => {
  const bench = new IscsiBench();
  const stream = stuck(bench, 100);
  assert.ok(stream.isPaused);
  let most = stream.waiting;
  let whole = 0;
  for (let round = 0; round < 300 && whole < 100; round++) {
    for (const { header } of stream.drain()) if (header[0] === IscsiOpcode.response) whole++;
    most = Math.max(most, stream.waiting);
  }
  assert.equal(whole, 100);
  assert.equal(stream.isPaused, false);
  // One answer at a time, whatever was asked for.
  assert.ok(most < highWater + 2 * readBytes, `${most} bytes waited at once`);
});

test("answers of a slow disk wait in order, within the memory of the connection; what has no room is TASK SET FULL", () => {
  const bench = new IscsiBench({ accessNs: 1e6 });
  const stream = stuck(bench, 100);
  bench.clock.runUntil(bench.clock.nowNs() + second);
  // All are over, one is written.
  assert.ok(stream.waiting < highWater + 2 * readBytes, `${stream.waiting} bytes wait`);
  const statuses = new Map<number, number>();
  let bytes = 0;
  for (let round = 0; round < 300; round++) {
    for (const { header, data } of stream.drain()) {
      if (header[0] === IscsiOpcode.dataIn) bytes += data.length;
      if (header[0] !== IscsiOpcode.response) continue;
      const status = header[IscsiField.status];
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    bench.clock.runUntil(bench.clock.nowNs() + 1e7);
  }
  const good = statuses.get(ScsiStatus.good) ?? 0;
  assert.equal(good + (statuses.get(ScsiStatus.taskSetFull) ?? 0), 100);
  assert.ok(good >= 60 && good < 100, `${good} reads of 1 MiB had room`);
  assert.equal(bytes, good * readBytes);
});

test("writes that announce more than there is memory for are refused, and the memory comes back", () => {
  const initiator = new IscsiBench().opened();
  const asked: Pdu[] = [];
  for (let index = 0; index < 20; index++)
    asked.push(...initiator.say(initiator.command(write(0, 16384), { write: true, expected: 16384 * 512 })));
  const waiting = asked.filter(({ header }) => header[0] === IscsiOpcode.readyToTransfer);
  const full = asked.filter(({ header }) => header[0] === IscsiOpcode.response);
  assert.equal(waiting.length, 8);
  assert.ok(full.length === 12 && full.every((answer) => statusOf(answer) === ScsiStatus.taskSetFull));
  initiator.say(initiator.taskManagement(IscsiTaskFunction.abortTaskSet, {}));
  const [again] = initiator.say(initiator.command(write(0, 16384), { write: true, expected: 16384 * 512 }));
  assert.equal(again.header[0], IscsiOpcode.readyToTransfer);
});

test("a flush is answered, an unknown opcode is rejected with its header, SNACK too", () => {
  const initiator = new IscsiBench().opened();
  assert.equal(
    statusOf(initiator.say(initiator.command(cdb((out) => writeSynchronizeCache(out, 10))))[0]),
    0,
  );
  for (const opcode of [0x07, 0x10, 0x1c]) {
    const bytes = pdu(opcode, 0x80, { 16: 0x1234 });
    const [answer] = initiator.say(bytes);
    assert.equal(answer.header[0], IscsiOpcode.reject);
    assert.deepEqual(answer.data, bytes.subarray(0, 48));
  }
});

// The worst initiators: mutated sessions by the hundred thousand, and a session cut off at every byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { IscsiOpcode } from "../../codec/iscsi/pdu.ts";
import { encodeTextPairs } from "../../codec/iscsi/text.ts";
import { writeInquiry, writeReadWrite, writeUnmap } from "../../codec/scsi/cdb.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { type HandInitiator, IscsiBench, pdu, splitPdus } from "./test/iscsi-bench.ts";

const pattern = (bytes: number) => Uint8Array.from({ length: bytes }, (_, at) => (at * 11) & 0xff);

function cdb(write: (cdb: Uint8Array) => number): Uint8Array {
  const bytes = new Uint8Array(32);
  write(bytes);
  return bytes;
}

/** A session with one of each: what it sent, by PDU. Task tags and transfer tags are those of a first session. */
function recorded(operational: readonly (readonly [string, string])[]): Uint8Array[] {
  const bench = new IscsiBench({ blockCount: 2048 });
  const initiator = bench.opened(operational);
  const say = (bytes: Uint8Array) => initiator.say(bytes);
  say(
    initiator.command(
      cdb((out) => writeInquiry(out, 0xb0, 64)),
      { read: true, expected: 64 },
    ),
  );
  say(
    initiator.command(
      cdb((out) => writeReadWrite(out, "write", 10, 5, 1)),
      { write: true, data: pattern(512) },
    ),
  );
  const [wanted] = say(
    initiator.command(
      cdb((out) => writeReadWrite(out, "write", 16, 5, 1)),
      { write: true, expected: 512 },
    ),
  );
  const transferTag = new DataView(wanted.header.buffer).getUint32(20);
  say(initiator.dataOut(initiator.tag, 0, 0, pattern(512), true, transferTag));
  say(
    initiator.command(
      cdb((out) => writeReadWrite(out, "read", 10, 0, 2)),
      { read: true, expected: 1024 },
    ),
  );
  say(
    initiator.command(
      cdb((out) => writeUnmap(out, 24)),
      { write: true, data: pattern(24) },
    ),
  );
  say(pdu(IscsiOpcode.nopOut | 0x40, 0x80, { 16: 0x99, 20: 0xffffffff, 24: initiator.cmdSn }, pattern(10)));
  say(
    pdu(
      IscsiOpcode.text | 0x40,
      0x80,
      { 16: 0x9a, 20: 0xffffffff, 24: initiator.cmdSn },
      encodeTextPairs([["SendTargets", ""]]),
    ),
  );
  say(initiator.taskManagement(5, {}));
  say(pdu(IscsiOpcode.logout | 0x40, 0x80, { 16: 0x9b, 24: initiator.cmdSn }));
  assert.ok(initiator.isClosed);
  return initiator.sent;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const otherIsid = 0x00023d99;

/** Somebody else, who must be answered all the while: INQUIRY waits for nobody's reservation, stop or reset. */
function isServed(other: HandInitiator): boolean {
  const [answer] = other.say(
    other.command(
      cdb((out) => writeInquiry(out, null, 36)),
      { read: true, expected: 36 },
    ),
  );
  return answer?.header[0] === IscsiOpcode.dataIn && answer.data.length === 36;
}

/** A peer that reads everything, says what it was given and hangs up. */
class Peer implements ByteStream {
  #client: ByteStreamClient | null = null;
  readonly #pieces: Uint8Array[] = [];
  isClosed = false;

  connect(client: ByteStreamClient): void {
    this.#client = client;
  }

  write(bytes: Uint8Array): boolean {
    this.#pieces.push(bytes);
    return true;
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.isClosed = true;
  }

  say(bytes: Uint8Array): Uint8Array {
    this.#client?.received(bytes);
    if (!this.isClosed) this.#client?.closed();
    return joined(this.#pieces);
  }
}

/** Sends `bytes` on a new connection, hangs up, and answers what came back. */
function play(bench: IscsiBench, bytes: Uint8Array): { received: Uint8Array; isClosed: boolean } {
  const peer = new Peer();
  bench.target.accept(peer);
  return { received: peer.say(bytes), isClosed: peer.isClosed };
}

test("iscsi: 100 000 mutated streams are answered by the protocol or ended, and others keep being served", () => {
  const random = new Random(31);
  const sessions = [
    recorded([]),
    recorded([
      ["HeaderDigest", "CRC32C"],
      ["InitialR2T", "No"],
      ["FirstBurstLength", "4096"],
    ]),
  ];
  const bench = new IscsiBench({ blockCount: 2048 });
  let other = bench.opened([], otherIsid);
  let ended = 0;
  let whole = 0;
  for (let round = 0; round < 100_000; round++) {
    const parts = [...sessions[random.below(2)]];
    // PDUs change places, come twice or not at all.
    if (random.chance(0.4)) {
      const from = random.below(parts.length);
      const [part] = parts.splice(from, 1);
      if (random.chance(0.7)) parts.splice(random.below(parts.length + 1), 0, part);
      if (random.chance(0.3)) parts.splice(random.below(parts.length + 1), 0, part);
    }
    const bytes = joined(parts);
    for (let change = random.below(6); change > 0; change--) {
      const where = random.below(bytes.length);
      const choice = random.below(3);
      if (choice === 0) bytes[where] ^= 1 << random.below(8);
      else if (choice === 1) bytes[where] = random.below(256);
      else bytes.fill(random.below(2) * 255, where, where + 4);
    }
    const length = random.chance(0.2) ? random.below(bytes.length) : bytes.length;
    const { received, isClosed } = play(bench, bytes.subarray(0, length));
    if (isClosed) ended++;
    if (received.length > 1500) whole++;
    // Digests may have been negotiated or not: without them what came must be whole PDUs.
    if (round % 64 === 0) {
      const isPlain = !/HeaderDigest=CRC32C|DataDigest=CRC32C/.test(Buffer.from(received).toString("latin1"));
      if (isPlain) splitPdus(received, { header: false, data: false });
      bench.clock.runUntil(bench.clock.nowNs() + 1000);
      // A cold reset, which a mutation may ask for, ends every session (RFC 7143 §11.5.1).
      if (other.isClosed) {
        assert.match(bench.events.join("\n"), /the target was reset/);
        other = bench.opened([], otherIsid);
      }
      assert.ok(isServed(other), `round ${round}`);
      assert.equal(bench.target.connectionCount, 1, `round ${round}`);
    }
  }
  assert.ok(ended > 10_000 && whole > 10_000, `${ended} were ended, ${whole} went far`);
});

test("iscsi: a session cut off at every byte leaves nothing behind", () => {
  const bytes = joined(recorded([["InitialR2T", "No"]]));
  const bench = new IscsiBench({ blockCount: 2048 });
  const other = bench.opened([], otherIsid);
  let before = 0;
  for (let length = 0; length <= bytes.length; length++) {
    const { received } = play(bench, bytes.subarray(0, length));
    splitPdus(received, { header: false, data: false });
    // A PDU that is not whole is not answered: answers only grow with what was sent.
    assert.ok(received.length >= before, `${length} bytes`);
    before = received.length;
    assert.equal(bench.target.connectionCount, 1);
    if (length % 50 === 0) assert.ok(isServed(other));
  }
  assert.ok(isServed(other));
});

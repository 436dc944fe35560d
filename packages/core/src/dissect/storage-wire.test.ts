// Names and commands from bytes as the specifications have them; hostile transfers make no error.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../base/random.ts";
import { bytesFromHex } from "../base/text.ts";
import { encodePipeUsage, type PipeUsage } from "../codec/mass-storage/attached-scsi.ts";
import { encodeConfiguration, TransferType } from "../codec/usb/descriptors.ts";
import { erdyText, StorageWire, senseCodeOf, type WireCommand, whoNeverAsked } from "./storage-wire.ts";

const none = new Uint8Array(0);

/** Feeds transfers with less writing. */
class Feeder {
  readonly commands: WireCommand[] = [];
  readonly wire = new StorageWire((command) => this.commands.push(command));
  #id = 0;

  /** An OUT or IN that ends at once; answers its name. */
  move(endpoint: number, data: Uint8Array, stream = 0, requested = data.length): string | null {
    const id = this.submit(endpoint, (endpoint & 0x80) === 0 ? data : none, stream, requested);
    return this.complete(id.id, endpoint, "ok", data) ?? id.name;
  }

  submit(endpoint: number, data: Uint8Array, stream: number, requested: number) {
    const id = ++this.#id;
    const name = this.wire.submitted({
      id,
      device: 1,
      endpoint,
      setup: null,
      data,
      requested,
      stream,
      cause: "",
    });
    return { id, name };
  }

  complete(
    id: number,
    endpoint: number,
    result: "ok" | "stall" | "cancelled",
    data: Uint8Array,
  ): string | null {
    const isIn = (endpoint & 0x80) !== 0;
    const moved = result === "ok" ? data.length : 0;
    return this.wire.completed({ id, device: 1, endpoint, result, moved, data: isIn ? data : none });
  }

  control(setup: string, data: Uint8Array): void {
    const id = ++this.#id;
    const bytes = bytesFromHex(setup);
    const endpoint = bytes[0] & 0x80;
    const common = { id, device: 1, endpoint };
    this.wire.submitted({
      ...common,
      setup: bytes,
      data: none,
      requested: data.length,
      stream: 0,
      cause: "",
    });
    this.wire.completed({ ...common, result: "ok", moved: data.length, data });
  }
}

const bulk = (bEndpointAddress: number, usage: PipeUsage | 0, streamsLog2: number) => ({
  bEndpointAddress,
  bmAttributes: TransferType.bulk,
  wMaxPacketSize: 1024,
  bInterval: 0,
  companion: { bMaxBurst: 0, bmAttributes: streamsLog2, wBytesPerInterval: 0 },
  ...(usage === 0 ? {} : { extra: [encodePipeUsage(usage)] }),
});

/** Bulk-Only on alternate 0, UAS on 1, in force. */
function attached(streamsLog2: number): Feeder {
  const feeder = new Feeder();
  const setting = { bInterfaceNumber: 0, bInterfaceClass: 8, bInterfaceSubClass: 6 };
  const configuration = encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 0 },
    [
      { ...setting, bInterfaceProtocol: 0x50, endpoints: [bulk(0x81, 0, 0), bulk(0x02, 0, 0)] },
      {
        ...setting,
        bAlternateSetting: 1,
        bInterfaceProtocol: 0x62,
        endpoints: [
          bulk(0x04, 1, 0),
          bulk(0x83, 2, streamsLog2),
          bulk(0x81, 3, streamsLog2),
          bulk(0x02, 4, streamsLog2),
        ],
      },
    ],
  );
  feeder.control("80 06 00 02 00 00 ff 00", configuration);
  feeder.control("00 09 01 00 00 00 00 00", none);
  feeder.control("01 0b 01 00 00 00 00 00", none);
  assert.deepEqual(feeder.wire.protocolsOf(1), [0x50, 0x62]);
  return feeder;
}

const read10 = bytesFromHex(
  "55 53 42 43 44 33 22 11 00 02 00 00 80 00 0a 28 00 12 34 56 78 00 00 01 00 00 00 00 00 00 00",
);
const csw = (status: string) => bytesFromHex(`55 53 42 53 44 33 22 11 00 00 00 00 ${status}`);
/** Command IU tag 3 with a vendor CDB, and its GOOD. */
const vendorUnit = bytesFromHex(`01 00 00 03 ${"00 ".repeat(12)}c6 ${"00 ".repeat(15)}`);
const goodUnit = bytesFromHex(`03 00 00 03 ${"00 ".repeat(12)}`);

test("Bulk-Only is known by its signature, in a capture that began late", () => {
  const feeder = new Feeder();
  assert.equal(feeder.move(0x02, new Uint8Array(31)), null);
  assert.equal(
    feeder.move(0x02, read10),
    "CBW tag 287454020 LUN 0: READ(10) (28 00 12 34 56 78 00 00 01 00), 512 bytes in",
  );
  assert.equal(feeder.move(0x81, new Uint8Array(512)), "data of READ(10), tag 287454020");
  assert.equal(feeder.move(0x81, csw("00")), "CSW tag 287454020: passed, residue 0");
  const [command] = feeder.commands;
  assert.equal(command.statedBytes, 512);
  assert.deepEqual(command.data, {
    endpoint: 0x81,
    stream: 0,
    requested: 512,
    moved: 512,
    answer: new Uint8Array(64),
    result: "ok",
  });
  assert.equal(whoNeverAsked(command), null);
});

test("Bulk-Only: a stalled data stage with a good status, and the sense of a failed command", () => {
  const feeder = new Feeder();
  feeder.move(0x02, read10);
  const data = feeder.submit(0x81, none, 0, 512);
  feeder.complete(data.id, 0x81, "stall", none);
  feeder.move(0x81, csw("00"));
  assert.equal(whoNeverAsked(feeder.commands[0])?.who, "device refused");
  feeder.move(0x02, read10);
  assert.equal(feeder.move(0x81, csw("01"), 0, 512), "data of READ(10), tag 287454020");
  feeder.move(0x81, csw("01"));
  const sense = bytesFromHex("70 00 02 00 00 00 00 0a 00 00 00 00 04 01 00 00 00 00");
  const ask = read10.slice();
  ask.set(bytesFromHex("12 00 00 00 80 00 06 03 00 00 00 12 00 00 00"), 8);
  feeder.move(0x02, ask);
  feeder.move(0x81, sense);
  feeder.move(0x81, csw("00"));
  assert.equal(senseCodeOf(feeder.commands[1].sense), 0x0401);
});

test("UAS with streams: primed and never asked, asked and never primed", () => {
  const feeder = attached(5);
  assert.match(feeder.move(0x04, vendorUnit) ?? "", /^Command IU tag 3 LUN 0: opcode 0xc6 \(c6 00/);
  const data = feeder.submit(0x81, none, 3, 4096);
  assert.equal(data.name, "data of opcode 0xc6, tag 3, stream 3");
  assert.equal(feeder.move(0x83, goodUnit, 3), "Sense IU tag 3 (opcode 0xc6): GOOD");
  assert.equal(feeder.commands.length, 0, "the host has not had its transfer back yet");
  feeder.complete(data.id, 0x81, "cancelled", none);
  assert.equal(whoNeverAsked(feeder.commands[0])?.who, "device never asked");

  feeder.move(0x04, vendorUnit);
  feeder.wire.marked(erdyText(0x81, 3));
  feeder.move(0x83, goodUnit, 3);
  assert.equal(feeder.commands[1].asked, true);
  assert.equal(whoNeverAsked(feeder.commands[1])?.who, "host never queued");
});

test("UAS without streams: READY units say who asked", () => {
  const feeder = attached(0);
  feeder.move(0x04, vendorUnit);
  assert.equal(feeder.move(0x83, bytesFromHex("06 00 00 03")), "Read Ready IU tag 3 (opcode 0xc6)");
  feeder.move(0x83, goodUnit);
  assert.equal(whoNeverAsked(feeder.commands[0])?.who, "host never queued");
  feeder.move(0x04, vendorUnit);
  feeder.move(0x83, goodUnit);
  assert.equal(whoNeverAsked(feeder.commands[1])?.who, "device never asked");
  assert.match(
    feeder.move(0x04, bytesFromHex("05 00 00 21 01 00 00 04 00 00 00 00 00 00 00 00")) ?? "",
    /^Task Management IU tag 33: abort task 4$/,
  );
  assert.equal(feeder.move(0x83, bytesFromHex("04 00 00 21 00 00 00 00")), "Response IU tag 33: complete");
});

test("TEST UNIT READY has no data, and nobody is to blame", () => {
  const feeder = attached(5);
  const unit = vendorUnit.slice();
  unit[16] = 0;
  feeder.move(0x04, unit);
  feeder.move(0x83, goodUnit, 3);
  assert.equal(whoNeverAsked(feeder.commands[0]), null);
});

test("100 000 mutated transfers: names or none, commands end once, never an exception", () => {
  const random = new Random(9);
  const seeds = [read10, csw("00"), vendorUnit, goodUnit, bytesFromHex("06 00 00 03")];
  const endpoints = [0x02, 0x04, 0x81, 0x83];
  const results = ["ok", "stall", "cancelled"] as const;
  let named = 0;
  for (const streamsLog2 of [0, 5]) {
    const feeder = attached(streamsLog2);
    for (let round = 0; round < 50_000; round++) {
      let data = seeds[random.below(seeds.length)].slice();
      if (random.chance(0.5)) data[random.below(data.length)] = random.below(256);
      if (random.chance(0.1)) data = data.subarray(0, random.below(data.length + 1));
      const endpoint = endpoints[random.below(endpoints.length)];
      const { id, name } = feeder.submit(endpoint, data, random.below(5), data.length);
      if (name !== null) named++;
      if (random.chance(0.9)) feeder.complete(id, endpoint, results[random.below(3)], data);
    }
    feeder.wire.finish();
    assert.equal(new Set(feeder.commands).size, feeder.commands.length);
    for (const command of feeder.commands) whoNeverAsked(command);
  }
  assert.ok(named > 10_000);
});

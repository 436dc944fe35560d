// The usbredir outlet with a guest in memory: what it answers, when, and what it bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { millisecond, second } from "../../base/units.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbredirCapability, UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import type { UsbredirMessage } from "../../codec/usbredir/usbredir-messages.ts";
import { LoopbackDevice } from "../../devices/loopback/loopback-device.ts";
import { UsbredirBench } from "./test/usbredir-bench.ts";
import type { UsbredirGuest } from "./test/usbredir-guest.ts";

const bulkIn = 0x81;
const bulkOut = 0x01;
const interruptIn = 0x82;
const alternateIn = 0x83;
/** Vendor requests of the loopback device. */
const notify = (value: number) => [0x40, 4, value, 0] as const;
const haltEndpoint = (endpoint: number) => [0x40, 3, 0, endpoint] as const;
const clearHalt = (endpoint: number) => [0x02, 1, 0, endpoint] as const;

const pattern = (length: number, start = 0) =>
  new Uint8Array(length).map((_, index) => (start + index * 7) & 255);
const kindsOf = (guest: UsbredirGuest) => guest.take().map(({ message }) => message.kind);
const dataPackets = (guest: UsbredirGuest) =>
  guest
    .take()
    .flatMap(({ id, message }) => ("data" in message ? [{ ...message, id, data: [...message.data] }] : []));

test("a pending IN is not answered until there is something; a cancelled one is answered once, and the next gets the data", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(10, bulkIn, 64);
  guest.bulkIn(11, bulkIn, 64);
  bench.settle();
  assert.deepEqual(guest.take(), []);
  assert.equal(bench.outlet.pending, 2);
  guest.send({ kind: "cancelDataPacket" }, 10);
  guest.send({ kind: "cancelDataPacket" }, 10);
  bench.settle();
  const [cancelled, ...others] = dataPackets(guest);
  assert.deepEqual(others, []);
  assert.equal(cancelled.id, 10);
  assert.equal(cancelled.status, UsbredirStatus.cancelled);
  assert.deepEqual(cancelled.data, []);
  guest.bulkOut(12, bulkOut, Uint8Array.of(1, 2, 3));
  bench.settle();
  const answers = dataPackets(guest);
  assert.deepEqual(answers.map(({ id }) => id).sort(), [11, 12]);
  const read = answers.find(({ id }) => id === 11);
  assert.deepEqual([read?.status, read?.length, read?.data], [UsbredirStatus.ok, 3, [1, 2, 3]]);
});

test("a cancellation that comes after the result is ignored, and so is one of a packet that never was", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkOut(1, bulkOut, pattern(10));
  bench.settle();
  guest.take();
  guest.send({ kind: "cancelDataPacket" }, 1);
  guest.send({ kind: "cancelDataPacket" }, 77);
  bench.settle();
  assert.deepEqual(guest.take(), []);
});

test("a cancelled write that waited does not reach the device", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkOut(1, bulkOut, pattern(4096));
  guest.bulkOut(2, bulkOut, pattern(64, 99));
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket").length, 4096);
  guest.send({ kind: "cancelDataPacket" }, 2);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 2).status, UsbredirStatus.cancelled);
  guest.bulkIn(3, bulkIn, 4096);
  bench.settle();
  guest.take();
  guest.bulkIn(4, bulkIn, 64);
  guest.bulkOut(5, bulkOut, pattern(4, 7));
  bench.settle();
  assert.deepEqual([...guest.takeOne("bulkPacket", 4).data], [...pattern(4, 7)]);
});

test("a packet whose id is under way is refused, and the first goes on", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(5, bulkIn, 64);
  guest.bulkIn(5, bulkIn, 64);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 5).status, UsbredirStatus.invalid);
  guest.bulkOut(6, bulkOut, Uint8Array.of(9));
  bench.settle();
  assert.deepEqual([...guest.takeOne("bulkPacket", 5).data], [9]);
  // Answered: the number is free again. Ids are 64 bits wide.
  const wide = 0xfedc_ba98_7654_3210n;
  for (const id of [5, wide]) {
    guest.bulkOut(id, bulkOut, Uint8Array.of(1));
    bench.settle();
    assert.equal(guest.takeOne("bulkPacket", id).status, UsbredirStatus.ok);
  }
});

test("a reset is hidden: the model sees it, the guest keeps its device, what was pending is answered as cancelled", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(1, bulkIn, 64);
  bench.settle();
  guest.send({ kind: "reset" });
  // Written before the device is back: served afterwards.
  guest.send({ kind: "getConfiguration" }, 2);
  guest.bulkIn(3, bulkIn, 64);
  bench.settle();
  const heard = new Map(guest.take().map(({ id, message }) => [id, message]));
  const [pending, configuration, refused] = [1, 2, 3].map((id) => heard.get(id));
  assert.equal(heard.size, 3);
  assert.ok(pending?.kind === "bulkPacket" && pending.status === UsbredirStatus.cancelled);
  assert.ok(configuration?.kind === "configurationStatus" && configuration.configuration === 0);
  assert.ok(refused?.kind === "bulkPacket" && refused.status === UsbredirStatus.invalid);
  guest.send({ kind: "setConfiguration", configuration: 1 }, 4);
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["interfaceInfo", "endpointInfo", "configurationStatus"]);
});

test("a reset is visible when another device comes back, or none within five seconds", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  bench.bus.unplug(bench.connector);
  bench.bus.plugIn(new LoopbackDevice({ idVendor: 0x1209, idProduct: 0x0003 }), bench.connector);
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["deviceDisconnect"]);
  guest.send({ kind: "deviceDisconnectAck" });
  bench.settle();
  assert.equal(guest.takeOne("deviceConnect").product, 3);

  guest.send({ kind: "reset" });
  bench.pass(1);
  bench.bus.unplug(bench.connector);
  bench.bus.plugIn(new LoopbackDevice({ idVendor: 0x1209, idProduct: 0x0004 }), bench.connector);
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["deviceDisconnect"]);
  assert.ok(bench.events.some((text) => text.includes("came back from a reset as another one")));
  guest.send({ kind: "deviceDisconnectAck" });
  bench.settle();
  assert.equal(guest.takeOne("deviceConnect").product, 4);

  guest.send({ kind: "reset" });
  bench.pass(1);
  bench.bus.unplug(bench.connector);
  bench.pass(4.9 * second);
  assert.deepEqual(guest.take(), []);
  bench.pass(second);
  assert.deepEqual(kindsOf(guest), ["deviceDisconnect"]);
  assert.equal(guest.isClosed, false);
});

test("between departure and acknowledgement packets are for the old device and dropped", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(1, bulkIn, 64);
  bench.settle();
  bench.bus.unplug(bench.connector);
  bench.settle();
  const farewell = guest.take().map(({ message }) => message);
  assert.deepEqual(
    farewell.map(({ kind }) => kind),
    ["bulkPacket", "deviceDisconnect"],
  );
  assert.ok(farewell[0].kind === "bulkPacket" && farewell[0].status === UsbredirStatus.cancelled);
  bench.bus.plugIn(bench.device, bench.connector);
  bench.settle();
  guest.control(2, [0x80, 6, 0x0100, 0], 18);
  guest.send({ kind: "reset" });
  guest.send({ kind: "setConfiguration", configuration: 1 }, 3);
  bench.settle();
  assert.deepEqual(guest.take(), []);
  guest.send({ kind: "deviceDisconnectAck" });
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["interfaceInfo", "endpointInfo", "deviceConnect"]);
  // One more acknowledgement changes nothing.
  guest.send({ kind: "deviceDisconnectAck" });
  guest.control(4, [0x80, 6, 0x0100, 0], 18);
  bench.settle();
  assert.equal(guest.takeOne("controlPacket", 4).length, 18);
});

test("a guest that cannot acknowledge is told of the next device at once", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured(0xff & ~UsbredirCapability.disconnectAck);
  bench.bus.unplug(bench.connector);
  bench.settle();
  bench.bus.plugIn(bench.device, bench.connector);
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["deviceDisconnect", "interfaceInfo", "endpointInfo", "deviceConnect"]);
});

test("a guest may come before the device; one that says no hello in ten seconds is let go", () => {
  const bench = new UsbredirBench();
  bench.bus.unplug(bench.connector);
  bench.settle();
  const guest = bench.meet();
  bench.pass(60 * second);
  assert.deepEqual(kindsOf(guest), ["hello"]);
  assert.equal(guest.isClosed, false);
  bench.bus.plugIn(bench.device, bench.connector);
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["interfaceInfo", "endpointInfo", "deviceConnect"]);
  guest.close();
  bench.settle();
  const silent = bench.meet(null);
  bench.pass(9.9 * second);
  assert.equal(silent.isClosed, false);
  bench.pass(second);
  assert.equal(silent.isClosed, true);
  assert.ok(bench.events.some((text) => text.includes("it says no hello")));
  assert.equal(bench.outlet.hasGuest, false);
});

test("when the guest leaves the device is reset, and the next guest gets it unconfigured", () => {
  const bench = new UsbredirBench();
  const first = bench.configured();
  first.bulkOut(1, bulkOut, pattern(100));
  bench.settle();
  first.close();
  bench.settle();
  assert.equal(bench.outlet.hasGuest, false);
  const second_ = bench.meet();
  bench.settle();
  second_.send({ kind: "getConfiguration" }, 1);
  bench.settle();
  assert.equal(second_.takeOne("configurationStatus").configuration, 0);
  // A third one while the second has it.
  const third = bench.meet();
  bench.settle();
  assert.equal(third.isClosed, true);
  assert.equal(second_.isClosed, false);
});

const start: UsbredirMessage = { kind: "startInterruptReceiving", endpoint: interruptIn };
const stop: UsbredirMessage = { kind: "stopInterruptReceiving", endpoint: interruptIn };

test("interrupt receiving: reports come numbered from 0, stopping stops them, nothing is lost until the next start", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.send(start, 5);
  bench.settle();
  const status = guest.take();
  assert.deepEqual(status, [
    { id: 5, message: { kind: "interruptReceivingStatus", status: 0, endpoint: interruptIn } },
  ]);
  for (const value of [1, 2, 3]) guest.control(10 + value, notify(value));
  bench.settle();
  const reports = dataPackets(guest).filter(({ kind }) => kind === "interruptPacket");
  assert.deepEqual(
    reports.map(({ id, data }) => [id, data]),
    [
      [0, [1]],
      [1, [2]],
      [2, [3]],
    ],
  );
  guest.send(stop, 6);
  for (const value of [4, 5]) guest.control(20 + value, notify(value));
  bench.settle();
  assert.deepEqual(kindsOf(guest), ["interruptReceivingStatus", "controlPacket", "controlPacket"]);
  guest.send(start, 7);
  bench.settle();
  assert.deepEqual(
    guest.take().map(({ id, message }) => [id, "data" in message ? [...message.data] : message.kind]),
    [
      [7, "interruptReceivingStatus"],
      [0, [4]],
      [1, [5]],
    ],
  );
});

test("a report that was read when the guest stopped is the first after the next start", () => {
  // Completions come 5 ms late, so that a stop overtakes them, as it does on any path with a network in it.
  const faults = [{ kind: "delay", endpoint: interruptIn } as const];
  for (const pause of [0, 50 * millisecond]) {
    const bench = new UsbredirBench({ faults });
    const guest = bench.configured();
    guest.send(start);
    bench.settle();
    guest.control(1, notify(0x5a));
    // The device has given its report away; the completion is on its way.
    bench.pass(3 * millisecond);
    guest.send(stop);
    bench.pass(pause);
    assert.deepEqual(
      guest.take().filter(({ message }) => message.kind === "interruptPacket"),
      [],
    );
    guest.send(start);
    guest.control(2, notify(0x5b));
    bench.settle();
    const reports = dataPackets(guest).filter(({ kind }) => kind === "interruptPacket");
    assert.deepEqual(
      reports.map(({ id, data }) => [id, ...data]),
      [
        [0, 0x5a],
        [1, 0x5b],
      ],
      `${pause} ns between stop and start`,
    );
  }
});

test("a report of an endpoint that began anew is nobody's", () => {
  const bench = new UsbredirBench({ faults: [{ kind: "delay", endpoint: interruptIn }] });
  const guest = bench.configured();
  guest.send(start);
  bench.settle();
  guest.control(1, notify(0x5a));
  bench.pass(3 * millisecond);
  guest.send({ kind: "setAlternate", interface: 0, alternate: 1 }, 2);
  bench.pass(millisecond);
  assert.equal(guest.takeOne("alternateStatus", 2).status, UsbredirStatus.ok);
  guest.send(start);
  bench.settle();
  guest.control(3, notify(0x5b));
  bench.settle();
  const reports = dataPackets(guest).filter(({ kind }) => kind === "interruptPacket");
  assert.deepEqual(
    reports.map(({ data }) => data),
    [[0x5b]],
  );
});

test("interrupt receiving of other endpoints is refused; starting twice goes on; a halt ends it and can be cleared", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  for (const endpoint of [bulkIn, 0x8f, 0x00, 0x02]) {
    guest.send({ kind: "startInterruptReceiving", endpoint }, 1);
    guest.send({ kind: "stopInterruptReceiving", endpoint }, 2);
    bench.settle();
    const answers = guest.take().map(({ message }) => message);
    assert.equal(answers.length, 2);
    for (const answer of answers)
      assert.ok(answer.kind === "interruptReceivingStatus" && answer.status === UsbredirStatus.invalid);
  }
  guest.send(start);
  guest.control(3, notify(1));
  bench.settle();
  guest.send(start);
  guest.control(4, notify(2));
  bench.settle();
  const reports = dataPackets(guest).filter(({ kind }) => kind === "interruptPacket");
  assert.deepEqual(
    reports.map(({ id }) => id),
    [0, 1],
  );
  guest.control(5, haltEndpoint(interruptIn));
  bench.settle();
  const halted = guest.takeOne("interruptReceivingStatus", 0);
  assert.deepEqual(halted, {
    kind: "interruptReceivingStatus",
    status: UsbredirStatus.stall,
    endpoint: interruptIn,
  });
  guest.send(start, 6);
  bench.settle();
  assert.equal(guest.takeOne("interruptReceivingStatus", 6).status, UsbredirStatus.stall);
  guest.control(7, clearHalt(interruptIn));
  guest.control(8, notify(3));
  bench.settle();
  guest.send(start, 9);
  bench.settle();
  assert.deepEqual(
    dataPackets(guest)
      .filter(({ kind }) => kind === "interruptPacket")
      .map(({ data }) => data),
    [[3]],
  );
});

test("a halted bulk endpoint stalls, refuses, and works again after CLEAR_FEATURE", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(1, bulkIn, 64);
  guest.control(2, haltEndpoint(bulkIn));
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 1).status, UsbredirStatus.stall);
  guest.bulkIn(3, bulkIn, 64);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 3).status, UsbredirStatus.stall);
  guest.control(4, clearHalt(bulkIn));
  guest.bulkOut(5, bulkOut, Uint8Array.of(8));
  bench.settle();
  guest.take();
  guest.bulkIn(6, bulkIn, 64);
  bench.settle();
  assert.deepEqual([...guest.takeOne("bulkPacket", 6).data], [8]);
});

test("alternate settings: endpoints come and go, the guest is told before it is answered, refusals keep the old", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  guest.bulkIn(1, alternateIn, 64);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 1).status, UsbredirStatus.invalid);
  guest.send({ kind: "setAlternate", interface: 0, alternate: 1 }, 2);
  bench.settle();
  const heard = guest.take();
  assert.deepEqual(
    heard.map(({ id, message }) => [id, message.kind]),
    [
      [0, "interfaceInfo"],
      [0, "endpointInfo"],
      [2, "alternateStatus"],
    ],
  );
  const [, endpoints, status] = heard.map(({ message }) => message);
  assert.ok(endpoints.kind === "endpointInfo" && endpoints.endpoints[19]?.packetBytes === 64);
  assert.ok(status.kind === "alternateStatus" && status.status === 0 && status.alternate === 1);
  guest.bulkIn(3, alternateIn, 64);
  guest.send({ kind: "getAlternate", interface: 0 }, 4);
  bench.settle();
  const answers = guest.take();
  assert.equal(answers.length, 2);
  for (const [number, alternate] of [
    [0, 9],
    [7, 0],
  ]) {
    guest.send({ kind: "setAlternate", interface: number, alternate }, 5);
    bench.settle();
    const refused = guest.take().map(({ message }) => message);
    assert.equal(refused.length, 1);
    assert.ok(refused[0].kind === "alternateStatus" && refused[0].status === UsbredirStatus.stall);
  }
  guest.bulkIn(6, alternateIn, 64);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 6).length, 64);
  // What waits on an endpoint that goes is answered as cancelled, after the answer to what took it away.
  guest.bulkIn(7, bulkIn, 64);
  guest.send({ kind: "setConfiguration", configuration: 0 }, 8);
  bench.settle();
  assert.deepEqual(
    guest.take().map(({ id, message }) => [id, message.kind]),
    [
      [0, "interfaceInfo"],
      [0, "endpointInfo"],
      [8, "configurationStatus"],
      [7, "bulkPacket"],
    ],
  );
});

test("what no device can be asked is refused: other control endpoints, SET_ADDRESS, wrong types, isochronous", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  const data = new Uint8Array(0);
  const control = { kind: "controlPacket", status: 0, value: 0, index: 0, length: 0, data } as const;
  guest.send({ ...control, endpoint: 1, request: 0, requestType: 0 }, 1);
  guest.send({ ...control, endpoint: 0, request: 5, requestType: 0, value: 9 }, 2);
  guest.send({ kind: "interruptPacket", endpoint: interruptIn, status: 0, length: 8, data }, 3);
  guest.send({ kind: "interruptPacket", endpoint: bulkOut, status: 0, length: 0, data }, 4);
  guest.bulkIn(5, interruptIn, 8);
  guest.bulkIn(6, bulkIn, 8, 1);
  guest.send({ kind: "startIsoStream", endpoint: bulkIn, packetsPerTransfer: 1, transfers: 1 }, 7);
  guest.send({ kind: "setConfiguration", configuration: 9 }, 8);
  bench.settle();
  const answers = new Map(guest.take().map(({ id, message }) => [id, message]));
  const statusOf = (id: number) => (answers.get(id) as { status?: number } | undefined)?.status;
  const { invalid, stall } = UsbredirStatus;
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8].map(statusOf), [
    invalid,
    stall,
    invalid,
    invalid,
    invalid,
    invalid,
    invalid,
    stall,
  ]);
  assert.equal(guest.isClosed, false);
  guest.send({ kind: "deviceDisconnect" });
  bench.settle();
  assert.equal(guest.isClosed, true);
  assert.ok(bench.events.some((text) => text.includes("deviceDisconnect is not for a guest to send")));
});

test("memory is bounded: 178 packets, 64 MiB, and a guest that does not read is not read from", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  for (let id = 1; id <= 300; id++) guest.bulkIn(id, bulkIn, 64);
  bench.settle();
  assert.equal(bench.outlet.pending, 178);
  const refused = dataPackets(guest);
  assert.equal(refused.length, 122);
  assert.ok(refused.every(({ status }) => status === UsbredirStatus.ioError));
  for (let id = 1; id <= 178; id++) guest.send({ kind: "cancelDataPacket" }, id);
  bench.settle();
  assert.equal(dataPackets(guest).length, 178);
  for (let id = 1; id <= 5; id++) guest.bulkIn(id, bulkIn, 16 << 20);
  bench.settle();
  assert.equal(bench.outlet.pending, 4);
  assert.equal(guest.takeOne("bulkPacket", 5).status, UsbredirStatus.ioError);
  for (let id = 1; id <= 4; id++) guest.send({ kind: "cancelDataPacket" }, id);
  guest.send({ kind: "setAlternate", interface: 0, alternate: 1 }, 9);
  bench.settle();
  guest.send(start, 9);
  bench.settle();
  guest.take();
  // 100 reads of 64 KiB: far more than the stream holds.
  guest.pause();
  for (let id = 1; id <= 100; id++) guest.bulkIn(id, alternateIn, 65_536);
  bench.pass(60 * second);
  assert.equal(bench.outlet.pending, 0, "what was accepted is done");
  guest.bulkIn(300, bulkIn, 64);
  // The device has five reports; two reads were under way when the guest fell behind.
  for (let value = 1; value <= 5; value++) bench.device.setup(Uint8Array.of(0x40, 4, value, 0, 0, 0, 0, 0));
  bench.pass(60 * second);
  assert.equal(bench.outlet.pending, 0, "nothing is read from it");
  guest.resume();
  bench.settle();
  assert.equal(bench.outlet.pending, 1);
  const heard = guest.take().map(({ message }) => message);
  assert.equal(heard.filter(({ kind }) => kind === "bulkPacket").length, 100);
  const reports = heard.flatMap((message) => (message.kind === "interruptPacket" ? [message.data[0]] : []));
  assert.deepEqual(reports, [1, 2, 3, 4, 5]);
});

test("a fault that breaks the protocol on the bus is an I/O error", () => {
  const bench = new UsbredirBench({
    faults: [{ kind: "protocolError", endpoint: bulkOut, nth: 1 }],
  });
  const guest = bench.configured();
  guest.bulkOut(1, bulkOut, pattern(8));
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 1).status, UsbredirStatus.ioError);
});

/** Masks by endpoint index: OUT 1 is bit 1, IN 1 bit 17. */
const bothBulk = (1 << 1) | (1 << 17);
const superBench = () => new UsbredirBench({ device: new LoopbackDevice(undefined, UsbSpeed.super) });

test("bulk streams: allocated by mask, each stream on its own, freed again", () => {
  const bench = superBench();
  const guest = bench.meet();
  bench.settle();
  assert.equal(guest.takeOne("deviceConnect").speed, 3);
  guest.send({ kind: "setConfiguration", configuration: 1 }, 1);
  bench.settle();
  const information = guest.takeOne("endpointInfo");
  assert.deepEqual(
    [1, 17, 18].map((index) => information.endpoints[index]?.streams),
    [16, 16, 0],
  );
  // Without streams the endpoint takes no stream number.
  guest.bulkIn(2, bulkIn, 64, 1);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket").status, UsbredirStatus.invalid);
  guest.send({ kind: "allocBulkStreams", endpoints: bothBulk, streams: 8 }, 3);
  bench.settle();
  assert.deepEqual(guest.take(), [
    { id: 3, message: { kind: "bulkStreamsStatus", endpoints: bothBulk, streams: 8, status: 0 } },
  ]);
  // With them it takes nothing without one, and none beyond.
  for (const stream of [0, 9]) guest.bulkIn(10 + stream, bulkIn, 64, stream);
  bench.settle();
  assert.ok(dataPackets(guest).every(({ status }) => status === UsbredirStatus.invalid));
  for (const stream of [1, 2, 3, 8]) guest.bulkIn(20 + stream, bulkIn, 64, stream);
  bench.settle();
  assert.deepEqual(guest.take(), []);
  for (const stream of [8, 3, 1]) guest.bulkOut(30 + stream, bulkOut, Uint8Array.of(stream), stream);
  bench.settle();
  const reads = dataPackets(guest).filter(({ id }) => Number(id) < 30);
  assert.deepEqual(reads.map(({ id, data }) => [Number(id) - 20, ...data]).sort(), [
    [1, 1],
    [3, 3],
    [8, 8],
  ]);
  guest.send({ kind: "cancelDataPacket" }, 22);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 22).status, UsbredirStatus.cancelled);
  guest.send({ kind: "freeBulkStreams", endpoints: bothBulk }, 40);
  guest.send({ kind: "freeBulkStreams", endpoints: bothBulk }, 41);
  bench.settle();
  const freed = guest.take().map(({ message }) => message);
  assert.ok(freed[0].kind === "bulkStreamsStatus" && freed[0].status === UsbredirStatus.ok);
  assert.ok(freed[1].kind === "bulkStreamsStatus" && freed[1].status === UsbredirStatus.invalid);
  guest.bulkOut(42, bulkOut, Uint8Array.of(5));
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 42).status, UsbredirStatus.ok);
});

test("bulk streams that cannot be are refused: too many, none, endpoints without, below SuperSpeed, after a change", () => {
  const bench = superBench();
  const guest = bench.configured();
  const ask = (endpoints: number, streams: number, from = guest): number => {
    from.send({ kind: "allocBulkStreams", endpoints, streams }, 1);
    bench.settle();
    return from.takeOne("bulkStreamsStatus").status;
  };
  assert.equal(ask(bothBulk, 17), UsbredirStatus.invalid);
  assert.equal(ask(bothBulk, 0), UsbredirStatus.invalid);
  assert.equal(ask(0, 4), UsbredirStatus.invalid);
  assert.equal(ask(bothBulk | (1 << 18), 4), UsbredirStatus.invalid);
  assert.equal(ask(0xffff_ffff, 1), UsbredirStatus.invalid);
  assert.equal(ask(bothBulk, 16), UsbredirStatus.ok);
  // A setting that begins anew has none.
  guest.bulkIn(5, bulkIn, 64, 16);
  guest.send({ kind: "setAlternate", interface: 0, alternate: 1 }, 2);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 5).status, UsbredirStatus.cancelled);
  guest.bulkIn(6, bulkIn, 64, 1);
  bench.settle();
  assert.equal(guest.takeOne("bulkPacket", 6).status, UsbredirStatus.invalid);
  const slow = new UsbredirBench();
  const other = slow.configured();
  other.send({ kind: "allocBulkStreams", endpoints: bothBulk, streams: 4 }, 1);
  slow.settle();
  assert.equal(other.takeOne("bulkStreamsStatus").status, UsbredirStatus.invalid);
});

test("isochronous streams: packets that went out come back, each with its number; a setting ends them", () => {
  const bench = new UsbredirBench();
  const guest = bench.configured();
  const [out, into] = [0x04, 0x84];
  guest.send({ kind: "setAlternate", interface: 0, alternate: 2 }, 1);
  bench.settle();
  guest.take();
  guest.send({ kind: "startIsoStream", endpoint: out, packetsPerTransfer: 10, transfers: 12 }, 2);
  bench.settle();
  assert.equal(guest.takeOne("isoStreamStatus").status, UsbredirStatus.ok);
  for (const length of [5, 64, 1]) {
    const data = new Uint8Array(length).fill(length);
    guest.send({ kind: "isoPacket", endpoint: out, status: 0, length, data }, 0);
  }
  const tooLong = new Uint8Array(65);
  guest.send({ kind: "isoPacket", endpoint: out, status: 0, length: 65, data: tooLong }, 0);
  bench.settle();
  assert.equal(guest.takeOne("isoStreamStatus").status, UsbredirStatus.invalid);
  guest.send({ kind: "startIsoStream", endpoint: into, packetsPerTransfer: 2, transfers: 2 }, 3);
  bench.clock.runUntil(bench.clock.nowNs() + 8_000_000);
  const packets = guest
    .take()
    .flatMap(({ id, message }) => (message.kind === "isoPacket" ? [{ id, message }] : []));
  assert.deepEqual(
    packets.map(({ id }) => id),
    packets.map((_, index) => index),
  );
  const lengths = packets.map(({ message }) => message.data.length).filter((length) => length > 0);
  assert.deepEqual(lengths, [5, 64, 1]);
  guest.send({ kind: "stopIsoStream", endpoint: into }, 4);
  guest.send({ kind: "setAlternate", interface: 0, alternate: 0 }, 5);
  bench.settle();
  guest.take();
  guest.send({ kind: "startIsoStream", endpoint: into, packetsPerTransfer: 2, transfers: 2 }, 6);
  bench.settle();
  assert.equal(guest.takeOne("isoStreamStatus").status, UsbredirStatus.invalid);
});

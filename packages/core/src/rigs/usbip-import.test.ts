// An import that comes while the device is still being read: it is answered when that is known, not refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { encodeImportRequest, UsbipOp, UsbipStatus } from "../codec/usbip/usbip.ts";
import { SmallUsbDevice } from "../devices/small-usb-device.ts";
import { UsbNak, type UsbUpstream } from "../ports/usb-device.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import { UsbExportRig } from "./usb-export-rig.ts";

/** Says nothing to any control transfer until told to. */
class Shy extends SmallUsbDevice {
  #isShy = true;
  #upstream: UsbUpstream | null = null;

  override plug(upstream: UsbUpstream): void {
    super.plug(upstream);
    this.#upstream = upstream;
  }

  override in(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    return (endpoint & 0x7f) === 0 && this.#isShy ? UsbNak : super.in(endpoint, buffer, offset, length);
  }

  speak(): void {
    this.#isShy = false;
    this.#upstream?.ready(0x80);
  }
}

const newShy = () => new Shy({ idVendor: 0x1209, idProduct: 0x0d02 });

function bench(exported: string[] = []) {
  const rig = new UsbExportRig({
    seed: 1,
    turn: hostTurn,
    timing: "none",
    onExported: (busId) => exported.push(busId),
  });
  const connect = () => {
    const [near, far] = memoryStreamPair({ clock: rig.scheduler });
    rig.server.accept(far);
    const client = { near, heard: [] as number[], isClosed: false };
    near.connect({
      received: (bytes) => client.heard.push(...bytes),
      drained: () => {},
      closed: () => {
        client.isClosed = true;
      },
    });
    return client;
  };
  const run = (lengthNs: number) => rig.scheduler.run(rig.scheduler.nowNs() + lengthNs);
  return { rig, connect, run };
}

/** Code and status of an answer's header. */
const answer = (heard: readonly number[]) => [(heard[2] << 8) | heard[3], heard[7]];

test("asked for while its descriptors are read, a device is lent as soon as they are", async () => {
  const exported: string[] = [];
  const { rig, connect, run } = bench(exported);
  const shy = newShy();
  rig.usb.bus.plugIn(shy, 1);
  await run(1e9);
  const [first, second] = [connect(), connect()];
  first.near.write(encodeImportRequest("1-1"));
  second.near.write(encodeImportRequest("1-1"));
  await run(1e6);
  assert.deepEqual([exported, first.heard, second.heard], [[], [], []]);
  shy.speak();
  await run(1e9);
  assert.deepEqual(exported, ["1-1"]);
  // One has it, the other hears that somebody has: each is answered once.
  assert.deepEqual(answer(first.heard), [UsbipOp.replyImport, UsbipStatus.ok]);
  assert.equal(first.heard.length, 320);
  assert.deepEqual(answer(second.heard), [UsbipOp.replyImport, UsbipStatus.busy]);
  assert.equal(second.heard.length, 8);
});

test("a device that leaves while it is read is refused to whoever waits; a flood before the answer ends the connection", async () => {
  const { rig, connect, run } = bench();
  rig.usb.bus.plugIn(newShy(), 1);
  await run(1e9);
  const [patient, flood] = [connect(), connect()];
  patient.near.write(encodeImportRequest("1-1"));
  flood.near.write(encodeImportRequest("1-1"));
  flood.near.write(new Uint8Array(70_000));
  await run(1e6);
  assert.deepEqual([patient.heard, patient.isClosed, flood.isClosed], [[], false, true]);
  rig.usb.bus.unplug(1);
  await run(1e9);
  assert.deepEqual(answer(patient.heard), [UsbipOp.replyImport, UsbipStatus.noDevice]);
});

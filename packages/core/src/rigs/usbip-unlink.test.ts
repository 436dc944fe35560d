// USB/IP unlinks that cross their submits: Linux's vhci_hcd sends both from lists of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import {
  encodeImportRequest,
  newUsbipHeader,
  readUsbipHeader,
  UsbipCommand,
  UsbipErrno,
  UsbipFlag,
  type UsbipHeader,
  usbipHeaderBytes,
  writeUsbipHeader,
} from "../codec/usbip/usbip.ts";
import { SmallUsbDevice, smallBulkIn, smallBulkOut } from "../devices/small-usb-device.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import { UsbExportRig } from "./usb-export-rig.ts";

/** Takes one packet, then has no room until told. */
class Slow extends SmallUsbDevice {
  taken = 0;
  hasRoom = true;

  constructor() {
    super({ idVendor: 0x1209, idProduct: 0x0d02 });
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    if (!this.hasRoom) return UsbNak;
    this.hasRoom = false;
    this.taken++;
    return length;
  }
}

type Reply = readonly [command: number, sequence: number, word20: number];

async function bench() {
  const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none" });
  const device = new Slow();
  rig.usb.bus.plugIn(device, 1);
  await rig.scheduler.run(1e9);
  const [near, far] = memoryStreamPair({ clock: rig.scheduler });
  rig.server.accept(far);
  const heard: Uint8Array[] = [];
  let isClosed = false;
  near.connect({
    received: (bytes) => heard.push(bytes.slice()),
    drained: () => {},
    closed: () => {
      isClosed = true;
    },
  });
  near.write(encodeImportRequest("1-1"));
  await rig.scheduler.run(1e9);
  heard.length = 0;
  // Bus 1, device 1: what a server tells of the first connector of its only bus.
  const deviceId = (1 << 16) | 1;
  const send = (fields: Partial<UsbipHeader>, setup: Uint8Array | null = null, bodyBytes = 0): void => {
    const bytes = new Uint8Array(usbipHeaderBytes + bodyBytes);
    writeUsbipHeader(bytes, 0, { ...newUsbipHeader(), deviceId, ...fields }, setup);
    near.write(bytes);
  };
  const submit = (sequence: number, address: number, length: number, flags = 0): void => {
    const [direction, endpoint] = [address >> 7, address & 0x0f];
    const fields = { command: UsbipCommand.submit, sequence, direction, endpoint, word20: flags, length };
    send(fields, null, direction === 1 ? 0 : length);
  };
  const unlink = (sequence: number, target: number): void =>
    send({ command: UsbipCommand.unlink, sequence, word20: target });
  const replies = async (): Promise<Reply[]> => {
    await rig.scheduler.run(rig.scheduler.nowNs() + 1e9);
    const bytes = Uint8Array.from(heard.flatMap((part) => [...part]));
    heard.length = 0;
    const found: Reply[] = [];
    for (let at = 0; at < bytes.length; ) {
      const reply = newUsbipHeader();
      readUsbipHeader(bytes, at, reply);
      found.push([reply.command, reply.sequence, reply.word20 | 0]);
      at += usbipHeaderBytes;
    }
    return found;
  };
  // The server learns packet sizes from the configuration as it passes, as every host reads it.
  const control = { command: UsbipCommand.submit, direction: 1, length: 255 };
  send({ ...control, sequence: 0 }, Uint8Array.of(0x80, 6, 0, 2, 0, 0, 255, 0));
  await rig.scheduler.run(rig.scheduler.nowNs() + 1e9);
  heard.length = 0;
  send({ command: UsbipCommand.submit, sequence: 1 }, Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.deepEqual(await replies(), [[UsbipCommand.returnSubmit, 1, 0]]);
  return { device, submit, unlink, replies, isClosed: () => isClosed };
}

const { returnSubmit, returnUnlink } = UsbipCommand;
const reset = UsbipErrno.connectionReset;

test("an unlink that overtakes its submit is answered as unlinked, and the submit not at all", async () => {
  const { device, submit, unlink, replies, isClosed } = await bench();
  unlink(3, 2);
  assert.deepEqual(await replies(), [], "vhci_hcd knows the transfer when it has sent it, and not before");
  submit(2, smallBulkOut, 64);
  submit(4, smallBulkOut, 64);
  assert.deepEqual(await replies(), [
    [returnUnlink, 3, reset],
    [returnSubmit, 4, 0],
  ]);
  assert.equal(device.taken, 1, "the transfer that was unlinked never reached the device");
  assert.equal(isClosed(), false);
});

test("an unlink of what is over, and of what never was, is answered with 0 and forgotten", async () => {
  const { submit, unlink, replies } = await bench();
  submit(2, smallBulkOut, 64);
  assert.deepEqual(await replies(), [[returnSubmit, 2, 0]]);
  unlink(3, 2);
  unlink(4, 1);
  assert.deepEqual(await replies(), [
    [returnUnlink, 3, 0],
    [returnUnlink, 4, 0],
  ]);
  unlink(5, 5000);
  submit(6, smallBulkIn, 64);
  unlink(7, 6);
  assert.deepEqual(await replies(), [
    [returnUnlink, 5, 0],
    [returnUnlink, 7, reset],
  ]);
});

// URB_ZERO_PACKET: the empty packet behind a transfer of whole packets is a second step of the same transfer.
test("an unlink that comes while the empty packet of a transfer is under way ends that too", async () => {
  const { device, submit, unlink, replies } = await bench();
  submit(2, smallBulkOut, 64, UsbipFlag.zeroPacket);
  assert.deepEqual(await replies(), [], "the device has no room for the empty packet");
  assert.equal(device.taken, 1);
  unlink(3, 2);
  assert.deepEqual(await replies(), [[returnUnlink, 3, reset]]);
});

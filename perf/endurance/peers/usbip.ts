// A small USB/IP client: the list of devices, an import, GET_DESCRIPTOR.

import type { Peer } from "./wire.ts";

const busId = "1-1";
const deviceRecordBytes = 312;

function request(code: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(0x0111, 0);
  bytes.writeUInt16BE(code, 2);
  return bytes;
}

function importRequest(): Buffer {
  const name = Buffer.alloc(32);
  name.write(busId, "latin1");
  return Buffer.concat([request(0x8003), name]);
}

export const usbip: Peer = {
  command: ["export", "usbip", "keyboard", "--no-pacing"],
  placeOf: ({ port }) => Number(port),
  isForOne: true,
  lawful: [],
  opening: importRequest,
  open: async (wire) => {
    wire.say(importRequest());
    const reply = await wire.take(8);
    if (reply.readUInt32BE(4) !== 0) throw new Error(`import status ${reply.readUInt32BE(4)}`);
    const record = await wire.take(deviceRecordBytes);
    let sequence = 0;
    return {
      ask: async () => {
        const submit = Buffer.alloc(48);
        submit.writeUInt32BE(1, 0);
        submit.writeUInt32BE(++sequence, 4);
        submit.writeUInt32BE(record.readUInt32BE(288) * 65_536 + record.readUInt32BE(292), 8);
        submit.writeUInt32BE(1, 12);
        submit.writeUInt32BE(18, 24);
        submit.set([0x80, 6, 0, 1, 0, 0, 18, 0], 40);
        wire.say(submit);
        const header = await wire.take(48);
        if (header.readInt32BE(20) !== 0) throw new Error(`status ${header.readInt32BE(20)}`);
        await wire.take(header.readUInt32BE(24));
      },
      close: () => wire.socket.destroy(),
    };
  },
  /** The list of devices: that is for everybody, also while somebody has the device. */
  visit: async (wire) => {
    wire.say(request(0x8005));
    const head = await wire.take(12);
    for (let device = head.readUInt32BE(8); device > 0; device--) {
      const record = await wire.take(deviceRecordBytes);
      await wire.take(4 * record[311]);
    }
    if (head.readUInt32BE(8) === 0) throw new Error("no device is listed");
    wire.socket.destroy();
  },
  gorge: async (wire) => {
    wire.say(Buffer.concat(Array.from({ length: 4096 }, () => request(0x8005))));
  },
};

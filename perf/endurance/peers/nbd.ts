// A small NBD client: EXPORT_NAME, simple replies.

import type { Peer } from "./wire.ts";

function opening(): Buffer {
  const name = Buffer.from("disk");
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(3, 0);
  bytes.write("IHAVEOPT", 4, "latin1");
  bytes.writeUInt32BE(1, 12);
  bytes.writeUInt32BE(name.length, 16);
  return Buffer.concat([bytes, name]);
}

function request(kind: number, length: number): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(kind, 6);
  header.writeUInt32BE(length, 24);
  return header;
}

export const nbd: Peer = {
  command: ["disk", "serve", "--size", "64M"],
  portOf: ({ port }) => Number(port),
  isForOne: false,
  lawful: [],
  opening,
  open: async (wire) => {
    await wire.take(18);
    wire.say(opening());
    await wire.take(10);
    return {
      ask: async () => {
        wire.say(request(0, 4096));
        const reply = await wire.take(16);
        if (reply.readUInt32BE(4) !== 0) throw new Error(`error ${reply.readUInt32BE(4)}`);
        await wire.take(4096);
      },
      close: () => {
        wire.socket.end(request(2, 0));
      },
    };
  },
  gorge: async (wire, name) => {
    await nbd.open(wire, name);
    for (let count = 0; count < 16; count++) wire.say(request(0, 1 << 20));
  },
};

// A small usbredir guest without capabilities: hello, then GET_DESCRIPTOR of the device that is announced.

import type { Peer, Wire } from "./wire.ts";

const kind = { hello: 0, deviceConnect: 1, controlPacket: 100 } as const;

function packet(type: number, id: number, body: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(type, 0);
  header.writeUInt32LE(body.length, 4);
  header.writeUInt32LE(id, 8);
  return Buffer.concat([header, body]);
}

function hello(): Buffer {
  const body = Buffer.alloc(68);
  body.write("peer", "latin1");
  return packet(kind.hello, 0, body);
}

function getDescriptor(id: number): Buffer {
  return packet(kind.controlPacket, id, Buffer.from([0x80, 6, 0x80, 0, 0, 1, 0, 0, 18, 0]));
}

/** The next packet of a kind, past all others. */
async function next(wire: Wire, wanted: number): Promise<Buffer> {
  for (;;) {
    const header = await wire.take(12);
    const body = await wire.take(header.readUInt32LE(4));
    if (header.readUInt32LE(0) === wanted) return body;
  }
}

export const usbredir: Peer = {
  command: ["export", "usbredir", "keyboard", "--no-pacing"],
  placeOf: ({ devices }) => (devices as { port: number }[])[0].port,
  isForOne: true,
  /** Who says hello has the device. */
  lawful: ["glutton"],
  opening: hello,
  open: async (wire) => {
    wire.say(hello());
    await next(wire, kind.deviceConnect);
    let id = 0;
    return {
      ask: async () => {
        wire.say(getDescriptor(++id));
        const body = await next(wire, kind.controlPacket);
        if (body[3] !== 0) throw new Error(`status ${body[3]}`);
      },
      close: () => wire.socket.destroy(),
    };
  },
  gorge: async (wire, name) => {
    await usbredir.open(wire, name);
    wire.say(Buffer.concat(Array.from({ length: 4096 }, (_, id) => getDescriptor(id))));
  },
};

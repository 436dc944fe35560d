// A small iSCSI initiator: a login of one PDU, READ(10).

import type { Peer, Wire } from "./wire.ts";

function login(name: string): Buffer {
  const text = Buffer.from(
    `InitiatorName=iqn.2026-01.org.example:${name}\0TargetName=iqn.2026-01.org.example:disk\0SessionType=Normal\0`,
  );
  const header = Buffer.alloc(48);
  header[0] = 0x43;
  header[1] = 0x87;
  header.writeUIntBE(text.length, 5, 3);
  header[8] = 0x40;
  header[16] = 1;
  header.writeUInt32BE(1, 24);
  return Buffer.concat([header, text, Buffer.alloc(-text.length & 3)]);
}

function read(tag: number, blocks: number): Buffer {
  const header = Buffer.alloc(48);
  header[0] = 1;
  header[1] = 0xc0;
  header.writeUInt32BE(tag, 16);
  header.writeUInt32BE(blocks * 512, 20);
  header.writeUInt32BE(tag, 24);
  header[32] = 0x28;
  header.writeUInt16BE(blocks, 39);
  return header;
}

async function pdu(wire: Wire): Promise<Buffer> {
  const header = await wire.take(48);
  const length = header.readUIntBE(5, 3);
  if (length > 0) await wire.take(length + (-length & 3));
  return header;
}

export const iscsi: Peer = {
  command: ["disk", "serve", "--size", "64M", "--iscsi"],
  placeOf: ({ port }) => Number(port),
  isForOne: false,
  lawful: [],
  opening: login,
  open: async (wire, name) => {
    wire.say(login(name));
    const answer = await pdu(wire);
    if (answer[36] !== 0) throw new Error(`login status ${answer[36]}/${answer[37]}`);
    let tag = 0;
    return {
      ask: async () => {
        for (let attempt = 0; attempt < 20; attempt++) {
          wire.say(read(++tag, 8));
          let header = await pdu(wire);
          while ((header[0] & 0x3f) === 0x25 && (header[1] & 1) === 0) header = await pdu(wire);
          if (header[3] === 0) return;
          // A unit attention is heard once, a full task set passes.
          if (header[3] === 0x28) await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error("no good status");
      },
      close: () => {
        wire.socket.destroy();
      },
    };
  },
  gorge: async (wire, name) => {
    await iscsi.open(wire, name);
    for (let count = 0; count < 16; count++) wire.say(read(count + 1, 2048));
  },
};

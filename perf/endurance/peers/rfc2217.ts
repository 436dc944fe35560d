// A small telnet client of a serial port with a loop-back plug: what it writes comes back.

import type { Peer, Wire } from "./wire.ts";

/** IAC WILL COM-PORT, IAC WILL BINARY, IAC DO BINARY. */
const negotiation = Buffer.from([255, 251, 44, 255, 251, 0, 255, 253, 0]);

/** The next byte that is no telnet command. */
async function nextByte(wire: Wire): Promise<number> {
  for (;;) {
    const [byte] = await wire.take(1);
    if (byte !== 255) return byte;
    const [command] = await wire.take(1);
    if (command >= 251 && command <= 254) await wire.take(1);
    else if (command === 250) {
      let last = 0;
      for (let byte = 0; !(last === 255 && byte === 240); ) {
        last = byte;
        [byte] = await wire.take(1);
      }
    }
  }
}

export const rfc2217: Peer = {
  command: ["start", "serial", "--no-pacing", "--rfc2217", "0"],
  placeOf: ({ ports }) => (ports as { rfc2217: { port: number } }[])[0].rfc2217.port,
  /** `start` gives each serial port its own. */
  where: () => [],
  isForOne: true,
  /** Bytes are what a serial port is for. */
  lawful: ["noise", "glutton"],
  /** SIGNATURE: asks who serves it. */
  opening: () => Buffer.from([255, 250, 44, 0, 255, 240]),
  open: async (wire) => {
    wire.say(negotiation);
    let count = 0;
    return {
      ask: async () => {
        const byte = 0x41 + (count++ % 26);
        wire.say(Buffer.of(byte));
        for (let seen = -1; seen !== byte; ) seen = await nextByte(wire);
      },
      close: () => wire.socket.destroy(),
    };
  },
  gorge: async (wire, name) => {
    await rfc2217.open(wire, name);
    wire.say(Buffer.alloc(1 << 20, 0x41));
  },
};

// A small HTTP/1.1 client of the board.

import type { Peer, Wire } from "./wire.ts";

const request = (port: number): Buffer => Buffer.from(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);

async function response(wire: Wire): Promise<void> {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += (await wire.take(1)).toString("latin1");
  if (!head.startsWith("HTTP/1.1 200")) throw new Error(head.split("\r\n")[0]);
  const length = /^content-length: (\d+)/im.exec(head);
  if (length !== null) {
    await wire.take(Number(length[1]));
    return;
  }
  for (let left = -1; left !== 0; ) {
    let line = "";
    while (!line.endsWith("\r\n")) line += (await wire.take(1)).toString("latin1");
    left = Number.parseInt(line, 16);
    await wire.take(left + 2);
  }
}

export const board: Peer = {
  command: ["board", "serve", "--no-open"],
  placeOf: ({ port }) => Number(port),
  isForOne: false,
  /** Every case runs once in a new home. */
  worksAtFirst: true,
  lawful: [],
  opening: () => request(80),
  open: async (wire) => {
    const ask = async () => {
      wire.say(request(Number(wire.place)));
      await response(wire);
    };
    await ask();
    return { ask, close: () => wire.socket.destroy() };
  },
  gorge: async (wire) => {
    await board.open(wire, "");
    for (let count = 0; count < 16; count++) wire.say(request(Number(wire.place)));
  },
};

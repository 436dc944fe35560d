// A thread of readers who ask for a list at a given pace over some connections, and count what comes back whole.

import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { url, perSecond, connections, counts } = workerData as {
  url: string;
  perSecond: number;
  connections: number;
  counts: Int32Array;
};
const { hostname, port, host } = new URL(url);
const ask = Buffer.from(`GET /t/drivers HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
const mark = Buffer.from("HTTP/1.1 ");
/** What a connection has asked for and not had yet; beyond this it waits, as its socket would. */
const mostUnderWay = 64;

const readers = Array.from({ length: connections }, () => {
  const reader = { socket: connect(Number(port), hostname), underWay: 0 };
  reader.socket.on("error", () => {});
  reader.socket.on("data", (piece: Buffer) => {
    for (let at = piece.indexOf(mark); at >= 0; at = piece.indexOf(mark, at + mark.length)) {
      reader.underWay--;
      Atomics.add(counts, 1, 1);
    }
  });
  return reader;
});

let next = 0;
let owed = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  owed = Math.min(owed + ((now - last) * perSecond) / 1000, perSecond);
  last = now;
  for (let tries = connections; owed >= 1 && tries > 0; tries--) {
    const reader = readers[next++ % connections];
    if (reader.underWay >= mostUnderWay) continue;
    const count = Math.min(Math.ceil(owed / connections), mostUnderWay - reader.underWay, Math.floor(owed));
    for (let each = 0; each < count; each++) reader.socket.write(ask);
    reader.underWay += count;
    owed -= count;
    Atomics.add(counts, 0, count);
  }
}, 2);
parentPort?.postMessage("asking");

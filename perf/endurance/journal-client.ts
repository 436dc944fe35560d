// A process of its own that writes to a disk over NBD: what it will write is on its own disk before it sends.

import { fsyncSync, openSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";

export const blockBytes = 4096;
export const slots = 64;
const command = { write: 1, disconnect: 2, flush: 3, zeroes: 6 } as const;
const forceUnitAccess = 1;

/** What a block of a write is: its number and slot, again and again. */
export function contents(sequence: number, slot: number): Buffer {
  const unit = Buffer.alloc(16);
  unit.writeUInt32BE(0x4a4f5552, 0);
  unit.writeUInt32BE(sequence, 4);
  unit.writeUInt32BE(slot, 8);
  unit.writeUInt32BE((sequence * 2654435761) >>> 0, 12);
  return Buffer.alloc(blockBytes, unit);
}

interface Orders {
  readonly port: number;
  readonly seed: number;
  readonly journal: string;
  /** First sequence number of this life. */
  readonly from: number;
}

class Client {
  readonly #socket: Socket;
  #held = Buffer.alloc(0);
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.on("data", (bytes: Buffer) => {
      this.#held = Buffer.concat([this.#held, bytes]);
      this.#wake?.();
    });
    for (const event of ["close", "error"])
      this.#socket.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Null: the connection ended. */
  async take(count: number): Promise<Buffer | null> {
    while (this.#held.length < count && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#held.length < count) return null;
    const bytes = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return bytes;
  }

  request(kind: number, flags: number, offset: number, length: number): void {
    const header = Buffer.alloc(28);
    header.writeUInt32BE(0x25609513, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(kind, 6);
    header.writeBigUInt64BE(BigInt(offset), 16);
    header.writeUInt32BE(length, 24);
    this.send(header);
  }

  /** The error of the next reply; null: there will be none. */
  async reply(): Promise<number | null> {
    const bytes = await this.take(16);
    return bytes === null ? null : bytes.readUInt32BE(4);
  }
}

async function run({ from, journal, port, seed }: Orders): Promise<void> {
  let state = seed >>> 0;
  const draw = (limit: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const descriptor = openSync(journal, "a");
  const note = (line: string): void => {
    writeSync(descriptor, `${line}\n`);
    fsyncSync(descriptor);
  };
  const client = new Client(port);
  if ((await client.take(18)) === null) return;
  const name = Buffer.from("disk");
  const choice = Buffer.alloc(20);
  choice.writeUInt32BE(3, 0);
  choice.write("IHAVEOPT", 4, "latin1");
  choice.writeUInt32BE(1, 12);
  choice.writeUInt32BE(name.length, 16);
  client.send(Buffer.concat([choice, name]));
  if ((await client.take(10)) === null) return;
  for (let sequence = from; ; ) {
    const isForced = draw(3) === 0;
    const isZero = !isForced && draw(6) === 0;
    const writes = 1 + draw(4);
    for (let index = 0; index < writes; index++, sequence++) {
      const slot = draw(slots);
      note(`W ${sequence} ${slot}${isZero ? " zero" : ""}`);
      const flags = isForced ? forceUnitAccess : 0;
      client.request(isZero ? command.zeroes : command.write, flags, slot * blockBytes, blockBytes);
      if (!isZero) client.send(contents(sequence, slot));
      const error = await client.reply();
      if (error === null) return;
      if (error !== 0) note(`E ${sequence} ${error}`);
      else if (isForced) note(`A ${sequence} ${sequence}`);
    }
    if (isForced) continue;
    client.request(command.flush, 0, 0, 0);
    const error = await client.reply();
    if (error === null) return;
    // Acknowledged: every write of this life up to here that was not refused.
    if (error === 0) note(`A ${from} ${sequence - 1}`);
    else note(`F ${error}`);
  }
}

/** Orders come as lines of JSON; each is answered by "over" when its connection has ended. */
if (process.argv[2] === "obey") {
  let held = "";
  let last = Promise.resolve();
  process.stdin.on("data", (bytes: Buffer) => {
    held += bytes.toString();
    for (let end = held.indexOf("\n"); end >= 0; end = held.indexOf("\n")) {
      const orders = JSON.parse(held.slice(0, end)) as Orders;
      held = held.slice(end + 1);
      last = last.then(() => run(orders)).then(() => void process.stdout.write("over\n"));
    }
  });
  process.stdin.on("end", () => process.exit(0));
}

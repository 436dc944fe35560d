// Small clients over plain sockets: honest ones that use a disk, and four kinds that only hold its door.

import { connect, type Socket } from "node:net";

export const protocols = ["nbd", "iscsi"] as const;
export type Protocol = (typeof protocols)[number];
/** Says nothing; half a handshake; noise; opens the disk, asks for much and reads nothing. */
export const attacks = ["silent", "half", "noise", "glutton"] as const;
export type Attack = (typeof attacks)[number];

const patienceMs = 30_000;

/** Bytes of a socket as promises; rejects when it ends or takes too long. */
class Wire {
  readonly socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #look: () => void = () => {};
  #isOver = false;

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.socket.on("data", (bytes: Buffer) => {
      this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      this.#look();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#isOver = true;
      this.#look();
    });
  }

  take(count: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no answer")), patienceMs);
      this.#look = () => {
        if (this.#held.length >= count) {
          clearTimeout(timer);
          const bytes = this.#held.subarray(0, count);
          this.#held = this.#held.subarray(count);
          resolve(bytes);
        } else if (this.#isOver) {
          clearTimeout(timer);
          reject(new Error("closed"));
        }
      };
      this.#look();
    });
  }
}

/** A session that can read a block of 4 KiB. */
export interface Session {
  read(): Promise<void>;
  close(): void;
}

const nbdChoice = (): Buffer => {
  const name = Buffer.from("disk");
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(3, 0);
  bytes.write("IHAVEOPT", 4, "latin1");
  bytes.writeUInt32BE(1, 12);
  bytes.writeUInt32BE(name.length, 16);
  return Buffer.concat([bytes, name]);
};

const nbdRequest = (kind: number, length: number): Buffer => {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(0x25609513, 0);
  header.writeUInt16BE(kind, 6);
  header.writeUInt32BE(length, 24);
  return header;
};

const iscsiLogin = (initiator: string): Buffer => {
  const text = Buffer.from(
    `InitiatorName=${initiator}\0TargetName=iqn.2026-01.org.example:disk\0SessionType=Normal\0`,
  );
  const header = Buffer.alloc(48);
  header[0] = 0x43;
  header[1] = 0x87;
  header.writeUIntBE(text.length, 5, 3);
  header[8] = 0x40;
  header[16] = 1;
  header.writeUInt32BE(1, 24);
  return Buffer.concat([header, text, Buffer.alloc(-text.length & 3)]);
};

const iscsiRead = (tag: number, blocks: number): Buffer => {
  const header = Buffer.alloc(48);
  header[0] = 1;
  header[1] = 0xc0;
  header.writeUInt32BE(tag, 16);
  header.writeUInt32BE(blocks * 512, 20);
  header.writeUInt32BE(tag, 24);
  header[32] = 0x28;
  header.writeUInt16BE(blocks, 39);
  return header;
};

async function iscsiPdu(wire: Wire): Promise<Buffer> {
  const header = await wire.take(48);
  const length = header.readUIntBE(5, 3);
  if (length > 0) await wire.take(length + (-length & 3));
  return header;
}

async function open(wire: Wire, protocol: Protocol, name: string): Promise<Session> {
  if (protocol === "nbd") {
    await wire.take(18);
    wire.socket.write(nbdChoice());
    await wire.take(10);
    return {
      read: async () => {
        wire.socket.write(nbdRequest(0, 4096));
        const reply = await wire.take(16);
        if (reply.readUInt32BE(4) !== 0) throw new Error(`error ${reply.readUInt32BE(4)}`);
        await wire.take(4096);
      },
      close: () => {
        wire.socket.end(nbdRequest(2, 0));
      },
    };
  }
  wire.socket.write(iscsiLogin(name));
  const login = await iscsiPdu(wire);
  if (login[36] !== 0) throw new Error(`login status ${login[36]}/${login[37]}`);
  let tag = 0;
  return {
    read: async () => {
      for (let attempt = 0; attempt < 20; attempt++) {
        wire.socket.write(iscsiRead(++tag, 8));
        let header = await iscsiPdu(wire);
        while ((header[0] & 0x3f) === 0x25 && (header[1] & 1) === 0) header = await iscsiPdu(wire);
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
}

export function openSession(
  port: number,
  protocol: Protocol,
  name = "iqn.2026-01.org.example:honest",
): Promise<Session> {
  return open(new Wire(port), protocol, name);
}

/** Keeps one hostile connection open, and opens it again when it is closed. Answers how to end it. */
function hold(port: number, protocol: Protocol, attack: Attack, index: number): () => void {
  let isOver = false;
  let socket: Socket | null = null;
  const again = (): void => {
    if (isOver) return;
    const wire = new Wire(port);
    socket = wire.socket;
    wire.socket.on("close", () => setTimeout(again, 100));
    const whole = protocol === "nbd" ? nbdChoice() : iscsiLogin(`iqn.2026-01.org.example:x${index}`);
    if (attack === "half") wire.socket.write(whole.subarray(0, whole.length - 5));
    else if (attack === "noise") {
      const bytes = Buffer.alloc(512);
      for (let at = 0; at < bytes.length; at++) bytes[at] = (Math.imul(at + index, 2654435761) >>> 24) & 0xff;
      wire.socket.write(bytes);
    } else if (attack === "glutton")
      open(wire, protocol, `iqn.2026-01.org.example:x${index}`).then(
        () => {
          wire.socket.pause();
          for (let count = 0; count < 16; count++)
            wire.socket.write(protocol === "nbd" ? nbdRequest(0, 1 << 20) : iscsiRead(count + 1, 2048));
        },
        () => wire.socket.destroy(),
      );
  };
  again();
  return () => {
    isOver = true;
    socket?.destroy();
  };
}

/** A process of attackers: `node peers.ts PORT PROTOCOL ATTACK COUNT`, until its standard input ends. */
if (process.argv.length === 6 && import.meta.filename === process.argv[1]) {
  const [port, protocol, attack, count] = process.argv.slice(2);
  const ends = Array.from({ length: Number(count) }, (_, index) =>
    hold(Number(port), protocol as Protocol, attack as Attack, index),
  );
  process.stdout.write("attacking\n");
  process.stdin.resume();
  process.stdin.on("end", () => {
    for (const end of ends) end();
    process.exit(0);
  });
}

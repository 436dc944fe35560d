// usbredir: our outlet against a bare socket with the same messages, bulk both ways and control, and what an URB costs.

import { UsbredirCapability, UsbredirStatus, UsbredirType } from "@drydock/core/codec/usbredir/usbredir";
import { encodeUsbredir, type UsbredirMessage } from "@drydock/core/codec/usbredir/usbredir-messages";
import type { BenchTable } from "./run.ts";
import { LoadSocket, Measures, startServer, type Work } from "./socket-load.ts";

const rounds = 5;
const agreed = UsbredirCapability.wideIds | UsbredirCapability.longBulk;
const headerBytes = 26;
/** Where a packet says how it ended. */
const statusAt = { controlPacket: 19, bulkPacket: 17 } as const;
const none = new Uint8Array(0);

interface PacketWork extends Work {
  readonly message: Extract<UsbredirMessage, { kind: "controlPacket" | "bulkPacket" }>;
}

const getStatus = (depth: number, count: number): PacketWork => ({
  message: {
    kind: "controlPacket",
    endpoint: 0x80,
    request: 0,
    requestType: 0x80,
    status: 0,
    value: 0,
    index: 0,
    length: 2,
    data: none,
  },
  length: 2,
  depth,
  count,
});
const bulk = (endpoint: number, length: number, depth: number, count: number): PacketWork => ({
  message: {
    kind: "bulkPacket",
    endpoint,
    status: 0,
    length,
    stream: 0,
    data: endpoint >= 0x80 ? none : new Uint8Array(length),
  },
  length,
  depth,
  count,
});

/** A guest of a few bytes, so that only the host is measured. */
class Client {
  readonly #socket: LoadSocket;
  #id = 1;

  private constructor(socket: LoadSocket) {
    this.#socket = socket;
  }

  /** `choices` null: the bare socket, which knows no devices. Else what a guest chooses, each answered in turn. */
  static async connect(port: number, choices: readonly UsbredirMessage[] | null): Promise<Client> {
    const socket = await LoadSocket.connect(port);
    const client = new Client(socket);
    if (choices === null) return client;
    const ends = (bytes: Buffer, type: number): boolean => {
      let last = -1;
      for (let at = 0; at + 8 <= bytes.length; ) {
        const kind = bytes.readUInt32LE(at);
        const next = at + (kind === UsbredirType.hello ? 12 : 16) + bytes.readUInt32LE(at + 4);
        if (next > bytes.length) return false;
        last = kind;
        at = next;
      }
      return last === type;
    };
    const shown = socket.gather((bytes) => ends(bytes, UsbredirType.deviceConnect));
    socket.write(encodeUsbredir({ kind: "hello", version: "bench", capabilities: agreed }, 0, 0));
    await shown;
    for (const choice of choices) {
      const wanted =
        choice.kind === "setAlternate" ? UsbredirType.alternateStatus : UsbredirType.configurationStatus;
      const answered = socket.gather((bytes) => ends(bytes, wanted));
      socket.write(encodeUsbredir(choice, client.#id++, agreed));
      await answered;
    }
    return client;
  }

  /** Answers seconds. */
  run({ message, depth, count }: PacketWork): Promise<number> {
    const packet = encodeUsbredir(message, 0, agreed);
    const isIn = message.endpoint >= 0x80;
    const at = statusAt[message.kind];
    return this.#socket.run({
      depth,
      count,
      headerBytes,
      answerBytes: headerBytes + (isIn ? message.length : 0),
      requests: (many) => {
        const bytes = new Uint8Array(many * packet.length);
        const view = new DataView(bytes.buffer);
        for (let index = 0; index < many; index++) {
          bytes.set(packet, index * packet.length);
          view.setUint32(index * packet.length + 8, this.#id++, true);
        }
        return bytes;
      },
      problemOf: (header) =>
        header[at] === UsbredirStatus.ok ? null : `a packet ended with status ${header[at]}`,
    });
  }

  close(): void {
    this.#socket.close();
  }
}

const configuration: UsbredirMessage = { kind: "setConfiguration", configuration: 1 };
const alternate: UsbredirMessage = { kind: "setAlternate", interface: 0, alternate: 1 };

export async function bench(): Promise<BenchTable[]> {
  const servers = {
    ours: await startServer("usbredir-server.ts", "ours"),
    bare: await startServer("usbredir-server.ts", "bare"),
  };
  const measures = new Measures();
  try {
    for (let round = 0; round < rounds; round++) {
      for (const kind of ["ours", "bare"] as const) {
        const { child, ports } = servers[kind];
        const name = kind === "ours" ? "our outlet" : "bare socket";
        const pid = child.pid as number;
        const measure = (text: string, client: Client, work: PacketWork) =>
          measures.measure(`${name}: ${text}`, pid, work, () => client.run(work));
        const loop = await Client.connect(ports[0], kind === "ours" ? [configuration, alternate] : null);
        await measure("control, one at a time", loop, getStatus(1, 10_000));
        await measure("control, 32 at once", loop, getStatus(32, 100_000));
        await measure("bulk IN 512 bytes, 16 at once", loop, bulk(0x83, 512, 16, 50_000));
        await measure("bulk IN 16 KiB, 16 at once", loop, bulk(0x83, 16_384, 16, 30_000));
        await measure("bulk IN 64 KiB, 8 at once", loop, bulk(0x83, 65_536, 8, 10_000));
        loop.close();
        const sink = await Client.connect(ports.at(-1) as number, kind === "ours" ? [configuration] : null);
        await measure("bulk OUT 16 KiB, 16 at once", sink, bulk(0x01, 16_384, 16, 20_000));
        sink.close();
        // Our outlet resets a device that is given back.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
  } finally {
    servers.ours.child.kill();
    servers.bare.child.kill();
  }
  return [
    {
      title: "Round trips",
      unit: "packets per second",
      rows: measures.rates,
      note: "Peer: a bare Node socket that answers the same number of bytes and does nothing else, in a process of its own, in the same run; client on the other CPU.",
    },
    {
      title: "Bulk",
      unit: "MB/s",
      rows: measures.megabytes,
      note: "An IN's answer is built in the buffer that the device fills, a fresh one each time; an OUT is copied twice, into the reader's buffer and out of it. Aim: 0.6 of the bare socket. Met in control, in IN of 512 bytes and in OUT, where ours reads into one block that is used again and the bare socket as Node does; missed in IN of 16 KiB (0.58) and 64 KiB (0.40), whose fresh buffers are cleared and collected each time.",
    },
    {
      title: "CPU",
      unit: "microseconds per packet, server process",
      rows: measures.cpu,
      note: "User and system time from /proc, in ticks of 10 ms.",
    },
  ];
}

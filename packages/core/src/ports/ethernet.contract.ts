// The contract of EthernetPort as a list of checks. At the far end of the cable stands one that sends every frame back.

import { isSameBytes } from "../base/bytes.ts";
import { type ContractCheck, expect, expectEqual } from "./contract.ts";
import { type EthernetClient, type EthernetLink, type EthernetPort, EthernetSend } from "./ethernet.ts";

/** Records what a port tells its client, and notices calls from inside a call of the port. */
export class RecordingEthernetClient implements EthernetClient {
  readonly frames: Uint8Array[] = [];
  readonly links: EthernetLink[] = [];
  enabledCalls = 0;
  writableCalls = 0;
  hangUps = 0;
  callsAfterHangUp = 0;
  isInsideCall = false;
  calledInside = 0;

  #note(): void {
    if (this.isInsideCall) this.calledInside++;
    if (this.hangUps > 0) this.callsAfterHangUp++;
  }

  enabled(): void {
    this.#note();
    this.enabledCalls++;
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    this.#note();
    this.frames.push(bytes.slice(offset, offset + length));
  }

  writable(): void {
    this.#note();
    this.writableCalls++;
  }

  linkChanged(link: EthernetLink): void {
    this.#note();
    this.links.push(link);
  }

  hungUp(): void {
    this.#note();
    this.hangUps++;
  }
}

/** What a check is given: an interface that nobody has open, with one at the far end that sends back what comes, addresses swapped. */
export interface EthernetBench {
  readonly port: EthernetPort;
  readonly client: RecordingEthernetClient;
  /** Runs until nothing more happens by itself. */
  settle(): Promise<void>;
  /** Pulls the cable of the network, or puts it in again. */
  setCable(isIn: boolean): void;
  /** Takes the adapter away. */
  unplug(): void;
}

/** A frame to the far end with `length` bytes, told apart by `seed`. */
export function benchFrame(port: EthernetPort, length: number, seed: number): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, index) => (seed * 31 + index * 7) & 255);
  frame.set([0x02, 0, 0, 0, 0, 0xfe], 0);
  frame.set(port.macAddress, 6);
  frame[12] = 0x88;
  frame[13] = 0xb5;
  return frame;
}

function inside<T>({ client }: EthernetBench, call: () => T): T {
  client.isInsideCall = true;
  const answer = call();
  client.isInsideCall = false;
  return answer;
}

async function open(bench: EthernetBench): Promise<void> {
  expectEqual(
    inside(bench, () => bench.port.open(bench.client)),
    null,
    "opened",
  );
  await bench.settle();
  expectEqual(bench.client.enabledCalls, 1, "calls of enabled");
  expect(bench.port.link.isUp, "the link is up");
}

/** Payloads of what came back, addresses aside. */
const bodies = ({ client }: EthernetBench) => client.frames.map((frame) => frame.subarray(12));

export const ethernetContract: readonly ContractCheck<EthernetBench>[] = [
  {
    name: "a closed interface takes nothing, and says so",
    run: async (bench) => {
      const { port } = bench;
      expectEqual(port.isOpen, false, "isOpen");
      expectEqual(port.send(benchFrame(port, 60, 1), 0, 60), EthernetSend.closed, "send");
      port.close();
      port.setFilter({ promiscuous: true, allMulticast: false, multicast: [] });
      await bench.settle();
      expectEqual(port.counts.sentFrames, 0, "sent frames");
    },
  },
  {
    name: "one client at a time, and again after a close",
    run: async (bench) => {
      await open(bench);
      expect(bench.port.open(new RecordingEthernetClient()) !== null, "a second client is refused");
      bench.port.close();
      expectEqual(bench.port.isOpen, false, "isOpen after close");
      await bench.settle();
      const second = new RecordingEthernetClient();
      expectEqual(bench.port.open(second), null, "opened again");
      await bench.settle();
      expectEqual(second.enabledCalls, 1, "calls of enabled");
    },
  },
  {
    name: "every size from 60 to the most comes back as it went, in order",
    run: async (bench) => {
      await open(bench);
      const { client, port } = bench;
      const most = port.mtu + 14;
      const sizes = [
        60,
        61,
        62,
        63,
        64,
        65,
        127,
        128,
        508,
        509,
        510,
        511,
        512,
        513,
        1020,
        1022,
        most - 1,
        most,
      ];
      const sent: Uint8Array[] = [];
      for (const [number, size] of sizes.entries()) {
        const frame = benchFrame(port, size, number);
        for (let tries = 0; tries < 3; tries++) {
          const answer = inside(bench, () => port.send(frame, 0, size));
          if (answer === EthernetSend.accepted) break;
          expectEqual(answer, EthernetSend.full, "send");
          await bench.settle();
        }
        sent.push(frame.subarray(12));
        // The caller's again at once.
        frame.fill(0xee, 60);
        sent[sent.length - 1] = benchFrame(port, size, number).subarray(12);
      }
      await bench.settle();
      const back = bodies(bench);
      expectEqual(back.length, sent.length, "frames that came back");
      back.forEach((body, index) => {
        expect(isSameBytes(body, sent[index]), `frame ${index} of ${sizes[index]} bytes is as it was`);
      });
      expectEqual(client.calledInside, 0, "calls from inside a call");
      expectEqual(port.counts.lostFrames + port.counts.droppedFrames, 0, "frames lost or dropped");
    },
  },
  {
    name: "what is no frame is refused and never sent",
    run: async (bench) => {
      await open(bench);
      const { port } = bench;
      const bytes = new Uint8Array(70_000);
      for (const length of [0, 1, 13, port.mtu + 19, 65_536])
        expectEqual(port.send(bytes, 0, length), EthernetSend.badFrame, `a frame of ${length} bytes`);
      expectEqual(port.send(bytes, 69_990, 60), EthernetSend.badFrame, "a range outside the buffer");
      expectEqual(port.send(bytes, -1, 60), EthernetSend.badFrame, "an offset below zero");
      await bench.settle();
      expectEqual(port.counts.sentFrames, 0, "sent frames");
    },
  },
  {
    name: "a queue that is full says so, loses nothing it accepted, and says when there is room",
    run: async (bench) => {
      await open(bench);
      const { client, port } = bench;
      let accepted = 0;
      const frame = benchFrame(port, 1000, 1);
      while (inside(bench, () => port.send(frame, 0, 1000)) === EthernetSend.accepted) {
        accepted++;
        expect(accepted < 1_000_000, "a queue without end");
      }
      await bench.settle();
      expectEqual(client.writableCalls, 1, "calls of writable");
      expectEqual(client.frames.length, accepted, "frames that came back");
      expectEqual(client.calledInside, 0, "calls from inside a call");
    },
  },
  {
    name: "a cable that is pulled is told, and traffic goes on when it is back",
    run: async (bench) => {
      await open(bench);
      const { client, port } = bench;
      bench.setCable(false);
      await bench.settle();
      expectEqual(client.links.at(-1)?.isUp, false, "told that the link is down");
      expectEqual(port.link.isUp, false, "link");
      port.send(benchFrame(port, 60, 1), 0, 60);
      await bench.settle();
      expectEqual(client.frames.length, 0, "frames without a cable");
      bench.setCable(true);
      await bench.settle();
      expectEqual(client.links.at(-1)?.isUp, true, "told that the link is up");
      client.frames.length = 0;
      expectEqual(port.send(benchFrame(port, 60, 2), 0, 60), EthernetSend.accepted, "send");
      await bench.settle();
      expect(
        client.frames.some((body) => isSameBytes(body.subarray(12), benchFrame(port, 60, 2).subarray(12))),
        "the frame that was sent after came back",
      );
    },
  },
  {
    name: "a closed interface hands nothing up",
    run: async (bench) => {
      await open(bench);
      const { client, port } = bench;
      for (let number = 0; number < 8; number++) port.send(benchFrame(port, 200, number), 0, 200);
      port.close();
      const told = client.frames.length;
      await bench.settle();
      expectEqual(client.frames.length, told, "frames after close");
      expectEqual(client.hangUps, 0, "hang-ups");
    },
  },
  {
    name: "an adapter that is taken away hangs up once, and nothing comes after",
    run: async (bench) => {
      await open(bench);
      const { client, port } = bench;
      for (let number = 0; number < 8; number++) port.send(benchFrame(port, 200, number), 0, 200);
      bench.unplug();
      await bench.settle();
      expectEqual(client.hangUps, 1, "hang-ups");
      expectEqual(client.callsAfterHangUp, 0, "calls after the hang-up");
      expectEqual(port.isGone, true, "isGone");
      expectEqual(port.send(benchFrame(port, 60, 1), 0, 60), EthernetSend.closed, "send");
      expect(port.open(new RecordingEthernetClient()) !== null, "it cannot be opened again");
    },
  },
];

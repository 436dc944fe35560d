// The contract of SerialPort as a list of checks. A loop-back plug hangs on the connector.

import { isSameBytes } from "../base/bytes.ts";
import { type ContractCheck, expect, expectEqual } from "./contract.ts";
import {
  defaultLineSettings,
  type ModemStatus,
  type ReceiveErrors,
  type SerialClient,
  type SerialPort,
} from "./serial.ts";

/** Records what a port tells its client, and notices calls from inside a call of the port. */
export class RecordingSerialClient implements SerialClient {
  readableCalls = 0;
  writableCalls = 0;
  modemChanges: ModemStatus[] = [];
  errors: ReceiveErrors[] = [];
  hangUps = 0;
  callsAfterHangUp = 0;
  isInsideCall = false;
  calledInside = 0;

  #note(): void {
    if (this.isInsideCall) this.calledInside++;
    if (this.hangUps > 0) this.callsAfterHangUp++;
  }

  readable(): void {
    this.#note();
    this.readableCalls++;
  }

  writable(): void {
    this.#note();
    this.writableCalls++;
  }

  modemChanged(status: ModemStatus): void {
    this.#note();
    this.modemChanges.push(status);
  }

  receiveError(errors: ReceiveErrors): void {
    this.#note();
    this.errors.push(errors);
  }

  hungUp(): void {
    this.#note();
    this.hangUps++;
  }
}

/** What a check is given: a port that nobody has open, of a device with a loop-back plug. */
export interface SerialBench {
  readonly port: SerialPort;
  readonly client: RecordingSerialClient;
  /** Runs until nothing more happens by itself. */
  settle(): Promise<void>;
  /** Pulls the cable. */
  unplug(): void;
}

const pattern = (length: number, start = 0) =>
  new Uint8Array(length).map((_, index) => (start + index * 7) & 255);

function inside<T>(bench: SerialBench, call: () => T): T {
  bench.client.isInsideCall = true;
  const answer = call();
  bench.client.isInsideCall = false;
  return answer;
}

async function open(bench: SerialBench): Promise<void> {
  expectEqual(
    inside(bench, () => bench.port.open(bench.client)),
    null,
    "opened",
  );
  await bench.settle();
}

/** Writes all of `bytes` as room allows and reads what comes, until as many have come or nothing moves. */
async function roundTrip(bench: SerialBench, bytes: Uint8Array): Promise<Uint8Array> {
  const back = new Uint8Array(bytes.length + 64);
  let [sent, received] = [0, 0];
  for (let idle = 0; received < bytes.length && idle < 5; ) {
    const taken = inside(bench, () => bench.port.write(bytes, sent, bytes.length - sent));
    sent += taken;
    await bench.settle();
    const count = inside(bench, () => bench.port.read(back, received, back.length - received));
    received += count;
    idle = taken + count > 0 ? 0 : idle + 1;
  }
  return back.subarray(0, received);
}

export const serialContract: readonly ContractCheck<SerialBench>[] = [
  {
    name: "a closed port takes and gives nothing",
    run: async ({ port, settle }) => {
      expectEqual(port.isOpen, false, "isOpen");
      expectEqual(port.write(pattern(4), 0, 4), 0, "bytes taken");
      expectEqual(port.read(new Uint8Array(4), 0, 4), 0, "bytes given");
      port.close();
      port.configure(defaultLineSettings);
      port.setBreak(true);
      port.setModemControl(true, true);
      port.flush(true, true);
      await settle();
      expectEqual(port.transmitPending, 0, "pending");
    },
  },
  {
    name: "one client at a time, and again after a close",
    run: async (bench) => {
      await open(bench);
      expect(typeof bench.port.open(new RecordingSerialClient()) === "string", "the second open is refused");
      bench.port.close();
      await bench.settle();
      expectEqual(bench.port.isOpen, false, "isOpen");
      await open(bench);
      expect(isSameBytes(await roundTrip(bench, pattern(20)), pattern(20)), "bytes after the second open");
    },
  },
  {
    name: "what is written comes back, in order, with a call of readable",
    run: async (bench) => {
      await open(bench);
      const sent = pattern(5000, 3);
      expect(isSameBytes(await roundTrip(bench, sent), sent), "the data are the same");
      expect(bench.client.readableCalls > 0, "readable was called");
      expectEqual(bench.port.transmitPending, 0, "pending");
    },
  },
  {
    name: "a port that is full takes less, and says writable when there is room again",
    run: async (bench) => {
      await open(bench);
      const block = pattern(1 << 16);
      let taken = 0;
      for (let round = 0; round < 64; round++) {
        const count = inside(bench, () => bench.port.write(block, 0, block.length));
        taken += count;
        if (count < block.length) break;
      }
      expect(taken > 0 && taken < 64 * block.length, "the port is bounded");
      const before = bench.client.writableCalls;
      const into = new Uint8Array(1 << 16);
      let came = 0;
      for (let idle = 0; came < taken && idle < 5; ) {
        await bench.settle();
        const count = bench.port.read(into, 0, into.length);
        came += count;
        idle = count > 0 ? 0 : idle + 1;
      }
      expectEqual(came, taken, "bytes that came back");
      expect(bench.client.writableCalls > before, "writable was called");
    },
  },
  {
    name: "after reading all, the next byte brings another readable",
    run: async (bench) => {
      await open(bench);
      const into = new Uint8Array(64);
      for (let round = 0; round < 3; round++) {
        const before = bench.client.readableCalls;
        bench.port.write(pattern(1, round), 0, 1);
        await bench.settle();
        expect(bench.client.readableCalls > before, `readable in round ${round}`);
        expectEqual(bench.port.read(into, 0, 64), 1, "bytes");
        expectEqual(bench.port.read(into, 0, 64), 0, "no more");
      }
    },
  },
  {
    name: "settings and bytes keep their order, and a change does not lose what is under way",
    run: async (bench) => {
      await open(bench);
      const sent = pattern(300);
      const back: number[] = [];
      const into = new Uint8Array(512);
      for (const [index, baudRate] of [9600, 115200, 57600].entries()) {
        bench.port.configure({ ...defaultLineSettings, baudRate });
        let done = 0;
        while (done < 100) {
          done += bench.port.write(sent, index * 100 + done, 100 - done);
          await bench.settle();
        }
        const count = bench.port.read(into, 0, into.length);
        back.push(...into.subarray(0, count));
      }
      expect(isSameBytes(Uint8Array.from(back), sent), "the data are the same");
    },
  },
  {
    name: "flush discards what was not read",
    run: async (bench) => {
      await open(bench);
      bench.port.write(pattern(50), 0, 50);
      await bench.settle();
      bench.port.flush(false, true);
      expectEqual(bench.port.read(new Uint8Array(64), 0, 64), 0, "bytes after the flush");
      await bench.settle();
      expect(isSameBytes(await roundTrip(bench, pattern(5, 9)), pattern(5, 9)), "later bytes come");
    },
  },
  {
    name: "close discards what was not read",
    run: async (bench) => {
      await open(bench);
      bench.port.write(pattern(50), 0, 50);
      await bench.settle();
      bench.port.close();
      await bench.settle();
      await open(bench);
      expectEqual(bench.port.read(new Uint8Array(64), 0, 64), 0, "bytes of the session before");
    },
  },
  {
    name: "the cable out: one hang-up, no call after it, and every call on the dead port is harmless",
    run: async (bench) => {
      await open(bench);
      bench.port.write(pattern(64), 0, 64);
      bench.unplug();
      await bench.settle();
      expectEqual(bench.client.hangUps, 1, "hang-ups");
      const { port } = bench;
      expectEqual(port.write(pattern(4), 0, 4), 0, "bytes taken");
      expect(typeof port.open(new RecordingSerialClient()) === "string", "open is refused");
      port.configure(defaultLineSettings);
      port.close();
      await bench.settle();
      expectEqual(bench.client.callsAfterHangUp, 0, "calls after the hang-up");
    },
  },
  {
    name: "the client is never called from inside a call",
    run: async (bench) => {
      await open(bench);
      await roundTrip(bench, pattern(2000));
      inside(bench, () => bench.port.setModemControl(false, true));
      inside(bench, () => bench.port.setBreak(true));
      inside(bench, () => bench.port.setBreak(false));
      inside(bench, () => bench.port.flush(true, true));
      inside(bench, () => bench.port.close());
      await bench.settle();
      expectEqual(bench.client.calledInside, 0, "calls inside");
    },
  },
];

// The contract of UsbHostPort as a list of checks, on the loopback device; one file because all share its helpers.

import { isSameBytes } from "../base/bytes.ts";
import { type ContractCheck, type ContractLimits, expect, expectEqual } from "./contract.ts";
import type { UsbHostClient, UsbHostPort, UsbStatus } from "./usb-host.ts";
import { newUsbPackets, UsbStatus as Status, UsbPacketStatus, UsbSubmit } from "./usb-host.ts";

/** Records what a port tells its client, and notices calls from inside a call of the port. */
export class RecordingClient implements UsbHostClient {
  readonly completions: { slot: number; status: UsbStatus; bytes: number }[] = [];
  detachments = 0;
  isInsideCall = false;
  calledInside = 0;
  onCompleted: ((slot: number) => void) | null = null;

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.isInsideCall) this.calledInside++;
    this.completions.push({ slot, status, bytes: actualBytes });
    this.onCompleted?.(slot);
  }

  detached(): void {
    if (this.isInsideCall) this.calledInside++;
    this.detachments++;
  }

  of(slot: number): { status: UsbStatus; bytes: number }[] {
    return this.completions.filter((entry) => entry.slot === slot);
  }
}

/**
 * What a check is given: a fresh port, connected to `client`, with an unconfigured loopback device behind it; a
 * SuperSpeed one with 16 streams for checks of the variant `streams`.
 */
export interface UsbHostBench {
  readonly port: UsbHostPort;
  readonly client: RecordingClient;
  /** Runs until nothing more happens by itself. */
  settle(): Promise<void>;
  /** Pulls the cable; null where nobody can, which is then the limit "unplug". */
  readonly unplug: (() => void) | null;
  /** What this path cannot do, and why: "cancelled-packets", "cancelled-write", "isochronous", "streams", "unplug". */
  readonly limits?: ContractLimits;
}

const bulkIn = 0x81;
const bulkOut = 0x01;
const interruptIn = 0x82;
const alternateIn = 0x83;

/** bmRequestType, bRequest, wValue, wIndex, wLength -> 8 bytes. */
function setup(type: number, request: number, value: number, index: number, length: number): Uint8Array {
  return Uint8Array.of(
    type,
    request,
    value & 255,
    value >> 8,
    index & 255,
    index >> 8,
    length & 255,
    length >> 8,
  );
}

async function control(
  bench: UsbHostBench,
  packet: Uint8Array,
  buffer: Uint8Array | null = null,
): Promise<{ status: UsbStatus; bytes: number }> {
  const before = bench.client.completions.length;
  expectEqual(bench.port.control(0, packet, buffer, 0), UsbSubmit.accepted, "control request accepted");
  await bench.settle();
  const result = bench.client.completions.slice(before).find((entry) => entry.slot === 0);
  expect(result !== undefined, "the control request completed");
  return result;
}

/** Reads the configuration, as every host does, and selects it. */
async function configure(bench: UsbHostBench): Promise<void> {
  expectEqual(
    (await control(bench, setup(0x80, 6, 0x0200, 0, 255), new Uint8Array(255))).status,
    Status.ok,
    "configuration read",
  );
  expectEqual((await control(bench, setup(0, 9, 1, 0, 0))).status, Status.ok, "configuration 1 selected");
}

const pattern = (length: number, start = 0) =>
  new Uint8Array(length).map((_, index) => (start + index * 7) & 255);

type Check = ContractCheck<UsbHostBench>;

const controlChecks: Check[] = [
  {
    name: "GET_DESCRIPTOR of the device answers 18 bytes",
    run: async (bench) => {
      const buffer = new Uint8Array(64);
      const result = await control(bench, setup(0x80, 6, 0x0100, 0, 64), buffer);
      expectEqual(result.status, Status.ok, "status");
      expectEqual(result.bytes, 18, "bytes");
      expectEqual(buffer[1], 1, "descriptor type");
    },
  },
  {
    name: "control data goes out and comes back",
    run: async (bench) => {
      const sent = pattern(200);
      expectEqual((await control(bench, setup(0x40, 1, 0, 0, 200), sent.slice())).bytes, 200, "bytes out");
      const back = new Uint8Array(200);
      expectEqual((await control(bench, setup(0xc0, 1, 0, 0, 200), back)).bytes, 200, "bytes in");
      expect(isSameBytes(sent, back), "the data are the same");
    },
  },
  {
    name: "a shorter answer than wLength ends the data stage",
    run: async (bench) => {
      await control(bench, setup(0x40, 1, 0, 0, 64), pattern(64));
      expectEqual(
        (await control(bench, setup(0xc0, 1, 0, 0, 128), new Uint8Array(128))).bytes,
        64,
        "bytes in",
      );
    },
  },
  {
    name: "a refused request is a STALL with no bytes, and the next request succeeds without a reset",
    run: async (bench) => {
      const refused = await control(bench, setup(0x40, 2, 0, 0, 8), pattern(8));
      expectEqual(refused.status, Status.stall, "status");
      expectEqual(refused.bytes, 0, "bytes");
      expectEqual(
        (await control(bench, setup(0x80, 8, 0, 0, 1), new Uint8Array(1))).status,
        Status.ok,
        "next request",
      );
    },
  },
  {
    name: "control requests are queued and run one after the other in order",
    run: async (bench) => {
      const { client, port } = bench;
      for (let slot = 0; slot < 8; slot++) {
        expectEqual(
          port.control(slot, setup(0x40, 1, 0, 0, 4), pattern(4, slot), 0),
          UsbSubmit.accepted,
          "accepted",
        );
      }
      await bench.settle();
      expectEqual(client.completions.map((entry) => entry.slot).join(), "0,1,2,3,4,5,6,7", "order");
    },
  },
  {
    name: "SET_ADDRESS is refused: addresses are the carrier's business",
    run: async (bench) => {
      expect(bench.port.control(0, setup(0, 5, 9, 0, 0), null, 0) !== UsbSubmit.accepted, "refused");
      await bench.settle();
      expectEqual(bench.client.completions.length, 0, "completions");
    },
  },
  {
    name: "a data stage without a buffer is refused",
    run: async (bench) => {
      expectEqual(
        bench.port.control(0, setup(0x80, 6, 0x100, 0, 18), null, 0),
        UsbSubmit.badRequest,
        "no buffer",
      );
      expectEqual(
        bench.port.control(0, setup(0x80, 6, 0x100, 0, 18), new Uint8Array(17), 0),
        UsbSubmit.badRequest,
        "short",
      );
    },
  },
  {
    name: "the setup bytes may be reused as soon as control returns",
    run: async (bench) => {
      const packet = setup(0x80, 8, 0, 0, 1);
      expectEqual(bench.port.control(0, packet, new Uint8Array(1), 0), UsbSubmit.accepted, "accepted");
      packet.fill(0xff);
      await bench.settle();
      expectEqual(bench.client.of(0)[0]?.status, Status.ok, "status");
    },
  },
];

const dataChecks: Check[] = [
  {
    name: "before a configuration is selected there are no endpoints",
    run: async (bench) => {
      expectEqual(bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64), UsbSubmit.noEndpoint, "refused");
      await bench.settle();
      expectEqual(bench.client.completions.length, 0, "refused means no completion");
    },
  },
  {
    name: "bulk data goes round, and a short packet ends the read",
    run: async (bench) => {
      await configure(bench);
      const sent = pattern(100);
      expectEqual(bench.port.transfer(1, bulkOut, sent.slice(), 0, 100), UsbSubmit.accepted, "out accepted");
      const back = new Uint8Array(512);
      expectEqual(bench.port.transfer(2, bulkIn, back, 0, 512), UsbSubmit.accepted, "in accepted");
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.bytes, 100, "bytes out");
      expectEqual(bench.client.of(2)[0]?.bytes, 100, "bytes in");
      expect(isSameBytes(back.subarray(0, 100), sent), "the data are the same");
    },
  },
  {
    name: "a read that is met by whole packets is ended by a zero-length packet",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkOut, pattern(128), 0, 128);
      await bench.settle();
      bench.port.transfer(2, bulkIn, new Uint8Array(512), 0, 512);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.bytes, 128, "bytes in");
      expectEqual(bench.client.of(2)[0]?.status, Status.ok, "status");
    },
  },
  {
    name: "offset and length choose the part of the buffer",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkOut, pattern(64), 10, 20);
      const back = new Uint8Array(64).fill(0xee);
      bench.port.transfer(2, bulkIn, back, 5, 40);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.bytes, 20, "bytes in");
      expect(isSameBytes(back.subarray(5, 25), pattern(64).subarray(10, 30)), "data at the offset");
      expect(back[4] === 0xee && back[25] === 0xee, "nothing outside was touched");
    },
  },
  {
    // USB 2.0 §5.8.3; libusb's "overflow" with buffers that are no multiple of the packet size.
    name: "a read that ends inside a packet is babble: the rest is lost, and the next read begins with the next packet",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkOut, pattern(60), 0, 60);
      await bench.settle();
      bench.port.transfer(2, bulkIn, new Uint8Array(64), 0, 20);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.status, Status.overflow, "status");
      const next = pattern(80).subarray(72);
      bench.port.transfer(3, bulkOut, next.slice(), 0, 8);
      const back = new Uint8Array(512);
      expectEqual(bench.port.transfer(4, bulkIn, back, 0, 512), UsbSubmit.accepted, "not halted");
      await bench.settle();
      expectEqual(bench.client.of(4)[0]?.bytes, 8, "bytes of the next packet");
      expect(isSameBytes(back.subarray(0, 8), next), "nothing of the first packet comes late");
    },
  },
  {
    name: "a zero-length OUT succeeds",
    run: async (bench) => {
      await configure(bench);
      expectEqual(bench.port.transfer(1, bulkOut, new Uint8Array(1), 0, 0), UsbSubmit.accepted, "accepted");
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.ok, "status");
    },
  },
  {
    name: "a read that nobody answers stays pending without a completion",
    run: async (bench) => {
      await configure(bench);
      const before = bench.client.completions.length;
      expectEqual(bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64), UsbSubmit.accepted, "accepted");
      await bench.settle();
      expectEqual(bench.client.completions.length, before, "completions");
    },
  },
  {
    name: "32 reads wait on one endpoint and complete in the order they were accepted",
    run: async (bench) => {
      await configure(bench);
      const order: number[] = [];
      bench.client.onCompleted = (slot) => order.push(slot);
      for (let slot = 1; slot <= 32; slot++) {
        expectEqual(
          bench.port.transfer(slot, bulkIn, new Uint8Array(64), 0, 64),
          UsbSubmit.accepted,
          "accepted",
        );
      }
      for (let count = 0; count < 32; count++) {
        bench.port.transfer(40, bulkOut, pattern(10, count), 0, 10);
        await bench.settle();
      }
      const reads = order.filter((slot) => slot <= 32);
      expectEqual(reads.join(), Array.from({ length: 32 }, (_, index) => index + 1).join(), "order");
    },
  },
  {
    name: "a slot can be used again inside its own completion",
    run: async (bench) => {
      await configure(bench);
      let again = 0;
      bench.client.onCompleted = (slot) => {
        if (slot === 3 && again < 5) {
          again++;
          expectEqual(
            bench.port.transfer(3, bulkOut, pattern(8), 0, 8),
            UsbSubmit.accepted,
            "accepted again",
          );
        }
      };
      bench.port.transfer(3, bulkOut, pattern(8), 0, 8);
      await bench.settle();
      expectEqual(bench.client.of(3).length, 6, "completions");
    },
  },
  {
    name: "a slot that is under way is refused",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      expectEqual(bench.port.transfer(1, bulkOut, pattern(8), 0, 8), UsbSubmit.badRequest, "same slot");
      expectEqual(
        bench.port.transfer(2, bulkIn, new Uint8Array(8), 4, 8),
        UsbSubmit.badRequest,
        "range outside the buffer",
      );
    },
  },
  {
    name: "control requests pass while a bulk read is pending",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      expectEqual(
        (await control(bench, setup(0x80, 8, 0, 0, 1), new Uint8Array(1))).status,
        Status.ok,
        "status",
      );
      expectEqual(bench.client.of(1).length, 0, "the read still waits");
    },
  },
  {
    name: "an interrupt read completes when the device has something to say",
    run: async (bench) => {
      await configure(bench);
      const buffer = new Uint8Array(8);
      bench.port.transfer(1, interruptIn, buffer, 0, 8);
      await bench.settle();
      expectEqual(bench.client.of(1).length, 0, "nothing yet");
      await control(bench, setup(0x40, 4, 0x5a, 0, 0));
      expectEqual(bench.client.of(1)[0]?.bytes, 1, "bytes");
      expectEqual(buffer[0], 0x5a, "the notice");
    },
  },
];

const endChecks: Check[] = [
  {
    name: "cancel ends a pending read with cancelled, exactly once",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      await bench.settle();
      bench.port.cancel(1);
      bench.port.cancel(1);
      await bench.settle();
      expectEqual(
        bench.client
          .of(1)
          .map((entry) => entry.status)
          .join(),
        String(Status.cancelled),
        "completions",
      );
    },
  },
  {
    name: "cancel of a free or finished slot is ignored",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkOut, pattern(8), 0, 8);
      await bench.settle();
      const before = bench.client.completions.length;
      bench.port.cancel(1);
      bench.port.cancel(9);
      await bench.settle();
      expectEqual(bench.client.completions.length, before, "completions");
    },
  },
  {
    name: "cancel in the middle of a queue leaves the others in order",
    run: async (bench) => {
      await configure(bench);
      const buffers = [1, 2, 3].map(() => new Uint8Array(64));
      for (const [index, buffer] of buffers.entries()) bench.port.transfer(index + 1, bulkIn, buffer, 0, 64);
      await bench.settle();
      bench.port.cancel(2);
      await bench.settle();
      for (const start of [10, 20]) {
        bench.port.transfer(9, bulkOut, pattern(5, start), 0, 5);
        await bench.settle();
      }
      expectEqual(bench.client.of(2)[0]?.status, Status.cancelled, "the cancelled one");
      expectEqual(buffers[0][0], 10, "first data to the first read");
      expectEqual(buffers[2][0], 20, "second data to the third read");
    },
  },
  {
    name: "what comes after a cancelled read goes to the next read, nothing is lost",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      await bench.settle();
      bench.port.cancel(1);
      await bench.settle();
      bench.port.transfer(2, bulkOut, pattern(100, 3), 0, 100);
      await bench.settle();
      const back = new Uint8Array(512);
      bench.port.transfer(3, bulkIn, back, 0, 512);
      await bench.settle();
      expectEqual(bench.client.of(3)[0]?.bytes, 100, "bytes of the next read");
      expect(isSameBytes(back.subarray(0, 100), pattern(100, 3)), "the data are the same");
    },
  },
  {
    name: "a cancelled write that the device had no room for does not reach it",
    limit: "cancelled-write",
    run: async (bench) => {
      await configure(bench);
      // The device holds 4 KiB.
      bench.port.transfer(1, bulkOut, pattern(4096), 0, 4096);
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.bytes, 4096, "bytes that fill it");
      bench.port.transfer(2, bulkOut, pattern(64, 99), 0, 64);
      await bench.settle();
      expectEqual(bench.client.of(2).length, 0, "the write waits");
      bench.port.cancel(2);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.status, Status.cancelled, "status");
      bench.port.transfer(3, bulkIn, new Uint8Array(4096), 0, 4096);
      await bench.settle();
      bench.port.transfer(4, bulkOut, pattern(10, 7), 0, 10);
      await bench.settle();
      const back = new Uint8Array(512);
      bench.port.transfer(5, bulkIn, back, 0, 512);
      await bench.settle();
      expectEqual(bench.client.of(5)[0]?.bytes, 10, "bytes that came after it");
      expect(isSameBytes(back.subarray(0, 10), pattern(10, 7)), "the data are those of the later write");
    },
  },
  {
    name: "a halted endpoint stalls, refuses, and works again after CLEAR_FEATURE",
    run: async (bench) => {
      await configure(bench);
      await control(bench, setup(0x40, 3, 0, bulkIn, 0));
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.stall, "status");
      expectEqual(
        bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64),
        UsbSubmit.halted,
        "refused while halted",
      );
      await control(bench, setup(0x02, 1, 0, bulkIn, 0));
      bench.port.clearHalt(bulkIn);
      bench.port.transfer(2, bulkOut, pattern(8), 0, 8);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      await bench.settle();
      expectEqual(bench.client.of(1)[1]?.bytes, 8, "bytes after the halt");
    },
  },
  {
    name: "SET_INTERFACE brings another setting's endpoints",
    run: async (bench) => {
      await configure(bench);
      expectEqual(
        bench.port.transfer(1, alternateIn, new Uint8Array(64), 0, 64),
        UsbSubmit.noEndpoint,
        "setting 0",
      );
      expectEqual((await control(bench, setup(0x01, 11, 1, 0, 0))).status, Status.ok, "SET_INTERFACE");
      expectEqual(
        bench.port.transfer(1, alternateIn, new Uint8Array(64), 0, 64),
        UsbSubmit.accepted,
        "setting 1",
      );
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.bytes, 64, "bytes");
    },
  },
  {
    name: "unconfiguring takes the endpoints away and ends what was pending",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      expectEqual((await control(bench, setup(0, 9, 0, 0, 0))).status, Status.ok, "SET_CONFIGURATION 0");
      expectEqual(bench.client.of(1)[0]?.status, Status.cancelled, "the pending read");
      expectEqual(
        bench.port.transfer(2, bulkIn, new Uint8Array(64), 0, 64),
        UsbSubmit.noEndpoint,
        "endpoint",
      );
    },
  },
  {
    name: "nothing completes inside a call of the port",
    run: async (bench) => {
      await configure(bench);
      bench.client.isInsideCall = true;
      bench.port.transfer(1, bulkOut, pattern(8), 0, 8);
      bench.port.transfer(2, bulkIn, new Uint8Array(64), 0, 64);
      bench.port.control(0, setup(0x80, 8, 0, 0, 1), new Uint8Array(1), 0);
      bench.port.cancel(2);
      bench.client.isInsideCall = false;
      await bench.settle();
      expectEqual(bench.client.calledInside, 0, "calls from inside");
    },
  },
  {
    name: "unplug ends everything with gone, once each, then detached once; after that all is refused",
    limit: "unplug",
    run: async (bench) => {
      expect(bench.unplug !== null, "a bench that cannot unplug says so as its limit");
      await configure(bench);
      const before = bench.client.completions.length;
      for (let slot = 1; slot <= 5; slot++) bench.port.transfer(slot, bulkIn, new Uint8Array(64), 0, 64);
      bench.port.control(0, setup(0x80, 8, 0, 0, 1), new Uint8Array(1), 0);
      bench.unplug();
      await bench.settle();
      const ended = bench.client.completions.slice(before);
      expectEqual(ended.length, 6, "completions");
      for (const { slot, status } of ended) {
        // A cable takes its time: the request may have been answered before, the reads cannot.
        const isRequest = slot === 0 && status === Status.ok;
        expect(status === Status.gone || isRequest, `slot ${slot} ended with ${status}, not with gone`);
      }
      expectEqual(bench.client.detachments, 1, "detached");
      expectEqual(bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64), UsbSubmit.gone, "transfer");
      expectEqual(
        bench.port.control(0, setup(0x80, 8, 0, 0, 1), new Uint8Array(1), 0),
        UsbSubmit.gone,
        "control",
      );
      bench.port.cancel(1);
      await bench.settle();
      expectEqual(bench.client.completions.length, before + 6, "nothing more comes");
    },
  },
  {
    name: "reset detaches: the device comes back as a new port",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(64), 0, 64);
      bench.port.reset();
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.gone, "the pending read");
      expectEqual(bench.client.detachments, 1, "detached");
    },
  },
];

const streamChecks: Check[] = [
  {
    name: "each stream's reads get that stream's data, whatever the order, and none waits for another",
    run: async (bench) => {
      await configure(bench);
      const buffers = [1, 2, 3, 16].map(() => new Uint8Array(64));
      for (const [index, stream] of [1, 2, 3, 16].entries())
        expectEqual(
          bench.port.transfer(stream, bulkIn, buffers[index], 0, 64, stream),
          UsbSubmit.accepted,
          "read accepted",
        );
      await bench.settle();
      for (const stream of [16, 1, 3]) {
        bench.port.transfer(40, bulkOut, pattern(stream, stream), 0, stream, stream);
        await bench.settle();
        expectEqual(bench.client.of(stream)[0]?.bytes, stream, `bytes of stream ${stream}`);
      }
      expectEqual(bench.client.of(2).length, 0, "completions of a stream without data");
      expect(isSameBytes(buffers[3].subarray(0, 16), pattern(16, 16)), "data of stream 16");
      expect(isSameBytes(buffers[0].subarray(0, 1), pattern(1, 1)), "data of stream 1");
    },
  },
  {
    name: "order is kept within a stream",
    run: async (bench) => {
      await configure(bench);
      const order: number[] = [];
      bench.client.onCompleted = (slot) => order.push(slot);
      const buffers = [1, 2, 3].map(() => new Uint8Array(8));
      for (const [index, buffer] of buffers.entries())
        bench.port.transfer(index + 1, bulkIn, buffer, 0, 8, 5);
      await bench.settle();
      for (const start of [10, 20, 30]) {
        bench.port.transfer(9, bulkOut, pattern(4, start), 0, 4, 5);
        await bench.settle();
      }
      expectEqual(order.filter((slot) => slot < 9).join(), "1,2,3", "order");
      expectEqual(buffers.map((buffer) => buffer[0]).join(), "10,20,30", "data");
    },
  },
  {
    name: "streams that an endpoint does not have are refused",
    run: async (bench) => {
      await configure(bench);
      const buffer = new Uint8Array(8);
      expectEqual(bench.port.transfer(1, bulkIn, buffer, 0, 8, 17), UsbSubmit.badRequest, "stream 17 of 16");
      expectEqual(
        bench.port.transfer(1, interruptIn, buffer, 0, 8, 1),
        UsbSubmit.badRequest,
        "a stream of an interrupt endpoint",
      );
      await bench.settle();
      expectEqual(bench.client.of(1).length, 0, "completions");
    },
  },
  {
    name: "cancelling a read of one stream leaves the others waiting",
    run: async (bench) => {
      await configure(bench);
      for (const stream of [1, 2]) bench.port.transfer(stream, bulkIn, new Uint8Array(8), 0, 8, stream);
      await bench.settle();
      bench.port.cancel(1);
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.cancelled, "the cancelled one");
      expectEqual(bench.client.of(2).length, 0, "completions of the other");
      bench.port.transfer(9, bulkOut, pattern(3), 0, 3, 2);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.bytes, 3, "bytes of the other");
    },
  },
  {
    name: "a halt is the endpoint's: all its streams are refused until it is cleared",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(8), 0, 8, 3);
      await bench.settle();
      await control(bench, setup(0x40, 3, 0, bulkIn, 0));
      expectEqual(bench.client.of(1)[0]?.status, Status.stall, "status");
      expectEqual(
        bench.port.transfer(2, bulkIn, new Uint8Array(8), 0, 8, 4),
        UsbSubmit.halted,
        "another stream",
      );
      await control(bench, setup(0x02, 1, 0, bulkIn, 0));
      bench.port.clearHalt(bulkIn);
      bench.port.transfer(3, bulkOut, pattern(6), 0, 6, 4);
      bench.port.transfer(2, bulkIn, new Uint8Array(8), 0, 8, 4);
      await bench.settle();
      expectEqual(bench.client.of(2)[0]?.bytes, 6, "bytes after the halt");
    },
  },
  {
    name: "SET_INTERFACE ends what streams had pending, and they can be used again",
    run: async (bench) => {
      await configure(bench);
      bench.port.transfer(1, bulkIn, new Uint8Array(8), 0, 8, 7);
      await bench.settle();
      expectEqual((await control(bench, setup(0x01, 11, 1, 0, 0))).status, Status.ok, "SET_INTERFACE");
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.cancelled, "the pending read");
      bench.port.transfer(2, bulkOut, pattern(6), 0, 6, 7);
      bench.port.transfer(1, bulkIn, new Uint8Array(8), 0, 8, 7);
      await bench.settle();
      expectEqual(bench.client.of(1)[1]?.bytes, 6, "bytes in the new setting");
    },
  },
  {
    name: "unplug ends what streams had pending with gone",
    run: async (bench) => {
      expect(bench.unplug !== null, "a bench that carries streams can unplug");
      await configure(bench);
      for (const stream of [1, 2]) bench.port.transfer(stream, bulkIn, new Uint8Array(8), 0, 8, stream);
      await bench.settle();
      bench.unplug();
      await bench.settle();
      for (const stream of [1, 2])
        expectEqual(bench.client.of(stream)[0]?.status, Status.gone, `the read of stream ${stream}`);
      expectEqual(bench.client.detachments, 1, "detached");
    },
  },
];

const isochronousIn = 0x84;
const isochronousOut = 0x04;

/** Setting 2, which has the isochronous endpoints. */
async function chooseIsochronous(bench: UsbHostBench): Promise<void> {
  await configure(bench);
  expectEqual((await control(bench, setup(0x01, 11, 2, 0, 0))).status, Status.ok, "SET_INTERFACE 2");
}

/** Sends these packets and waits until they are over. */
async function sendPackets(bench: UsbHostBench, slot: number, packets: readonly Uint8Array[]) {
  const asked = newUsbPackets(packets.map(({ length }) => length));
  const data = new Uint8Array(asked.lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const packet of packets) {
    data.set(packet, at);
    at += packet.length;
  }
  const submitted = bench.port.isochronous(slot, isochronousOut, data, 0, asked);
  expectEqual(submitted, UsbSubmit.accepted, "packets accepted");
  return asked;
}

/** What `count` intervals bring, packet by packet; those without one are left out. */
async function receivePackets(bench: UsbHostBench, slot: number, count: number): Promise<Uint8Array[]> {
  const room = 64;
  const asked = newUsbPackets(new Array<number>(count).fill(room));
  const buffer = new Uint8Array(count * room + 8);
  const before = bench.client.of(slot).length;
  const submitted = bench.port.isochronous(slot, isochronousIn, buffer, 8, asked);
  expectEqual(submitted, UsbSubmit.accepted, "room for packets accepted");
  await bench.settle();
  const result = bench.client.of(slot)[before];
  expectEqual(result?.status, Status.ok, "status of the whole");
  const found: Uint8Array[] = [];
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const bytes = asked.actualBytes[index];
    sum += bytes;
    const at = 8 + index * room;
    if (asked.statuses[index] === UsbPacketStatus.ok) found.push(buffer.slice(at, at + bytes));
    else expectEqual(bytes, 0, `bytes of packet ${index}, which was missed`);
  }
  expectEqual(result?.bytes, sum, "bytes of the whole");
  return found;
}

const isochronousChecks: Check[] = [
  {
    // USB 2.0 §5.6: what the device loops back is one packet for each that it was sent.
    name: "isochronous packets go round one by one, each with its own length and status",
    run: async (bench) => {
      await chooseIsochronous(bench);
      const sent = [pattern(10), pattern(64, 3), pattern(1, 9)];
      const asked = await sendPackets(bench, 1, sent);
      await bench.settle();
      expectEqual(bench.client.of(1)[0]?.status, Status.ok, "status");
      expectEqual(bench.client.of(1)[0]?.bytes, 75, "bytes of all");
      expectEqual([...asked.statuses].join(), "0,0,0", "packet statuses");
      const found = (await receivePackets(bench, 2, 8)).filter(({ length }) => length > 0);
      expectEqual(found.length, 3, "packets that came back");
      for (const [index, packet] of sent.entries())
        expect(isSameBytes(found[index], packet), `data of packet ${index}`);
    },
  },
  {
    name: "isochronous transfers follow each other without a gap, in the order they were accepted",
    run: async (bench) => {
      await chooseIsochronous(bench);
      for (const slot of [1, 2, 3])
        await sendPackets(
          bench,
          slot,
          [0, 1, 2, 3].map((index) => pattern(5, slot * 40 + index)),
        );
      await bench.settle();
      expectEqual(
        bench.client.completions
          .filter(({ slot }) => slot > 0)
          .map(({ slot }) => slot)
          .join(),
        "1,2,3",
        "order",
      );
      const found = (await receivePackets(bench, 4, 20)).filter(({ length }) => length > 0);
      expectEqual(
        found.map((packet) => packet[0]).join(),
        "40,41,42,43,80,81,82,83,120,121,122,123",
        "packets",
      );
    },
  },
  {
    name: "an interval in which the device has nothing is a packet that was missed, not an error of the transfer",
    run: async (bench) => {
      await chooseIsochronous(bench);
      const found = (await receivePackets(bench, 1, 4)).filter(({ length }) => length > 0);
      expectEqual(found.length, 0, "packets");
    },
  },
  {
    name: "packets that cannot be are refused: too long, none at all, past the buffer, on another kind of endpoint",
    run: async (bench) => {
      await chooseIsochronous(bench);
      const { port } = bench;
      const ask = (endpoint: number, lengths: number[], room = 256) =>
        port.isochronous(1, endpoint, new Uint8Array(room), 0, newUsbPackets(lengths));
      expectEqual(ask(isochronousOut, [64, 65]), UsbSubmit.badRequest, "longer than the endpoint allows");
      expectEqual(ask(isochronousOut, []), UsbSubmit.badRequest, "no packets");
      expectEqual(ask(isochronousIn, [64, 64, 64], 100), UsbSubmit.badRequest, "past the buffer");
      expectEqual(ask(bulkIn, [64]), UsbSubmit.noEndpoint, "a bulk endpoint");
      expectEqual(
        port.transfer(1, isochronousIn, new Uint8Array(64), 0, 64),
        UsbSubmit.noEndpoint,
        "a transfer without packets",
      );
      await bench.settle();
      expectEqual(bench.client.of(1).length, 0, "completions");
    },
  },
  {
    name: "a cancelled isochronous transfer ends once; what it has not moved was missed",
    limit: "cancelled-packets",
    run: async (bench) => {
      await chooseIsochronous(bench);
      const asked = newUsbPackets(new Array<number>(1000).fill(64));
      bench.port.isochronous(1, isochronousIn, new Uint8Array(64_000), 0, asked);
      bench.port.cancel(1);
      await bench.settle();
      expectEqual(bench.client.of(1).length, 1, "completions");
      expectEqual(bench.client.of(1)[0]?.status, Status.cancelled, "status");
      expectEqual(asked.statuses[999], UsbPacketStatus.missed, "the last packet");
      await sendPackets(bench, 2, [pattern(7)]);
      await bench.settle();
      const found = (await receivePackets(bench, 3, 6)).filter(({ length }) => length > 0);
      expectEqual(found.length, 1, "packets of the next one");
    },
  },
  {
    name: "another setting ends what isochronous endpoints had pending",
    run: async (bench) => {
      await chooseIsochronous(bench);
      const asked = newUsbPackets(new Array<number>(1000).fill(64));
      bench.port.isochronous(1, isochronousIn, new Uint8Array(64_000), 0, asked);
      expectEqual((await control(bench, setup(0x01, 11, 0, 0, 0))).status, Status.ok, "SET_INTERFACE 0");
      await bench.settle();
      expectEqual(bench.client.of(1).length, 1, "completions");
      expectEqual(
        bench.port.isochronous(1, isochronousIn, new Uint8Array(64), 0, newUsbPackets([64])),
        UsbSubmit.noEndpoint,
        "the endpoint afterwards",
      );
    },
  },
];

/** Every implementation runs all of it, in CI and on a desk (`drydock check-transport`). */
export const usbHostContract: readonly Check[] = [
  ...controlChecks,
  ...dataChecks,
  ...endChecks,
  ...isochronousChecks.map((check): Check => ({ limit: "isochronous", ...check })),
  ...streamChecks.map((check): Check => ({ ...check, limit: "streams", variant: "streams" })),
];

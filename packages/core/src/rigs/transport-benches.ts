// Benches on which a transport's contract list runs, by the name people give to `drydock check-transport`.

import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import { withUsbFaults } from "../faults/usb-faults.ts";
import { UsbipServer } from "../outlets/usbip/usbip-server.ts";
import type { ByteStream } from "../ports/byte-stream.ts";
import { type ContractResult, runContract } from "../ports/contract.ts";
import { memoryStreamPair } from "../ports/memory-stream.ts";
import { RecordingClient, type UsbHostBench, usbHostContract } from "../ports/usb-host.contract.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { webUsbBench } from "./web-usb-bench.ts";

type Wrap = (port: UsbHostPort, clock: VirtualClock) => UsbHostPort;

function simBench(seed: number, timing: "bus" | "none", wrap: Wrap): UsbHostBench {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(seed), timing });
  const client = new RecordingClient();
  let port: UsbHostPort | null = null;
  bus.onAttach((plain) => {
    // A port that comes back after a reset is not this bench's.
    if (port !== null) return;
    port = wrap(plain, clock);
    port.connect(client);
  });
  const connector = bus.plugIn(new LoopbackDevice());
  clock.runUntil();
  return {
    port: port as unknown as UsbHostPort,
    client,
    settle: async () => clock.runUntil(),
    unplug: () => bus.unplug(connector),
  };
}

/** What lies between our USB/IP client and our server. */
export interface UsbipWire {
  /** A connection to `server`, as the client has it. */
  connect(server: UsbipServer, clock: VirtualClock): ByteStream;
  /** Runs the clock, and the wire, until nothing more happens by itself. */
  settle(clock: VirtualClock): Promise<void>;
}

/** The loopback device behind our USB/IP server, imported by our client. */
export async function usbipBench(seed: number, wire: UsbipWire): Promise<UsbHostBench> {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(seed).fork("bus") });
  const server = new UsbipServer();
  bus.onAttach((port) => server.attach(port));
  const connector = bus.plugIn(new LoopbackDevice());
  clock.runUntil();
  const client = new RecordingClient();
  let port: UsbHostPort | null = null;
  new UsbipImporter({
    clock,
    busId: "1-1",
    connect: () => wire.connect(server, clock),
    onAttach: (attached) => {
      port = attached;
      attached.connect(client);
    },
  });
  await wire.settle(clock);
  return {
    port: port as unknown as UsbHostPort,
    client,
    settle: () => wire.settle(clock),
    unplug: () => bus.unplug(connector),
  };
}

/** A stream in memory that cuts bytes anywhere. */
function memoryWire(seed: number): UsbipWire {
  const random = new Random(seed).fork("network");
  return {
    connect: (server, clock) => {
      const [near, far] = memoryStreamPair({ clock, random, latencyNs: 50_000 });
      server.accept(far);
      return near;
    },
    settle: async (clock) => clock.runUntil(),
  };
}

const plain: Wrap = (port) => port;
const traced: Wrap = (port, clock) => withUsbTrace(port, { clock, log: new UsbTraceLog(), deviceAddress: 1 });
const faultless: Wrap = (port, clock) => withUsbFaults(port, { rules: [] }, { clock, random: new Random(0) });

type MakeBench = (seed: number, turn: HostTurn) => UsbHostBench | Promise<UsbHostBench>;

const benches: Readonly<Record<string, MakeBench>> = {
  sim: (seed) => simBench(seed, "bus", plain),
  "sim-untimed": (seed) => simBench(seed, "none", plain),
  "sim-traced": (seed) => simBench(seed, "bus", traced),
  "sim-faultless": (seed) => simBench(seed, "bus", faultless),
  usbip: (seed) => usbipBench(seed, memoryWire(seed)),
  webusb: webUsbBench,
  "sim-wrapped": (seed) => simBench(seed, "bus", (port, clock) => traced(faultless(port, clock), clock)),
};

export const transportNames: readonly string[] = Object.keys(benches);

/** Runs the USB host contract on a transport. `turn` is the host's. RangeError for an unknown name. */
export function checkTransport(name: string, seed: number, turn: HostTurn): Promise<ContractResult[]> {
  const make = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (make === undefined)
    throw new RangeError(`no transport "${name}"; there are: ${transportNames.join(", ")}`);
  return runContract(usbHostContract, async () => make(seed, turn));
}

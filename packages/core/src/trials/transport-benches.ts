// Benches on which a transport's contract list runs, by the name people give to `drydock check-transport`.

import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { parsePolicy } from "../codec/usb-policy/usb-policy.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import { withUsbFaults } from "../faults/usb-faults.ts";
import { UsbipServer } from "../outlets/usbip/usbip-server.ts";
import { UsbredirOutlet } from "../outlets/usbredir/usbredir-outlet.ts";
import { UsbPolicyEngine } from "../platform/usb-policy.ts";
import type { ByteStream } from "../ports/byte-stream.ts";
import { type ContractResult, runContract } from "../ports/contract.ts";
import { RecordingClient, type UsbHostBench, usbHostContract } from "../ports/usb-host.contract.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { memoryStreamPair } from "../rigs/memory-stream.ts";
import { SimXhci } from "../rigs/over-xhci.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { withUsbPolicy } from "../runtime/usb-policy-gate.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { UsbredirImporter } from "../transports/usbredir/usbredir-importer.ts";
import { webUsbBench } from "./web-usb-bench.ts";

type Wrap = (port: UsbHostPort, clock: VirtualClock) => UsbHostPort;

/** The device of a check's variant. */
function deviceFor(variant: string | undefined): LoopbackDevice {
  return new LoopbackDevice(undefined, variant === "streams" ? UsbSpeed.super : UsbSpeed.full);
}

function simBench(
  seed: number,
  timing: "bus" | "none",
  wrap: Wrap,
  variant: string | undefined,
): UsbHostBench {
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
  const connector = bus.plugIn(deviceFor(variant));
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
    limits: { streams: "USB/IP carries no stream numbers" },
  };
}

/** The loopback device behind our usbredir outlet, taken by our transport, over a stream that cuts bytes anywhere. */
function usbredirBench(seed: number, variant: string | undefined): UsbHostBench {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const bus = new SimUsbBus({ clock, random: random.fork("bus") });
  const outlet = new UsbredirOutlet({ clock });
  bus.onAttach((port) => outlet.attach(port));
  const connector = bus.plugIn(deviceFor(variant));
  clock.runUntil();
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  new UsbredirImporter({
    clock,
    connect: () => {
      const [near, far] = memoryStreamPair({ clock, random: random.fork("network"), latencyNs: 50_000 });
      outlet.accept(far);
      return near;
    },
    onAttach: (attached) => {
      // A port that comes back after a reset is not this bench's.
      if (ports.length === 0) attached.connect(client);
      ports.push(attached);
    },
  });
  clock.runUntil();
  return {
    port: ports[0],
    client,
    settle: async () => clock.runUntil(),
    unplug: () => bus.unplug(connector),
  };
}

/** The loopback device behind our model of an xHCI controller, driven by our transport. */
function xhciBench(seed: number, variant: string | undefined): UsbHostBench {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const bus = new SimUsbBus({ clock, random: random.fork("bus") });
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  const xhci = new SimXhci({
    clock,
    random,
    onAttach: (attached) => {
      // A port that comes back after a reset is not this bench's.
      if (ports.length === 0) attached.connect(client);
      ports.push(attached);
    },
  });
  bus.onAttach((port) => xhci.attach(port));
  const connector = bus.plugIn(deviceFor(variant));
  clock.runUntil();
  return {
    port: ports[0],
    client,
    settle: async () => clock.runUntil(),
    unplug: () => bus.unplug(connector),
  };
}

/** A stream in memory that cuts bytes anywhere. */
export function memoryWire(seed: number): UsbipWire {
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
/** A policy that allows everything. */
const guarded: Wrap = (port, clock) =>
  withUsbPolicy(port, {
    clock,
    engine: new UsbPolicyEngine(parsePolicy("#: implicit-target allow\n")),
    moment: "before-drivers",
  }).port;

type MakeBench = (
  seed: number,
  turn: HostTurn,
  variant: string | undefined,
) => UsbHostBench | Promise<UsbHostBench>;

const benches: Readonly<Record<string, MakeBench>> = {
  sim: (seed, _turn, variant) => simBench(seed, "bus", plain, variant),
  "sim-untimed": (seed, _turn, variant) => simBench(seed, "none", plain, variant),
  "sim-traced": (seed, _turn, variant) => simBench(seed, "bus", traced, variant),
  "sim-faultless": (seed, _turn, variant) => simBench(seed, "bus", faultless, variant),
  "sim-guarded": (seed, _turn, variant) => simBench(seed, "bus", guarded, variant),
  usbip: (seed) => usbipBench(seed, memoryWire(seed)),
  usbredir: (seed, _turn, variant) => usbredirBench(seed, variant),
  xhci: (seed, _turn, variant) => xhciBench(seed, variant),
  webusb: webUsbBench,
  "sim-wrapped": (seed, _turn, variant) =>
    simBench(seed, "bus", (port, clock) => traced(faultless(port, clock), clock), variant),
};

export const transportNames: readonly string[] = Object.keys(benches);

/** Runs the USB host contract on a transport. `turn` is the host's. RangeError for an unknown name. */
export function checkTransport(name: string, seed: number, turn: HostTurn): Promise<ContractResult[]> {
  const make = Object.hasOwn(benches, name) ? benches[name] : undefined;
  if (make === undefined)
    throw new RangeError(`no transport "${name}"; there are: ${transportNames.join(", ")}`);
  return runContract(usbHostContract, async (variant) => make(seed, turn, variant));
}

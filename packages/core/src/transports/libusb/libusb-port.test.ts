// The libusb transport over a small libusb on the simulated bus: the whole contract, claims, errors, leaving.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { LoopbackDevice } from "../../devices/loopback/loopback-device.ts";
import { namesLimitedBy, runContract } from "../../ports/contract.ts";
import { RecordingClient, type UsbHostBench, usbHostContract } from "../../ports/usb-host.contract.ts";
import { type UsbHostPort, UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import { SimUsbBus } from "../sim/usb-bus.ts";
import { statusOfError, statusOfTransfer, submitOfError } from "./libusb-codes.ts";
import { LibusbError } from "./libusb-device.ts";
import { LibusbImporter } from "./libusb-importer.ts";
import { libusbLimits } from "./libusb-port.ts";
import { SimLibusbDevice } from "./test/sim-libusb.ts";

interface Desk extends UsbHostBench {
  readonly device: SimLibusbDevice;
  readonly importer: LibusbImporter;
  readonly ports: readonly UsbHostPort[];
  readonly problems: readonly string[];
  ends(): number;
}

interface Plan {
  readonly seed?: number;
  readonly driverOn?: readonly number[];
  readonly prepare?: (device: SimLibusbDevice) => void;
}

async function desk({ seed = 1, driverOn = [], prepare }: Plan = {}): Promise<Desk> {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(seed) });
  const device = new SimLibusbDevice(clock, driverOn);
  bus.onAttach((port) => device.attach(port));
  const connector = bus.plugIn(new LoopbackDevice());
  const settle = async (): Promise<void> => {
    do {
      clock.runUntil();
      await hostTurn();
    } while (clock.pending > 0);
  };
  await settle();
  prepare?.(device);
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  const problems: string[] = [];
  let ends = 0;
  const importer = new LibusbImporter({
    clock,
    device,
    onAttach: (port) => {
      // A port that comes back after a reset is not this bench's.
      if (ports.length === 0) port.connect(client);
      ports.push(port);
    },
    onProblem: (reason) => problems.push(reason),
    onEnd: () => {
      ends++;
    },
  });
  const unplug = (): void => bus.unplug(connector);
  return {
    ...{ port: ports[0], client, settle, unplug, limits: libusbLimits },
    ...{ device, importer, ports, problems, ends: () => ends },
  };
}

const getConfiguration = Uint8Array.of(0x80, 6, 0, 2, 0, 0, 255, 0);
const setConfiguration = (value: number) => Uint8Array.of(0, 9, value, 0, 0, 0, 0, 0);

async function configure({ port, settle }: Desk): Promise<void> {
  port.control(0, getConfiguration, new Uint8Array(255), 0);
  await settle();
  port.control(0, setConfiguration(1), null, 0);
  await settle();
}

for (const seed of [1, 2, 3]) {
  for (const driverOn of [[], [0]]) {
    test(`libusb, seed ${seed}, ${driverOn.length} drivers of the system: the USB host contract`, async () => {
      const results = await runContract(usbHostContract, () => desk({ seed, driverOn }));
      assert.deepEqual(
        results.filter(({ problem }) => problem !== null),
        [],
      );
      assert.deepEqual(
        results.filter(({ limited }) => limited !== null).map(({ name }) => name),
        namesLimitedBy(usbHostContract, "cancelled-packets", "isochronous", "streams"),
      );
    });
  }
}

test("SET_CONFIGURATION sends the system's driver away and claims; giving back lets it return", async () => {
  const bench = await desk({ driverOn: [0] });
  await configure(bench);
  assert.deepEqual(bench.device.calls, ["detach 0", "configuration 1", "claim 0"]);
  bench.port.transfer(3, 0x81, new Uint8Array(64), 0, 64);
  bench.importer.stop();
  await bench.settle();
  assert.deepEqual(bench.device.calls.slice(3), ["release 0", "attach 0", "close"]);
  assert.deepEqual(bench.client.of(3), [{ slot: 3, status: UsbStatus.gone, bytes: 0 }]);
  assert.deepEqual([bench.client.detachments, bench.ends()], [1, 1]);
});

test("a configuration that nobody read through the port is read by it", async () => {
  const bench = await desk();
  bench.port.control(0, setConfiguration(1), null, 0);
  await bench.settle();
  assert.equal(bench.port.transfer(1, 0x01, new Uint8Array(8), 0, 8), UsbSubmit.accepted);
  await bench.settle();
  assert.equal(bench.client.of(1)[0].status, UsbStatus.ok);
});

test("an interface that somebody else has is not there, and that is said", async () => {
  const bench = await desk({ prepare: (device) => device.taken.add(0) });
  await configure(bench);
  assert.equal(bench.port.transfer(1, 0x81, new Uint8Array(64), 0, 64), UsbSubmit.noEndpoint);
  assert.match(bench.problems[0], /interface 0 cannot be claimed \(LIBUSB_ERROR_BUSY\)/);
});

test("a configuration that the device refuses is a stall", async () => {
  const bench = await desk();
  bench.port.control(0, setConfiguration(7), null, 0);
  await bench.settle();
  assert.deepEqual(bench.client.of(0), [{ slot: 0, status: UsbStatus.stall, bytes: 0 }]);
});

test("a device that may not be opened says what allows it", async () => {
  const bench = await desk({
    prepare: (device) => {
      device.openError = LibusbError.access;
    },
  });
  assert.equal(bench.ports.length, 0);
  assert.match(bench.problems[0], /LIBUSB_ERROR_ACCESS.*udev rule.*"1209".*"0002"/);
});

test("after a reset there is a new port that works, and the old one is over", async () => {
  const bench = await desk({ driverOn: [0] });
  await configure(bench);
  bench.port.reset();
  await bench.settle();
  assert.equal(bench.ports.length, 2);
  assert.equal(bench.port.transfer(1, 0x81, new Uint8Array(64), 0, 64), UsbSubmit.gone);
  const client = new RecordingClient();
  bench.ports[1].connect(client);
  bench.ports[1].control(0, setConfiguration(1), null, 0);
  await bench.settle();
  bench.ports[1].transfer(1, 0x01, new Uint8Array(8), 0, 8);
  bench.ports[1].transfer(2, 0x81, new Uint8Array(64), 0, 64);
  await bench.settle();
  assert.deepEqual(client.of(2), [{ slot: 2, status: UsbStatus.ok, bytes: 8 }]);
});

test("a cable pulled in the middle of a change ends everything once", async () => {
  const bench = await desk();
  await configure(bench);
  bench.port.transfer(1, 0x81, new Uint8Array(64), 0, 64);
  bench.port.control(0, setConfiguration(0), null, 0);
  bench.port.control(2, getConfiguration, new Uint8Array(255), 0);
  bench.port.transfer(3, 0x82, new Uint8Array(8), 0, 8);
  bench.unplug?.();
  await bench.settle();
  const ended = bench.client.completions.slice(2).map(({ slot }) => slot);
  assert.deepEqual(ended.sort(), [0, 1, 2, 3]);
  assert.deepEqual([bench.client.detachments, bench.ends(), bench.device.isOpen], [1, 1, false]);
});

test("libusb's codes become the port's", () => {
  const transfer = [0, 1, 2, 3, 4, 5, 6].map(statusOfTransfer);
  const { ok, protocolError, cancelled, stall, gone, overflow } = UsbStatus;
  assert.deepEqual(transfer, [ok, protocolError, protocolError, cancelled, stall, gone, overflow]);
  const refusals = [0, -4, -5, -6, -11, -1, -2].map(submitOfError);
  const { accepted, noEndpoint, busy, badRequest } = UsbSubmit;
  assert.deepEqual(refusals, [accepted, UsbSubmit.gone, noEndpoint, busy, busy, badRequest, badRequest]);
  assert.deepEqual([0, -4, -9, -5, -99, -6, -1].map(statusOfError), [
    ...[ok, gone, stall, stall, stall, protocolError, protocolError],
  ]);
});

// The npm package's objects as the transport's device: a stand-in for the package, with its habits, on the sim bus.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { namesLimitedBy, runContract } from "@drydock/core/ports/contract";
import type { UsbHostPort } from "@drydock/core/ports/usb-host";
import { RecordingClient, type UsbHostBench, usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { LibusbError } from "@drydock/core/transports/libusb/libusb-device";
import { LibusbImporter } from "@drydock/core/transports/libusb/libusb-importer";
import { libusbLimits } from "@drydock/core/transports/libusb/libusb-port";
import { SimLibusbDevice } from "@drydock/core/transports/libusb/test/sim-libusb";
import { SimUsbBus } from "@drydock/core/transports/sim/usb-bus";
import { hostTurn } from "@drydock/node/host-turn";
import { Libusb, type PackageDevice, type UsbPackage } from "@drydock/node/libusb";

type Listener = (device: PackageDevice) => void;

/** As the package does it: throws an error that carries libusb's number. */
function check(code: number): void {
  if (code !== LibusbError.success) throw numbered(code);
}

function numbered(code: number): Error {
  return Object.assign(new Error(`code ${code}`), { errno: code });
}

/** One device behind the package's Device and Transfer. */
class FakePackage implements UsbPackage {
  readonly INIT_ERROR = 0;
  readonly Transfer: UsbPackage["Transfer"];
  readonly listeners = new Set<Listener>();
  readonly device: PackageDevice;
  /** Of Transfer objects. */
  made = 0;
  readonly #ends = new Map<number, (status: number, actual: number) => void>();

  constructor(sim: SimLibusbDevice, deviceClass = 0xff) {
    const self = this;
    let nextSlot = 0;
    const answer = (done: (error?: Error) => void) => (code: number) =>
      code === LibusbError.success ? done() : done(numbered(code));
    const interfaceOf = (packetBytes: number) => [
      { bInterfaceNumber: 0, endpoints: [{ bmAttributes: 2, wMaxPacketSize: packetBytes }] },
    ];
    this.device = {
      // No such bus on any desk: what Linux says of a real one is not asked.
      busNumber: 250,
      deviceAddress: 9,
      portNumbers: [2, 1],
      deviceDescriptor: { idVendor: 0x1209, idProduct: 2, bDeviceClass: deviceClass },
      get configDescriptor() {
        return sim.interfaceNumbers().length === 0 ? undefined : { interfaces: [interfaceOf(64)] };
      },
      allConfigDescriptors: [{ interfaces: [interfaceOf(512)] }],
      open: () =>
        check(
          sim.open({
            completed: (slot, status, actual) => self.#ends.get(slot)?.(status, actual),
            left: () => self.leave(),
          }),
        ),
      close: () => sim.close(),
      reset: (done) => sim.reset(answer(done)),
      __setConfiguration: (value, done) => sim.setConfiguration(value, answer(done)),
      __setInterface: (number, alternate, done) => sim.setInterface(number, alternate, answer(done)),
      __clearHalt: (endpoint, done) => sim.clearHalt(endpoint, answer(done)),
      __claimInterface: (number) => check(sim.claimInterface(number)),
      __releaseInterface: (number, done) => sim.releaseInterface(number, answer(done)),
      __isKernelDriverActive: (number) => sim.isKernelDriverActive(number),
      __detachKernelDriver: (number) => check(sim.detachKernelDriver(number)),
      __attachKernelDriver: (number) => check(sim.attachKernelDriver(number)),
    };
    this.Transfer = class {
      readonly #slot = nextSlot++;
      readonly #endpoint: number;
      readonly #type: number;
      readonly #callback: (error: Error | undefined, buffer: Buffer, actual: number) => void;
      #isActive = false;

      constructor(
        _device: never,
        endpoint: number,
        type: number,
        timeoutMs: number,
        callback: (error: Error | undefined, buffer: Buffer, actual: number) => void,
      ) {
        assert.equal(timeoutMs, 0, "no time limit");
        self.made++;
        this.#endpoint = endpoint;
        this.#type = type;
        this.#callback = callback;
      }

      submit(buffer: Buffer): void {
        if (this.#isActive) throw new Error("Transfer is already active");
        assert.ok(Buffer.isBuffer(buffer));
        // Stays so when libusb refuses.
        this.#isActive = true;
        check(sim.submit(this.#slot, this.#endpoint, this.#type, buffer));
        self.#ends.set(this.#slot, (status, actual) => {
          self.#ends.delete(this.#slot);
          this.#isActive = false;
          this.#callback(status === 0 ? undefined : numbered(status), buffer, actual);
        });
      }

      cancel(): boolean {
        sim.cancel(this.#slot);
        return this.#isActive;
      }
    };
  }

  getDeviceList(): PackageDevice[] {
    return [this.device];
  }

  on(event: "attach" | "detach", listener: Listener): void {
    assert.equal(event, "detach");
    this.listeners.add(listener);
  }

  off(_event: "attach" | "detach", listener: Listener): void {
    this.listeners.delete(listener);
  }

  leave(device = this.device): void {
    for (const listener of [...this.listeners]) listener(device);
  }
}

interface Bench extends UsbHostBench {
  readonly sim: SimLibusbDevice;
  readonly usb: FakePackage;
  readonly importer: LibusbImporter;
}

async function bench(): Promise<Bench> {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(1) });
  const sim = new SimLibusbDevice(clock, [0]);
  bus.onAttach((port) => sim.attach(port));
  const connector = bus.plugIn(new LoopbackDevice());
  const settle = async (): Promise<void> => {
    do {
      clock.runUntil();
      await hostTurn();
    } while (clock.pending > 0);
  };
  await settle();
  const usb = new FakePackage(sim);
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  const importer = new LibusbImporter({
    clock,
    device: new Libusb(usb).devices()[0],
    onAttach: (port) => {
      if (ports.length === 0) port.connect(client);
      ports.push(port);
    },
  });
  return {
    port: ports[0],
    client,
    settle,
    unplug: () => bus.unplug(connector),
    limits: libusbLimits,
    sim,
    usb,
    importer,
  };
}

test("the USB host contract through the package's objects", async () => {
  const results = await runContract(usbHostContract, bench);
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
  assert.deepEqual(
    results.filter(({ limited }) => limited !== null).map(({ name }) => name),
    namesLimitedBy(usbHostContract, "cancelled-packets", "isochronous", "streams"),
  );
});

test("Transfer objects are used again, and given up where libusb refused one", async () => {
  const { settle, usb, importer, sim } = await bench();
  importer.stop();
  await settle();
  const [device] = new Libusb(usb).devices();
  const told: number[][] = [];
  device.open({ completed: (...what) => told.push(what), left: () => {} });
  device.detachKernelDriver(0);
  assert.equal(device.submit(7, 0x01, 2, new Uint8Array(8)), LibusbError.notFound, "nothing is claimed");
  assert.equal(device.claimInterface(0), LibusbError.success);
  const before = usb.made;
  for (let count = 0; count < 5; count++) {
    assert.equal(device.submit(7, 0x01, 2, new Uint8Array(8)), LibusbError.success);
    await settle();
  }
  assert.equal(usb.made, before + 1);
  assert.deepEqual(told, new Array(5).fill([7, 0, 8]));
  assert.equal(sim.isOpen, true);
});

test("only its own departure ends a device, and a closed one listens no more", async () => {
  const { port, settle, usb, client, importer } = await bench();
  usb.leave({ ...usb.device });
  await settle();
  assert.equal(client.detachments, 0);
  importer.stop();
  await settle();
  assert.deepEqual([client.detachments, usb.listeners.size], [1, 0]);
  assert.equal(port.transfer(1, 0x81, new Uint8Array(8), 0, 8), 1);
});

test("a device says its place, and a speed that its packets allow where nobody tells it", async () => {
  const { usb } = await bench();
  const [device] = new Libusb(usb).devices();
  assert.deepEqual([device.busNumber, device.portNumbers, device.speed], [250, [2, 1], UsbSpeed.high]);
  assert.equal(device.forbidden, null);
});

test("hubs are left out", () => {
  const clock = new VirtualClock();
  assert.deepEqual(new Libusb(new FakePackage(new SimLibusbDevice(clock), 9)).devices(), []);
});

test("the real package loads, and says why it has no devices when it has none", async () => {
  const libusb = await Libusb.load();
  assert.ok(Array.isArray(libusb.devices()));
  assert.match(libusb.whyNone, /no USB/);
});

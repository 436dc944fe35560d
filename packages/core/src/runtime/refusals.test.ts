// What the machine declines and knows the reason of stands in the log, with the driver's name and its own words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOReturns } from "../base/io-return.ts";
import { FtdiDevice } from "../devices/ftdi/ftdi-device.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { Properties } from "../platform/properties.ts";
import { defaultSerialRig } from "../rigs/serial-rig.ts";
import { openSerialSession } from "../rigs/serial-session.ts";
import { UsbRig } from "../rigs/usb-rig.ts";
import { Machine } from "./machine.ts";
import { IOService } from "./service.ts";
import { QuietDriver, resourceBundle, startDriver } from "./test/resource-driver.ts";
import { IOUserClient } from "./user-client.ts";

function said(machine: Machine): string {
  return machine.log
    .show()
    .map((row) => `${row.process}: ${row.message}`)
    .join("\n");
}

// developer.apple.com/forums, threads on dexts that match and never start: "init returned false" is seen nowhere.
test("an init that answers false", async () => {
  class Declines extends IOService {
    override init(): boolean {
      return false;
    }
  }
  const { machine } = await startDriver(Declines);
  assert.match(said(machine), /drydock: Declines .* does not run on Root\/.*: Declines::init returned false/);
});

// A slip in a constructor or in init is the first that a beginner makes: it is the dext that ends, not the machine.
test("a constructor or an init that throws", async () => {
  class Throws extends IOService {
    readonly #size = this.#measure();
    #measure(): number {
      throw new TypeError("no such property: length");
    }
    get size(): number {
      return this.#size;
    }
  }
  class InitThrows extends IOService {
    override init(): boolean {
      throw new RangeError("nothing to count");
    }
  }
  for (const driver of [Throws, InitThrows]) {
    const { machine } = await startDriver(driver);
    assert.equal(machine.failure, null);
    assert.ok(machine.crashes.length > 0);
    assert.match(
      said(machine),
      new RegExp(`${driver.name} .*does not run on .*init threw (no such|nothing)`),
    );
  }
});

test("a driver that is installed and not approved, once for each nub", async () => {
  const machine = new Machine({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  machine.install(resourceBundle(QuietDriver), { enabled: false });
  machine.loading.matchAll();
  await machine.run();
  assert.equal(said(machine).match(/the driver is not approved/g)?.length, 1);
});

test("a personality without IOUserClass", async () => {
  const { machine } = await startDriver(QuietDriver, { personality: { IOUserClass: 5 } });
  assert.match(said(machine), /personality Test of .*: the personality has no IOUserClass/);
});

/** What a machine with the loopback device says of a driver with this personality, and how often. */
async function saidOfPersonality(personality: Properties): Promise<string> {
  class Meter extends QuietDriver {}
  const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  rig.machine.install({
    identifier: "org.example.meter",
    version: "1",
    teamIdentifier: "EXAMPLE",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x1209 }],
    },
    personalities: { Meter: { IOUserClass: "Meter", ...personality } },
    classes: { Meter },
  });
  rig.bus.plugIn(new LoopbackDevice());
  await rig.run(3e9);
  await rig.run(6e9);
  return said(rig.machine);
}

// Apple's forums: a dext that matches nothing says nothing, and `ioreg` does not either. The classes are IOKit's, case and all.
test("a provider class that does not exist, with the one that is meant", async () => {
  const text = await saidOfPersonality({
    IOProviderClass: "IOUSBHostInterfce",
    idVendor: 0x1209,
    idProduct: 2,
  });
  assert.equal(
    text.match(/Meter of org.example.meter matches nothing: there is no provider class/g)?.length,
    1,
  );
  assert.match(text, /no provider class IOUSBHostInterfce; IOUSBHostInterface is meant, perhaps/);
  assert.match(await saidOfPersonality({ idVendor: 0x1209 }), /Meter .*it names no IOProviderClass/);
  assert.match(
    await saidOfPersonality({ IOProviderClass: "IOUSBDevice", idVendor: 0x1209, idProduct: 2 }),
    /no provider class IOUSBDevice/,
  );
});

// TN on USB matching (posts.md, P04): only the listed sets of keys are legal, and a number is no text.
test("keys that are no legal set, of another type, or of another device", async () => {
  const provider = { IOProviderClass: "IOUSBHostInterface" };
  const place = { bInterfaceNumber: 0, bConfigurationValue: 1 };
  assert.match(
    await saidOfPersonality({ ...provider, idVendor: 0x1209, idProduct: 2 }),
    /does not match Root.*idVendor \+ idProduct is no legal key combination for an IOUSBHostInterface/,
  );
  assert.match(
    await saidOfPersonality({ ...provider, ...place, idVendor: "4617", idProduct: 2 }),
    /does not match .*a string never equals a number/,
  );
  const other = await saidOfPersonality({ ...provider, ...place, idVendor: 0x1209, idProduct: 9 });
  assert.equal(other.match(/does not match .*idProduct is 2 .*wanted 9/g)?.length, 1);
  assert.doesNotMatch(
    await saidOfPersonality({ ...provider, ...place, idVendor: 0x1209, idProduct: 2 }),
    /match/,
  );
});

// posts.md P20: NewUserClient with a class name that the bundle does not have answers kIOReturnUnsupported and no word.
test("a user client's class that is misspelt, and what the application was told", async () => {
  class Serving extends QuietDriver {
    override async newUserClient(): Promise<IOUserClient> {
      return this.create(this, "UserClientProperties") as IOUserClient;
    }
  }
  const { machine, service } = await startDriver(Serving, {
    personality: { UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "SrvingClient" } },
    classes: { ServingClient: IOUserClient },
  });
  const app = machine.launchApplication({ name: "Probe" });
  await assert.rejects(
    machine.perform(() => machine.openUserClient(app, service), app),
    /IOServiceOpen/,
  );
  assert.match(
    said(machine),
    /Serving: IOService.create failed .*no class SrvingClient .*: Serving, ServingClient/,
  );
  assert.match(
    said(machine),
    /Probe: IOServiceOpen .*NewUserClient refused: IOService.create: UserClientProperties/,
  );
});

// driverkit-core.md §4.3: no timeout; a driver that never calls super.stop keeps its provider, and nobody says so.
test("super.stop forgotten, when nothing moves any more", async () => {
  class Clings extends QuietDriver {
    override async stop(): Promise<void> {}
  }
  const machine = new Machine({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  machine.install(resourceBundle(Clings, { IOProviderClass: "TestNub", IOResourceMatch: "" }));
  const nub = machine.publish({ kernelClass: "TestNub" }, (context) => new IOService(context));
  nub.registerService();
  await machine.run();
  assert.doesNotMatch(said(machine), /super/);
  machine.terminate(nub);
  await machine.run();
  await machine.run();
  assert.equal(said(machine).match(/Clings .* has not called super\.stop/g)?.length, 1);
});

// FT232R data sheet: 7 or 8 data bits. `stty cs5` succeeds on a terminal whatever the chip says.
test("settings that a serial driver refuses, with the setting in words", async () => {
  const rig = defaultSerialRig(1, hostTurn);
  const session = await openSerialSession(rig);
  session.configure({ dataBits: 5 });
  await rig.run(rig.machine.scheduler.nowNs() + 1e9);
  assert.match(
    said(rig.machine),
    /usbserial-DD000001: HwProgramUART of FtdiDriver.*hwProgramUART: 5 data bits/,
  );
});

test("a transmitter that flow control holds until the close gives up is said with its bytes", async () => {
  const rig = defaultSerialRig(1, hostTurn, { devices: [] });
  const held = {
    baudRate: null,
    connect() {},
    room: () => 0,
    receive() {},
    linesChanged() {},
    breakChanged() {},
  };
  rig.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, farEnds: [held] }));
  const session = await openSerialSession(rig);
  session.send(new Uint8Array(12_000));
  await rig.run(rig.machine.scheduler.nowNs() + 1e9);
  session.port.close();
  await rig.run(rig.machine.scheduler.nowNs() + 40e9);
  assert.match(said(rig.machine), /closed with \d+ bytes unsent: the line took nothing for 30 s/);
  assert.equal(rig.ports[0].lastFailure?.status ?? IOReturns.kIOReturnSuccess, IOReturns.kIOReturnSuccess);
});

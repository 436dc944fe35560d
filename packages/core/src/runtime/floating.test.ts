// Calls that nobody awaited: the machine says which, and the host's process, this test's too, goes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import type { IOUSBHostInterface } from "../families/usb/io-usb-host-interface.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { UsbRig } from "../rigs/usb-rig.ts";
import type { DriverBundle } from "./driver-bundle.ts";
import { takeFloating } from "./floating.ts";
import { kIOMemoryDirectionIn } from "./memory.ts";
import { IOService, type ServiceClass } from "./service.ts";

function bundle(driver: ServiceClass): DriverBundle {
  return {
    identifier: "org.example.floats",
    version: "1",
    teamIdentifier: "EXAMPLE",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x1209 }],
    },
    personalities: {
      Floats: {
        IOUserClass: driver.name,
        IOProviderClass: "IOUSBHostInterface",
        idVendor: 0x1209,
        idProduct: 2,
        bInterfaceNumber: 0,
        bConfigurationValue: 1,
      },
    },
    classes: { [driver.name]: driver },
  };
}

/** A driver whose whole Start is `slip`, on the loopback device; what was said, and the rig's digest. */
async function run(slip: (driver: IOService, usb: IOUSBHostInterface) => void) {
  class Floats extends IOService {
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      const usb = provider as IOUSBHostInterface;
      await usb.open(this);
      slip(this, usb);
      this.registerService();
    }
  }
  const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  rig.machine.install(bundle(Floats));
  rig.bus.plugIn(new LoopbackDevice());
  await rig.run(3e9);
  const log = rig.machine.log.show().map((row) => row.message);
  return {
    rig,
    log: log.join("\n"),
    runs: rig.machine.registry.byClass("Floats").length,
    digest: rig.digest(),
  };
}

// WebUSB and node-usb issue trackers: the commonest slip is `device.controlTransferOut(...)` without await.
test("a method of the driver's own that is not awaited and meets a refusal", async () => {
  const slip = (_driver: IOService, usb: IOUSBHostInterface): void => {
    const ask = async (): Promise<void> => {
      const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 8);
      await usb.deviceRequest(0xc0, 0x55, 0, 0, 8, buffer, 1000);
    };
    void ask();
  };
  const { log, runs, digest } = await run(slip);
  assert.match(log, /Floats.*deviceRequest .*kUSBHostReturnPipeStalled.*nobody awaited/);
  assert.equal(runs, 1);
  assert.equal((await run(slip)).digest, digest, "the same seed says it at the same place");
});

test("a setting that is not there, chosen in a completion's shadow", async () => {
  const { log } = await run((_driver, usb) => void usb.selectAlternateSetting(9));
  assert.match(log, /selectAlternateSetting .*kIOReturnNotFound.*no alternate setting 9; nobody awaited/);
});

test("a transfer of a pipe that a closed interface took away", async () => {
  const { log, runs } = await run((driver, usb) => {
    const pipe = usb.copyPipe(0x81);
    void pipe.io(usb.createIOBuffer(kIOMemoryDirectionIn, 64), 64);
    usb.close(driver);
  });
  assert.match(log, /IOUSBHostPipe\.io .*kIOReturnAborted.*nobody awaited/);
  assert.equal(runs, 1);
});

test("a wait that the driver's own death ended is nobody's error", async () => {
  const { rig } = await run((driver, usb) => {
    void usb.deviceRequest(0xc0, 1, 0, 0, 8, usb.createIOBuffer(kIOMemoryDirectionIn, 8), 0);
    driver.defaultQueue.dispatchAsync(() => {
      throw new TypeError("a slip of another kind");
    });
  });
  assert.ok(rig.machine.crashes.length > 0);
  assert.match(rig.machine.crashes[0].text, /a slip of another kind/);
});

/** Slips in code of the driver's own that the runtime never sees the error of. Each is one that a linter would have found. */
const ownSlips: readonly (readonly [string, (usb: IOUSBHostInterface) => void, RegExp])[] = [
  [
    "an own async method that reads a field of nothing",
    () => {
      const parse = async (text: string | null): Promise<number> => (text as string).length;
      void parse(null);
    },
    /TypeError.*reading 'length'/,
  ],
  [
    "one that fails after it has waited for the device",
    (usb) => {
      const ask = async (): Promise<void> => {
        await usb.deviceRequest(0xc0, 1, 0, 0, 8, usb.createIOBuffer(kIOMemoryDirectionIn, 8), 1000);
        throw new RangeError("the answer has no checksum");
      };
      void ask();
    },
    /RangeError: the answer has no checksum/,
  ],
  ["a then without a catch", () => void Promise.resolve().then(() => JSON.parse("{")), /SyntaxError/],
  ["what is thrown is no Error", () => void Promise.reject("no answer"), /uncaught no answer/],
  [
    "a timer of the host's that a driver has no business with",
    () => {
      queueMicrotask(() => {
        throw new Error("thrown at the host");
      });
    },
    /thrown at the host/,
  ],
];

for (const [name, slip, said] of ownSlips) {
  // Node's own default ends the process for each of these: docs of process, events `unhandledRejection`, `uncaughtException`.
  test(`a slip of the driver's own: ${name}`, async () => {
    const first = await run((_driver, usb) => slip(usb));
    assert.match(first.rig.machine.crashes[0]?.text ?? "no crash", said);
    assert.match(first.log, /org\.example\.floats.*exited: uncaught .*nobody awaited/);
    assert.equal(
      (await run((_driver, usb) => slip(usb))).digest,
      first.digest,
      "the same seed, the same place",
    );
  });
}

test("a slip in a completion's handler, with two drivers on the machine: the right one ends", async () => {
  class Innocent extends IOService {}
  const { rig } = await run((driver) => {
    const work = async (): Promise<void> => {
      throw new TypeError("in a completion");
    };
    driver.defaultQueue.dispatchAsync(() => void work());
  });
  rig.machine.install({
    ...bundle(Innocent),
    identifier: "org.example.innocent",
    personalities: { Innocent: { IOUserClass: "Innocent", IOProviderClass: "IOUserResources" } },
  });
  await rig.run(6e9);
  assert.deepEqual(
    [...new Set(rig.machine.crashes.map((crash) => crash.bundleIdentifier))],
    ["org.example.floats"],
  );
});

test("an application's slip ends the application", async () => {
  const { rig } = await run(() => {});
  const app = rig.machine.launchApplication({ name: "Probe" });
  await rig.machine.perform(async () => {
    void (async () => {
      throw new TypeError("in the app");
    })();
  }, app);
  assert.equal(rig.machine.crashes.at(-1)?.process, "Probe");
});

test("an error of the program that runs the machine stays its own, though a driver ran before", async () => {
  await run(() => {});
  const script = `
    import { openUsbRig } from "@drydock/node/open-rig";
    const rig = openUsbRig();
    void (async () => { await rig.run(1e9); throw new TypeError("the program's own"); })();
  `;
  const { spawnSync } = await import("node:child_process");
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(child.status, 1);
  assert.match(child.stderr, /TypeError: the program's own/);
});

test("other people's errors are not taken", () => {
  assert.equal(takeFloating(new Error("a program's own")), false);
  assert.equal(takeFloating("text"), false);
  assert.equal(takeFloating(undefined), false);
});

// driverkit-families.md §1: what a driver may ask of devices, interfaces and pipes, and which code each mistake gets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { IOReturns } from "../../base/io-return.ts";
import { LoopbackDevice } from "../../devices/loopback/loopback-device.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { UsbRig, type UsbRigOptions } from "../../rigs/usb-rig.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { IOError } from "../../runtime/io-error.ts";
import {
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
  kIOMemoryDirectionOutIn,
} from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";
import {
  type IOUSBHostInterface,
  kUSBHostOpenOptionSelectAlternateSetting,
} from "./io-usb-host-interface.ts";
import { kIOUSBAbortSynchronous } from "./io-usb-host-pipe.ts";
import { type IOUSBIsochronousFrame, newIsochronousFrame } from "./usb-isochronous.ts";

const [bulkOut, bulkIn, interruptIn, alternateIn] = [0x01, 0x81, 0x82, 0x83];
/** Vendor requests of the loopback device. */
const [echo, refuse, haltEndpoint, notify] = [1, 2, 3, 4];
const [typeOut, typeIn] = [0x40, 0xc0];
const second = 1e9;

class PlainDriver extends IOService {
  usb!: IOUSBHostInterface;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.usb = provider as IOUSBHostInterface;
    await this.usb.open(this);
    this.registerService();
  }
}

const bundle: DriverBundle = {
  identifier: "org.drydock.test.usb",
  version: "1",
  teamIdentifier: "TEST",
  entitlements: {},
  personalities: {
    Plain: {
      IOClass: "IOUserService",
      IOUserClass: "PlainDriver",
      IOProviderClass: "IOUSBHostInterface",
      idVendor: 0x1209,
      idProduct: 2,
      bConfigurationValue: 1,
      bInterfaceNumber: 0,
    },
  },
  classes: { PlainDriver },
};

async function bench(options: Partial<UsbRigOptions> = {}) {
  const rig = new UsbRig({ seed: 4, turn: hostTurn, profile: platformProfile("open"), ...options });
  rig.machine.install(bundle);
  rig.usb.bus.plugIn(new LoopbackDevice(), 1);
  await rig.machine.run(5 * second);
  const driver = rig.machine.registry.byClass("PlainDriver")[0] as PlainDriver;
  const perform = <T>(body: (usb: IOUSBHostInterface) => Promise<T>) =>
    rig.machine.perform(() => body(driver.usb), driver.process);
  return { rig, driver, usb: driver.usb, perform };
}

/** The code with which `call` is refused, thrown or answered. */
async function code(call: () => unknown): Promise<number> {
  try {
    const answer = await call();
    return typeof answer === "number" ? answer : IOReturns.kIOReturnSuccess;
  } catch (error) {
    assert.ok(error instanceof IOError, String(error));
    return error.code;
  }
}

const filled = (usb: IOUSBHostInterface, length: number, start = 1) => {
  const buffer = usb.createIOBuffer(kIOMemoryDirectionOut, length);
  buffer.bytes.forEach((_, index) => {
    buffer.bytes[index] = (start + index) & 255;
  });
  return buffer;
};

test("a control request carries data both ways; a refused one is a stall of that request alone", async () => {
  const { perform } = await bench();
  await perform(async (usb) => {
    const out = filled(usb, 8);
    assert.equal(await usb.deviceRequest(typeOut, echo, 0, 0, 8, out, 1000), 8);
    const back = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    assert.equal(await usb.deviceRequest(typeIn, echo, 0, 0, 64, back, 1000), 8);
    assert.deepEqual([...back.bytes.subarray(0, 8)], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(
      await code(() => usb.deviceRequest(typeOut, refuse, 0, 0, 8, out, 1000)),
      IOReturns.kUSBHostReturnPipeStalled,
    );
    assert.equal(await usb.deviceRequest(typeIn, echo, 0, 0, 64, back, 1000), 8);
  });
});

test("control: buffers missing, short, or of the wrong direction are kIOReturnBadArgument", async () => {
  const { perform } = await bench();
  await perform(async (usb) => {
    const out = filled(usb, 4);
    const into = usb.createIOBuffer(kIOMemoryDirectionIn, 4);
    const rows: [number, number, Parameters<typeof usb.deviceRequest>[5]][] = [
      [typeOut, 4, null],
      [typeOut, 5, out],
      [typeOut, 4, into],
      [typeIn, 4, out],
    ];
    for (const [type, length, buffer] of rows) {
      assert.equal(
        await code(() => usb.deviceRequest(type, echo, 0, 0, length, buffer, 1000)),
        IOReturns.kIOReturnBadArgument,
      );
    }
    assert.equal(
      await usb.deviceRequest(typeOut, echo, 0, 0, 4, usb.createIOBuffer(kIOMemoryDirectionOutIn, 4), 0),
      4,
    );
  });
});

test("io and asyncIO move data; a short packet ends a read; completions keep their order", async () => {
  const { perform, driver, rig } = await bench();
  const seen: [number, number, number][] = [];
  await perform(async (usb) => {
    const [out, into] = [usb.copyPipe(bulkOut), usb.copyPipe(bulkIn)];
    assert.equal(usb.copyPipe(bulkOut), out);
    const buffers = [0, 1, 2].map(() => usb.createIOBuffer(kIOMemoryDirectionIn, 512));
    buffers.forEach((buffer, index) => {
      const action = driver.createAction(
        "came",
        (_action, status, count) => void seen.push([index, status, count]),
      );
      assert.equal(into.asyncIO(buffer, 512, action), IOReturns.kIOReturnSuccess);
    });
    for (const length of [5, 64 + 1, 200]) assert.equal(await out.io(filled(usb, length), length), length);
    await rig.machine.scheduler.sleep(second);
    assert.deepEqual([...buffers[0].bytes.subarray(0, 6)], [1, 2, 3, 4, 5, 0]);
  });
  assert.deepEqual(seen, [
    [0, 0, 5],
    [1, 0, 65],
    [2, 0, 200],
  ]);
});

test("a halted pipe refuses until clearStall, and then works", async () => {
  const { perform } = await bench();
  await perform(async (usb) => {
    const [out, into] = [usb.copyPipe(bulkOut), usb.copyPipe(bulkIn)];
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    await usb.deviceRequest(typeOut, haltEndpoint, 0, bulkIn, 0, null, 1000);
    assert.equal(await code(() => into.io(buffer, 64)), IOReturns.kUSBHostReturnPipeStalled);
    assert.equal(await code(() => into.io(buffer, 64)), IOReturns.kUSBHostReturnPipeStalled);
    await into.clearStall(true);
    await out.io(filled(usb, 3), 3);
    assert.equal(await into.io(buffer, 64), 3);
  });
});

test("a timeout ends the one transfer with kIOReturnTimeout and leaves the pipe usable", async () => {
  const { perform, rig } = await bench();
  await perform(async (usb) => {
    const [out, into] = [usb.copyPipe(bulkOut), usb.copyPipe(bulkIn)];
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    const from = rig.machine.scheduler.nowNs();
    assert.equal(await code(() => into.io(buffer, 64, 50)), IOReturns.kIOReturnTimeout);
    const waited = rig.machine.scheduler.nowNs() - from;
    assert.ok(waited >= 50e6 && waited < 51e6, `${waited}`);
    await out.io(filled(usb, 3), 3);
    assert.equal(await into.io(buffer, 64, 50), 3);
    assert.equal(
      await code(() => usb.copyPipe(interruptIn).io(buffer, 8, 50)),
      IOReturns.kIOReturnBadArgument,
    );
  });
});

test("abort: kIOReturnAborted, or the code that was asked for; synchronous abort waits for the last completion", async () => {
  const { perform, driver, rig } = await bench();
  const seen: number[] = [];
  await perform(async (usb) => {
    const into = usb.copyPipe(bulkIn);
    const action = driver.createAction("came", (_action, status) => void seen.push(status));
    for (let index = 0; index < 3; index++)
      into.asyncIO(usb.createIOBuffer(kIOMemoryDirectionIn, 64), 64, action);
    await into.abort(kIOUSBAbortSynchronous);
    into.asyncIO(usb.createIOBuffer(kIOMemoryDirectionIn, 64), 64, action);
    await into.abort(0, IOReturns.kIOReturnNotResponding);
  });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
  assert.deepEqual(seen, [
    ...new Array(3).fill(IOReturns.kIOReturnAborted),
    IOReturns.kIOReturnNotResponding,
  ]);
});

test("an interrupt pipe waits as long as it must", async () => {
  const { perform } = await bench();
  await perform(async (usb) => {
    const pipe = usb.copyPipe(interruptIn);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 8);
    const came = pipe.io(buffer, 8);
    await usb.deviceRequest(typeOut, notify, 0x5a, 0, 0, null, 1000);
    assert.equal(await came, 1);
    assert.equal(buffer.bytes[0], 0x5a);
  });
});

test("pipes and lengths that do not exist, closed interfaces, exclusive access", async () => {
  const { perform, driver, rig } = await bench();
  await perform(async (usb) => {
    const pipe = usb.copyPipe(bulkIn);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    const action = driver.createAction("came", () => assert.fail("a refused transfer completed"));
    assert.equal(await code(() => usb.copyPipe(alternateIn)), IOReturns.kIOReturnNotFound);
    assert.equal(pipe.asyncIO(buffer, 65, action), IOReturns.kIOReturnBadArgument);
    assert.equal(pipe.asyncIO(buffer, -1, action), IOReturns.kIOReturnBadArgument);
    assert.equal(usb.copyPipe(bulkOut).asyncIO(buffer, 4, action), IOReturns.kIOReturnBadArgument);
    const other = rig.machine.registry.byClass("IOUserResources")[0];
    assert.equal(await code(() => usb.open(other)), IOReturns.kIOReturnExclusiveAccess);
    await usb.open(driver);
    usb.close(driver);
    assert.equal(pipe.asyncIO(buffer, 4, action), IOReturns.kIOReturnNotOpen);
    assert.equal(await code(() => usb.copyPipe(bulkIn)), IOReturns.kIOReturnNotOpen);
    assert.equal(
      await code(() => usb.deviceRequest(typeIn, echo, 0, 0, 4, buffer, 0)),
      IOReturns.kIOReturnNotOpen,
    );
  });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
});

test("alternate settings: pipes are closed and must be copied again; the same setting is redundant", async () => {
  const { perform, driver } = await bench();
  await perform(async (usb) => {
    const before = usb.copyPipe(bulkIn);
    await usb.selectAlternateSetting(1);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    assert.equal(
      before.asyncIO(
        buffer,
        64,
        driver.createAction("came", () => {}),
      ),
      IOReturns.kIOReturnNotOpen,
    );
    assert.equal(await usb.copyPipe(alternateIn).io(buffer, 64), 64);
    assert.equal(usb.getInterfaceDescriptor().bNumEndpoints, 4);
    assert.equal(await code(() => usb.selectAlternateSetting(1)), IOReturns.kUSBHostReturnRedundant);
    assert.equal(await code(() => usb.selectAlternateSetting(9)), IOReturns.kIOReturnNotFound);
    await usb.open(driver, kUSBHostOpenOptionSelectAlternateSetting, 0);
    assert.equal(await code(() => usb.copyPipe(alternateIn)), IOReturns.kIOReturnNotFound);
  });
});

test("bundled transfers: a ring, one callback per entry, busy entries refused", async () => {
  const { perform, driver, rig } = await bench();
  const came: number[] = [];
  await perform(async (usb) => {
    const [out, into] = [usb.copyPipe(bulkOut), usb.copyPipe(bulkIn)];
    const action = driver.createAction("bundle", (_action, index) => void came.push(index));
    assert.equal(into.asyncIOBundled(0, [64], action).status, IOReturns.kIOReturnBadArgument);
    into.createMemoryDescriptorRing(4);
    assert.equal(await code(() => into.createMemoryDescriptorRing(4)), IOReturns.kIOReturnBusy);
    assert.equal(
      await code(() => usb.copyPipe(interruptIn).createMemoryDescriptorRing(4)),
      IOReturns.kIOReturnUnsupported,
    );
    for (let index = 0; index < 4; index++)
      into.setMemoryDescriptor(usb.createIOBuffer(kIOMemoryDirectionIn, 64), index);
    assert.deepEqual(into.asyncIOBundled(2, [64, 64, 64], action), { status: 0, accepted: 3 });
    assert.deepEqual(into.asyncIOBundled(1, [64, 64], action), {
      status: IOReturns.kIOReturnBadArgument,
      accepted: 1,
    });
    for (const length of [1, 2, 3]) await out.io(filled(usb, length), length);
    await rig.machine.scheduler.sleep(second);
    assert.deepEqual(
      [2, 3, 0].map((index) => into.bundledByteCount(index)),
      [1, 2, 3],
    );
    assert.equal(into.bundledStatus(2), 0);
    await into.abort();
  });
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
  assert.deepEqual(came, [2, 3, 0, 1]);
});

test("the device: descriptors, strings, interface iterator, exclusive open", async () => {
  const { perform, driver, rig } = await bench();
  await perform(async (usb) => {
    const device = usb.copyDevice();
    assert.equal(device.copyDeviceDescriptor().idVendor, 0x1209);
    assert.equal(await device.copyStringDescriptor(1), "Drydock");
    assert.equal(await device.copyStringDescriptor(0), "");
    assert.equal(await code(() => device.copyStringDescriptor(9)), IOReturns.kUSBHostReturnPipeStalled);
    assert.equal(await code(() => device.copyConfigurationDescriptor(1)), IOReturns.kIOReturnNotFound);
    assert.equal(
      await code(() => device.copyConfigurationDescriptorWithValue(2)),
      IOReturns.kIOReturnNotFound,
    );
    const iterator = device.createInterfaceIterator();
    assert.equal(device.copyInterface(iterator), usb);
    assert.equal(device.copyInterface(iterator), null);
    device.destroyInterfaceIterator(iterator);
    assert.equal(await code(() => device.copyInterface(iterator)), IOReturns.kIOReturnBadArgument);
    device.open(driver);
    const other = rig.machine.registry.byClass("IOUserResources")[0];
    assert.equal(await code(() => device.open(other)), IOReturns.kIOReturnExclusiveAccess);
    assert.equal(
      await code(() => device.deviceRequest(other, typeIn, echo, 0, 0, 0, null, 0)),
      IOReturns.kIOReturnNotOpen,
    );
    assert.equal(await device.deviceRequest(driver, typeOut, echo, 0, 0, 0, null, 0), 0);
    device.close(driver);
    assert.equal(
      await code(() => device.deviceRequest(driver, typeIn, echo, 0, 0, 0, null, 0)),
      IOReturns.kIOReturnNotOpen,
    );
  });
});

test("setConfiguration withdraws and publishes interfaces; 0 unconfigures", async () => {
  const { rig, driver } = await bench();
  const device = driver.usb.copyDevice();
  await rig.machine.perform(() => device.setConfiguration(0, true));
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
  assert.equal(rig.machine.registry.byClass("IOUSBHostInterface").length, 0);
  assert.equal(rig.machine.registry.byClass("PlainDriver").length, 0);
  await rig.machine.perform(() => device.setConfiguration(1, true));
  await rig.machine.run(rig.machine.scheduler.nowNs() + second);
  assert.equal(rig.machine.registry.byClass("PlainDriver").length, 1);
});

test("unplug: pending transfers end, later ones are kIOReturnNoDevice or NotOpen, the stack goes", async () => {
  const { rig, driver, usb } = await bench();
  const ends: number[] = [];
  const { process } = driver;
  process.spawn("reader", async () => {
    ends.push(await code(() => usb.copyPipe(bulkIn).io(usb.createIOBuffer(kIOMemoryDirectionIn, 64), 64)));
    ends.push(await code(() => usb.open(driver)));
  });
  await rig.machine.run(rig.machine.scheduler.nowNs() + 1e6);
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  assert.deepEqual(ends, [IOReturns.kIOReturnNotResponding, IOReturns.kIOReturnNoDevice]);
  assert.equal(rig.machine.registry.byClass("IOUSBHostDevice").length, 0);
  assert.equal(process.isAlive, false);
});

test("reset: the device leaves and comes back as a new one, with the driver on it", async () => {
  const { rig, driver, usb } = await bench();
  rig.machine.kernelProcess.spawn("reset", () => usb.copyDevice().reset());
  await rig.machine.run(rig.machine.scheduler.nowNs() + 5 * second);
  const [again] = rig.machine.registry.byClass("PlainDriver");
  assert.notEqual(again.registryId, driver.registryId);
  assert.equal(rig.machine.failure, null);
});

test("a device that cannot be enumerated is reported and not published", async () => {
  class Mute extends LoopbackDevice {
    override setup(packet: Uint8Array): void {
      super.setup(packet[1] === 6 && packet[3] === 2 ? Uint8Array.of(0x80, 6, 0, 99, 0, 0, 9, 0) : packet);
    }
  }
  const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("open") });
  rig.usb.bus.plugIn(new Mute(), 1);
  await rig.machine.run(5 * second);
  assert.equal(rig.machine.registry.byClass("IOUSBHostDevice").length, 0);
  assert.match(rig.family.failures[0].reason, /kUSBHostReturnPipeStalled|0xe0005000/);
  assert.ok(rig.machine.log.show().some((row) => row.message.includes("could not be enumerated")));
});

test("faults: a read that is dropped times out, a truncated one is short, a corrupted one differs in one bit", async () => {
  const { perform } = await bench({
    faults: {
      rules: [
        { kind: "drop", endpoint: bulkIn, nth: 1 },
        { kind: "truncate", endpoint: bulkIn, nth: 2 },
        { kind: "corrupt", endpoint: bulkIn, nth: 3 },
      ],
    },
  });
  await perform(async (usb) => {
    const [out, into] = [usb.copyPipe(bulkOut), usb.copyPipe(bulkIn)];
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 64);
    await out.io(filled(usb, 8), 8);
    assert.equal(await code(() => into.io(buffer, 64, 20)), IOReturns.kIOReturnTimeout);
    assert.equal(await into.io(buffer, 64, 20), 4);
    await out.io(filled(usb, 8), 8);
    assert.equal(await into.io(buffer, 64, 20), 8);
    let bits = 0;
    buffer.bytes.subarray(0, 8).forEach((byte, index) => {
      for (let rest = byte ^ (index + 1); rest > 0; rest >>= 1) bits += rest & 1;
    });
    assert.equal(bits, 1);
  });
});

test("isochIO: frames go round with a status and a count each; what cannot be is refused by its own code", async () => {
  const { perform, rig } = await bench();
  const [out, into] = [0x04, 0x84];
  await perform(async (usb) => {
    await usb.selectAlternateSetting(2);
    const frames = [10, 64, 3].map(newIsochronousFrame);
    const sent = usb.createIOBuffer(kIOMemoryDirectionOut, 77);
    sent.bytes.set(sent.bytes.map((_, index) => index + 1));
    const ends: number[] = [];
    const action = usb.client?.createAction(
      "CompleteAsyncIsochIO",
      (_action, status) => void ends.push(status),
    );
    assert.ok(action !== undefined);
    const pipe = usb.copyPipe(out);
    const now = pipe.getFrameNumber();
    assert.equal(pipe.isochIO(sent, frames, now, action), IOReturns.kIOReturnIsoTooOld);
    assert.equal(pipe.isochIO(sent, frames, now + 5000, action), IOReturns.kIOReturnIsoTooNew);
    assert.equal(
      pipe.isochIO(sent, [newIsochronousFrame(65)], 0, action),
      IOReturns.kIOReturnBadArgument,
      "longer than the endpoint allows",
    );
    assert.equal(usb.copyPipe(bulkOut).isochIO(sent, frames, 0, action), IOReturns.kIOReturnUnsupported);
    assert.equal(frames[0].status, IOReturns.kIOReturnInvalid);
    assert.equal(pipe.isochIO(sent, frames, now + 3, action), IOReturns.kIOReturnSuccess);
    await rig.machine.scheduler.sleep(20_000_000);
    assert.deepEqual(ends, [IOReturns.kIOReturnSuccess]);
    assert.deepEqual(
      frames.map(({ completeCount, status }) => [completeCount, status]),
      [10, 64, 3].map((count) => [count, IOReturns.kIOReturnSuccess]),
    );
    const back = usb.createIOBuffer(kIOMemoryDirectionIn, 5 * 64);
    const heard = new Array(5).fill(64).map(newIsochronousFrame);
    assert.equal(usb.copyPipe(into).isochIO(back, heard, 0, action), IOReturns.kIOReturnSuccess);
    await rig.machine.scheduler.sleep(20_000_000);
    assert.deepEqual(
      heard.map(({ completeCount }) => completeCount),
      [10, 64, 3, 0, 0],
    );
    assert.equal(heard[4].status, IOReturns.kIOReturnNotResponding, "an interval without a packet");
    assert.deepEqual([...back.bytes.subarray(64, 67)], [11, 12, 13]);
  });
});

test("isochIO: a transfer begins in its frame, and a pause between two is kept", async () => {
  const { perform, rig } = await bench();
  await perform(async (usb) => {
    await usb.selectAlternateSetting(2);
    const { scheduler } = rig.machine;
    const ends: { status: number; atMs: number }[] = [];
    const action = usb.client?.createAction(
      "CompleteAsyncIsochIO",
      (_action, status) => void ends.push({ status, atMs: scheduler.nowNs() / 1e6 }),
    );
    assert.ok(action !== undefined);
    const pipe = usb.copyPipe(0x04);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionOut, 4);
    const ask = (first: number) => pipe.isochIO(buffer, [1, 1, 1, 1].map(newIsochronousFrame), first, action);
    const now = pipe.getFrameNumber();
    const [ok, old] = [IOReturns.kIOReturnSuccess, IOReturns.kIOReturnIsoTooOld];
    // Two with six frames between them, and one right behind each: by its number, and by none.
    const first = now + 5;
    assert.equal(ask(first), ok);
    assert.equal(ask(first + 3), old, "a frame of the one before");
    assert.equal(ask(first + 4), ok);
    assert.equal(ask(first + 14), ok);
    assert.equal(ask(first + 9), old, "before what was asked for already, even where nothing is");
    assert.equal(ask(0), ok);
    await scheduler.sleep(40_000_000);
    const lastFrames = [first + 3, first + 7, first + 17, first + 21];
    assert.deepEqual(
      ends.map(({ status, atMs }) => [status, Math.floor(atMs)]),
      lastFrames.map((frame) => [ok, frame]),
    );
    // Over: nothing of it is in the way of a new one.
    assert.equal(ask(pipe.getFrameNumber()), old);
    assert.equal(ask(pipe.getFrameNumber() + 1), ok);
    await scheduler.sleep(20_000_000);
    assert.equal(ends.length, 5);
  });
});

test("isochIO: what lies ahead ends once, by an abort, by another setting, and with the device", async () => {
  const { perform, rig } = await bench();
  const frames: IOUSBIsochronousFrame[] = [];
  await perform(async (usb) => {
    await usb.selectAlternateSetting(2);
    const { scheduler } = rig.machine;
    const ends: number[] = [];
    const action = usb.client?.createAction(
      "CompleteAsyncIsochIO",
      (_action, status) => void ends.push(status),
    );
    assert.ok(action !== undefined);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionOut, 1);
    const ask = () => {
      const pipe = usb.copyPipe(0x04);
      const first = pipe.getFrameNumber() + 10;
      for (const frame of [first, 0]) {
        const asked = newIsochronousFrame(1);
        frames.push(asked);
        assert.equal(pipe.isochIO(buffer, [asked], frame, action), IOReturns.kIOReturnSuccess);
      }
      return pipe;
    };
    await ask().abort(0, IOReturns.kIOReturnTimeout);
    assert.deepEqual(ends, [], "not inside the call");
    await scheduler.sleep(1000);
    assert.deepEqual(ends, new Array(2).fill(IOReturns.kIOReturnTimeout));
    ask();
    await usb.selectAlternateSetting(0);
    await usb.selectAlternateSetting(2);
    await scheduler.sleep(1000);
    assert.deepEqual(ends.splice(2), new Array(2).fill(IOReturns.kIOReturnAborted));
    ask();
  });
  const left = frames.slice(-2);
  assert.ok(left.every(({ status }) => status === IOReturns.kIOReturnInvalid));
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  assert.deepEqual(
    left.map(({ completeCount, status }) => [completeCount, status]),
    // The intervals went by without a packet.
    new Array(2).fill([0, IOReturns.kIOReturnNotResponding]),
  );
});

// A serial dext in C++ beside its twin in TypeScript, on the model of an FTDI chip.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { ScriptedFarEnd } from "@drydock/core/devices/serial-far-ends";
import { ftdiBundle } from "@drydock/core/drivers/ftdi/ftdi-driver";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { SerialRig, serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { openSerialSession } from "@drydock/core/rigs/serial-session";
import { traceLines } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { tryDext } from "../../src/run/dext-trials.ts";
import { type PortUse, useSerialPorts } from "../../src/run/serial-use.ts";

const second = 1e9;
let described: Awaited<ReturnType<typeof compileDext>>;
before(async () => {
  described = await compileDext([join(import.meta.dirname, "../../../../examples/ftdi-dext")]);
});

const pattern = (length: number) =>
  new Uint8Array(length).map((_, index) => (index * 17 + (index >> 8)) & 255);

function bench(dext: LoadedDext | null, devices: readonly "ftdi"[] = ["ftdi"]): SerialRig {
  return new SerialRig({
    seed: 7,
    turn: hostTurn,
    profile: platformProfile("open"),
    bundles: [dext?.bundle ?? ftdiBundle],
    devices,
  });
}

/** What a program and a hand at the cable do; answers every line of the wire, and what the program got. */
async function useOf(dext: LoadedDext | null) {
  const rig = bench(dext);
  const session = await openSerialSession(rig);
  const { scheduler } = rig.machine;
  const settle = () => rig.machine.run(scheduler.nowNs() + second / 20);
  session.configure({ baudRate: 38400, dataBits: 7, parity: "even", halfStopBits: 4 });
  await settle();
  const observed = (rig.devices[0] as FtdiDevice).observe();
  session.configure({ baudRate: 230400, xonXoff: true });
  session.port.setBreak(true);
  await settle();
  session.port.setBreak(false);
  session.port.setModemControl(false, true);
  session.port.flush(true, true);
  session.configure({ baudRate: 230400, dataBits: 5 });
  await settle();
  const refused = rig.ports[0].lastFailure?.call;
  session.configure({ baudRate: 230400 });
  session.send(pattern(9000));
  await scheduler.run(scheduler.nowNs() + 5 * second, () => session.received.length > 9000);
  const { name } = rig.ports[0];
  session.port.close();
  await settle();
  rig.bus.unplug(1);
  await rig.machine.run();
  assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
  const lines = traceLines(rig.trace, { describeRequests: serialRequestNames });
  return { lines, observed, refused, name, received: Uint8Array.from(session.received) };
}

test("the dext and its twin make the same transfers with the same bytes and statuses, in order", async () => {
  const dext = new LoadedDext(described, { tracesObjects: true });
  const cpp = await useOf(dext);
  const twin = await useOf(null);
  // The break comes back through the plug as a zero.
  assert.deepEqual(cpp.received.subarray(1), pattern(9000));
  assert.deepEqual(twin.received, cpp.received);
  assert.deepEqual(cpp.observed, twin.observed);
  assert.deepEqual([cpp.refused, cpp.name], ["HwProgramUART", twin.name]);
  const wires = ({ lines }: typeof cpp) => lines.map(({ wire }) => wire);
  // The twin's family asks the chip at the close whether all has left it, by a call that Apple's has not.
  const asked = wires(twin);
  const question = asked.findLastIndex((wire) => wire.includes("GET_MODEM_STATUS"));
  assert.ok(asked.length - question <= 4, "that is at the close");
  assert.deepEqual(wires(cpp), asked.toSpliced(question, 1));
  assert.ok(asked.length > 250, `${asked.length} transfers`);
  assert.deepEqual(dext.describeLeaks(), []);
});

test("modem lines and receive errors reach the program", async () => {
  const rig = bench(new LoadedDext(described), []);
  const farEnd = new ScriptedFarEnd(rig.machine.scheduler, [
    { atNs: 2 * second, modem: { cts: true, dcd: true } },
    { atNs: 2.1 * second, error: "parity" },
  ]);
  rig.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, farEnds: [farEnd] }), 1);
  const session = await openSerialSession(rig);
  await rig.machine.run(3 * second);
  assert.deepEqual(session.modemChanges.at(-1), { cts: true, dsr: false, ri: false, dcd: true });
  assert.deepEqual(session.errors, [{ overrun: false, gotBreak: false, framing: false, parity: true }]);
});

test("a failing call or a pulled cable while a program uses the port: nothing crashes, hangs or stays behind", async () => {
  const uses: PortUse[] = [];
  const report = await tryDext(described, ({ bundle }) => askedRig(bundle, { seed: 3, turn: hostTurn }), {
    settleNs: 2e8,
    most: 25,
    use: async (rig) => void uses.push(...(await useSerialPorts(rig))),
  });
  assert.deepEqual(report.findings, []);
  assert.ok(report.plain.isStarted && report.isRepeatable);
  const [first] = uses;
  assert.deepEqual([first.isEcho, first.taken, first.received, first.refused], [true, 1000, 1000, ""]);
  assert.ok(
    uses.some(({ refused }) => refused !== ""),
    "a call that fails reaches the system",
  );
});

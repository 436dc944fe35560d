// A device behind WebUSB under our drivers: it comes up, a terminal echoes, its cable is pulled.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { USB } from "@drydock/core/ports/web-usb";
import { makeSerialDevice } from "@drydock/core/rigs/serial-rig";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { deviceEntry } from "./device-entry.ts";
import { LabSession } from "./lab-session.ts";
import type { SessionState } from "./messages.ts";
import { deviceName } from "./opened-names.ts";
import { makeHands } from "./rig-hands.ts";
import { sessionLater } from "./session-later.ts";

/** The session, until something is so; time is the host's turns. */
async function opened(usb: USB | null) {
  let state: SessionState | null = null;
  let nowMs = 0;
  const session = new LabSession({
    turn: hostTurn,
    now: () => nowMs,
    pause: async (milliseconds) => {
      nowMs += Math.max(1, milliseconds);
      await hostTurn();
    },
    findRig: () => deviceEntry(usb, () => {}),
    hands: makeHands,
    playEnded: null,
    connect: null,
    later: async () => sessionLater,
    send: (message) => {
      if (message.kind === "state") state = message.state;
    },
  });
  const opening = { what: deviceName, side: "bad", seed: 1, faults: [], isRunning: true } as const;
  await session.take({ kind: "open", number: 1, opening });
  const current = (): SessionState => state ?? assert.fail("it opens");
  const until = async (what: string, isSo: (now: SessionState) => boolean): Promise<void> => {
    for (let turns = 0; !isSo(current()); turns++) {
      assert.ok(turns < 200_000, `${what}: ${JSON.stringify(current().failures)} ${current().console}`);
      await hostTurn();
    }
  };
  const act = (name: string, value = "") =>
    session.take({ kind: "act", act: { name: name as never, value } });
  return { session, state: current, until, act };
}

test("an FT232R behind WebUSB: our driver brings up its port, what is typed comes back, and a pulled cable hangs up", async () => {
  const rig = new WebUsbRig({ seed: 1, turn: hostTurn, allowAllDevices: true });
  rig.bus.plugIn(makeSerialDevice("ftdi", { clock: rig.scheduler, pacing: "baud" }), 1);
  await rig.settle();
  let problem: unknown = null;
  const runner = rig.runFreely((error) => {
    problem = error;
  });
  const lab = await opened(rig.usb);
  await lab.until("the port", ({ boxes }) =>
    boxes.some(({ floor, state }) => floor === "outlet" && state === "running"),
  );
  await lab.act("open-console");
  await lab.until("it is open", ({ isConsoleOpen }) => isConsoleOpen);
  await lab.act("type", "ahoy\r\n");
  await lab.until("the echo", ({ console }) => console.includes("ahoy"));
  const device = () => lab.state().boxes.find(({ floor }) => floor === "device");
  assert.equal(device()?.state, "running");
  assert.deepEqual(
    lab
      .state()
      .acts.filter((name) => ["back", "seed", "which-seed", "write", "speed", "unplug"].includes(name)),
    [],
    "hardware does not go back, and nothing writes to its disks",
  );
  rig.bus.unplug(1);
  await lab.until("it hangs up", ({ console }) => console.includes("the port is gone"));
  assert.equal(device()?.state, "gone");
  lab.session.end();
  runner.stop();
  assert.equal(problem, null);
});

test("without WebUSB, and without a device that was let in, it says what to do", async () => {
  const none = await opened(null);
  assert.match(none.state().failures.join(), /This browser has no WebUSB/);
  none.session.end();
  const rig = new WebUsbRig({ seed: 1, turn: hostTurn });
  const empty = await opened(rig.usb);
  await empty.until("it says so", ({ failures }) =>
    /No device was let in yet: choose one/.test(failures.join()),
  );
  empty.session.end();
});

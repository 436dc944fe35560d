// The serial rig's scenario: a program opens the port, sends, reads it back, closes.

import { drawUsbFaults } from "../faults/draw-usb-faults.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { defaultSerialRig, type SerialDeviceKind, type SerialRigOptions } from "../rigs/serial-rig.ts";
import { SerialSession } from "../rigs/serial-session.ts";
import { digestOf } from "../rigs/usb-rig-doors.ts";
import { recordFor, runScenario, type ScenarioOptions, type ScenarioResult, splitPlan } from "./scenario.ts";

export interface SerialScenario extends ScenarioOptions, Pick<SerialRigOptions, "bundles" | "path"> {
  readonly device: SerialDeviceKind;
}

/** What the program at the port saw. */
export type SerialOutcome = "echoed" | "hung up" | "silent" | "no port";

/** Bytes of the scenario, and how long it may take in virtual time. */
const messageBytes = 120;
const patienceNs = 3_000_000_000;
const closeNs = 50_000_000;

/** Plug in, come up, open, set the line, send, read it back, close, unplug, end. */
export async function runSerialScenario(options: SerialScenario): Promise<ScenarioResult<SerialOutcome>> {
  const { plan, rest: given } = splitPlan(options);
  const { device, seed, turn, ...rest } = given;
  const rig = defaultSerialRig(seed, turn, { devices: [device], record: recordFor(options), ...rest });
  const { scheduler } = rig.machine;
  return runScenario(
    {
      isDisturbed: options.faults !== undefined,
      rig,
      stepLimit: 200_000,
      mustLeave: /^IOUSBHost|^IOUserSerial$/,
      play: async (problems) => {
        await scheduler.run(patienceNs, () => rig.ports.length > 0);
        const [port] = rig.ports;
        if (port === undefined || scheduler.isStopped) return "no port";
        let session: SerialSession;
        try {
          session = new SerialSession(port);
        } catch {
          return "no port";
        }
        session.configure({ baudRate: 115200 });
        session.send(new Uint8Array(messageBytes).map((_, index) => index));
        const { received } = session;
        await scheduler.run(patienceNs, () => received.length >= messageBytes || session.hangUps > 0);
        const isEcho = received.length === messageBytes && received.every((byte, index) => byte === index);
        const outcome = session.hangUps > 0 ? "hung up" : isEcho ? "echoed" : "silent";
        if (session.hangUps > 1) problems.push(`hung up ${session.hangUps} times`);
        session.port.close();
        await scheduler.run(scheduler.nowNs() + closeNs);
        return outcome;
      },
      unplug: () => rig.usb.bus.unplug(1),
      replug: () => rig.usb.bus.plugIn(rig.devices[0], 1),
      isUp: () => rig.ports.some((port) => !port.isGone),
      digest: () => digestOf(rig),
    },
    plan,
  );
}

/** Where the serial drivers meet the wire: control, IN, OUT, and any. */
export function drawSerialFaults(seed: number): UsbFaultPlan {
  return drawUsbFaults(seed, [0, 0x81, 0x02, null]);
}

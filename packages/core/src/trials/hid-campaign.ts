// The HID rig's scenario: somebody listens while keys are pressed and a light is switched.

import { Led } from "../codec/hid-report/usages.ts";
import { drawUsbFaults } from "../faults/draw-usb-faults.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { HidRig } from "../rigs/hid-rig.ts";
import type { UsbRigOptions } from "../rigs/usb-rig.ts";
import { digestOf } from "../rigs/usb-rig-doors.ts";
import { recordFor, runScenario, type ScenarioOptions, type ScenarioResult, splitPlan } from "./scenario.ts";

export interface HidScenario extends ScenarioOptions, Pick<UsbRigOptions, "path"> {
  readonly device: "keyboard" | "gamepad";
}

/** What the listener heard: every event, some of them, or no input at all. */
export type HidOutcome = "all events" | "some events" | "no input";

const patienceNs = 2_000_000_000;
const pressNs = 20_000_000;
const presses = 5;

/** Plug in, come up, press and let go, switch an LED, unplug, end. */
export async function runHidScenario(options: HidScenario): Promise<ScenarioResult<HidOutcome>> {
  const { plan, rest: given } = splitPlan(options);
  const { device, ...rest } = given;
  const rig = new HidRig({
    profile: platformProfile("macos15"),
    devices: [device],
    record: recordFor(options),
    ...rest,
  });
  const { scheduler } = rig.machine;
  const events = () => rig.inputs.reduce((sum, { listener }) => sum + listener.events.length, 0);
  const result = await runScenario<HidOutcome>(
    {
      isDisturbed: options.faults !== undefined,
      rig,
      stepLimit: 100_000,
      mustLeave: /^IOUSBHost|^IOHID|^AppleUserHID/,
      play: async () => {
        await scheduler.run(patienceNs, () => rig.inputs.length > 0);
        const [first] = rig.inputs;
        if (first === undefined || scheduler.isStopped) return "no input";
        first.input.setLed(Led.capsLock, true);
        for (let round = 0; round < presses; round++) {
          if (device === "keyboard") rig.keyboard.press(4 + round);
          else rig.gamepad.setButton(1 + round, true);
          await scheduler.run(scheduler.nowNs() + pressNs);
        }
        return "some events";
      },
      unplug: () => rig.usb.bus.unplug(1),
      replug: () => rig.usb.bus.plugIn(device === "keyboard" ? rig.keyboard : rig.gamepad, 1),
      isUp: () => rig.inputs.some(({ listener }) => listener.goneCount === 0),
      digest: () => digestOf(rig),
      afterwards: (problems) => {
        for (const { listener } of rig.inputs) {
          if (listener.goneCount !== 1)
            problems.push(`a listener heard ${listener.goneCount} times that it is over`);
        }
      },
    },
    plan,
  );
  // Reports that were on their way when the cable left still count.
  if (rig.inputs.length === 0) return { ...result, outcome: "no input" };
  return { ...result, outcome: events() >= presses ? "all events" : "some events" };
}

/** Where the HID driver meets the wire: control, the interrupt pipe, and any. */
export function drawHidFaults(seed: number): UsbFaultPlan {
  return drawUsbFaults(seed, [0, 0x81, null]);
}

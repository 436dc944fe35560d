// The HID rig under every seed: faults, unplug at every step, and what a run must never do.

import { Led } from "../codec/hid-report/usages.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { HidRig } from "../rigs/hid-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";

export interface HidScenarioOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly device: "keyboard" | "gamepad";
  readonly faults?: UsbFaultPlan;
  /** See UsbRigOptions. */
  readonly path?: "bus" | "usbip";
  /** Pull the cable before this step of the scheduler; 0 never. */
  readonly unplugAtStep?: number;
}

export interface HidScenarioResult {
  readonly digest: string;
  readonly steps: number;
  /** What the program saw: every event, some of them, or no input at all. */
  readonly outcome: "all events" | "some events" | "no input";
  /** Broken rules, panics, crashes, leaks, hangs: empty for a good driver. */
  readonly problems: readonly string[];
}

const patienceNs = 2_000_000_000;
const stepLimit = 100_000;
const presses = 5;

/** Plug in, come up, press and let go, switch an LED, unplug, end. It must always end, and end clean. */
export async function runHidScenario(options: HidScenarioOptions): Promise<HidScenarioResult> {
  const rig = new HidRig({
    seed: options.seed,
    turn: options.turn,
    profile: platformProfile("macos15"),
    devices: [options.device],
    ...(options.faults === undefined ? {} : { faults: options.faults }),
    ...(options.path === undefined ? {} : { path: options.path }),
  });
  const { machine } = rig;
  const { scheduler } = machine;
  const problems: string[] = [];
  scheduler.onStep = (step) => {
    if (step === options.unplugAtStep) rig.bus.unplug(1);
    if (step === stepLimit) {
      problems.push(`still running after ${stepLimit} steps`);
      scheduler.stop();
    }
  };
  await scheduler.run(patienceNs, () => rig.inputs.length > 0);
  const [first] = rig.inputs;
  if (first !== undefined && !scheduler.isStopped) {
    first.input.setLed(Led.capsLock, true);
    for (let round = 0; round < presses; round++) {
      if (options.device === "keyboard") rig.keyboard.press(4 + round);
      else rig.gamepad.setButton(1 + round, true);
      await scheduler.run(scheduler.nowNs() + 20_000_000);
    }
  }
  rig.bus.unplug(1);
  const end = await machine.run();
  if (end.reason === "deadlock") {
    for (const wait of end.waits) problems.push(`${wait.thread} waits for ${wait.waitsFor} for ever`);
  }
  if (machine.failure !== null) problems.push(`${machine.failure.kind}: ${machine.failure.text}`);
  else if (end.reason !== "stopped") {
    for (const crash of machine.crashes) problems.push(`${crash.process} crashed: ${crash.text}`);
    for (const entry of machine.registry.entries()) {
      if (/^IOUSBHost|^IOHID|^AppleUserHID/.test(entry.kernelClass)) {
        problems.push(`${entry.path} is still there after the unplug`);
      }
    }
    for (const { listener } of rig.inputs) {
      if (listener.goneCount !== 1)
        problems.push(`a listener heard ${listener.goneCount} times that it is over`);
    }
  }
  const events = rig.inputs.reduce((sum, { listener }) => sum + listener.events.length, 0);
  const outcome = rig.inputs.length === 0 ? "no input" : events >= presses ? "all events" : "some events";
  return { digest: rig.digest(), steps: scheduler.steps, outcome, problems };
}

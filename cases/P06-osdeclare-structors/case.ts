// P06: OSDeclareDefaultStructors does not exist in DriverKit; a class that no .iig file declares cannot be made.

import { usbHidBundle } from "@drydock/core/drivers/usb-hid/usb-hid-driver";
import { installHidFamily } from "@drydock/core/families/hid/hid-family";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { HidGameControllerEvent } from "@drydock/core/ports/hid";
import { HidListener } from "@drydock/core/rigs/hid-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { Machine } from "@drydock/core/runtime/machine";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badGamepadBundle, badSources } from "./bad-driver.ts";
import { axisMaximum, goodGamepadBundle, goodSources, type VirtualGamepad } from "./good-driver.ts";

export interface GamepadBench {
  readonly machine: Machine;
  readonly listener: HidListener;
  /** Null: the driver did not come up. */
  readonly gamepad: VirtualGamepad | null;
  /** What matching said about the gamepad's personality. */
  readonly outcome: string;
}

/** The system's HID drivers, a driver of a virtual gamepad, and a game that listens. */
export async function gamepadBench(bundle: DriverBundle, options: CaseOptions): Promise<GamepadBench> {
  const machine = new Machine({ ...options, profile: platformProfile("macos15") });
  const listener = new HidListener();
  installHidFamily(machine, (input) => input.open(listener));
  machine.install(usbHidBundle);
  machine.install(bundle);
  await machine.run(2e9);
  const report = machine.matchReports.find(({ candidate }) => candidate.personalityName === "Gamepad");
  return {
    machine,
    listener,
    gamepad: (machine.registry.byClass("VirtualGamepad")[0] as VirtualGamepad | undefined) ?? null,
    outcome: report?.outcome ?? "no provider was there",
  };
}

export interface GamepadState {
  readonly x: number;
  readonly y: number;
  /** Bit 0 is button 1. */
  readonly buttons: number;
}

/** Makes the driver send a report. */
export type Post = (state: GamepadState) => Promise<void>;

/** What the game sees after the driver has posted `state`; null: nothing. */
export async function postAndSee(
  bench: GamepadBench,
  state: GamepadState,
  post: Post = async ({ x, y, buttons }) => {
    bench.gamepad?.post(bench.machine.scheduler.nowNs(), x, y, buttons);
  },
): Promise<GamepadState | null> {
  const { machine, listener, gamepad } = bench;
  if (gamepad === null) return null;
  const before = listener.events.length;
  await machine.perform(() => post(state), gamepad.process);
  await machine.run(machine.scheduler.nowNs() + 1e8);
  const event = listener.events
    .slice(before)
    .findLast((one): one is HidGameControllerEvent => one.kind === "game-controller");
  return event === undefined ? null : stateOf(event);
}

/** Buttons 1 to 8 in the order in which the system's driver hands them on. */
function stateOf({ face, shoulder, joystick }: HidGameControllerEvent): GamepadState {
  const inOrder = [face.a, face.b, face.x, face.y, shoulder.l1, shoulder.r1, shoulder.l2, shoulder.r2];
  return {
    x: Math.round(joystick.x * axisMaximum),
    y: Math.round(joystick.y * axisMaximum),
    buttons: inOrder.reduce((bits, value, index) => (value > 0 ? bits | (1 << index) : bits), 0),
  };
}

/** One report, and what the game makes of it. */
export async function judgeGamepad(bench: GamepadBench, post?: Post): Promise<CaseRun> {
  const seen = await postAndSee(bench, { x: 64, y: -127, buttons: 0b101 }, post);
  return {
    succeeded: seen?.x === 64 && seen.y === -127 && seen.buttons === 0b101,
    result:
      seen === null
        ? `no gamepad: ${bench.outcome}`
        : `the game sees x ${seen.x}, y ${seen.y}, buttons ${seen.buttons.toString(2)}`,
    trace: null,
    log: bench.machine.log.show(),
  };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const isBad = side === "bad";
  const bench = await gamepadBench(isBad ? badGamepadBundle : goodGamepadBundle, options);
  return { ...(await judgeGamepad(bench)), evidence: isBad ? badSources : goodSources };
}

export const declareStructorsCase: DriverCase = {
  id: "P06",
  title: "trouble with OSDeclareDefaultStructors",
  symptom:
    "Xcode does not know OSDeclareDefaultStructors, and the extension of a virtual gamepad has no binary.",
  cause:
    "The macro is of kernel extensions; a DriverKit class is declared in an .iig file, from which its description is made.",
  describeRequests: [],
  run,
};

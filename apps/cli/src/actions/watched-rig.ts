// The rig of drydock start as the lab's watchers see it: its timeline, its picture, and two acts.

import { serialRigEntry } from "@drydock/core/rigs/catalogue";
import { plainState } from "@drydock/lab/session/messages";
import { boxesOf } from "@drydock/lab/session/rig-boxes";
import type { WatchedRig } from "@drydock/lab/session/watchers";
import { defaultRig } from "./rig-list.ts";
import type { LiveRig, RigOptions } from "./rigs.ts";

/** Programs open these: while one is there, something is up. */
const portClass = "IOSerialBSDClient";

type Shown = Pick<RigOptions, "device" | "seed">;

const entryOf = ({ device }: Shown) =>
  device.length === 0 ? defaultRig : serialRigEntry("devices", "devices of the command line", device);

export function watchedTitle(options: Shown): string {
  const entry = entryOf(options);
  return `${entry.name} of this desk: ${entry.summary}`;
}

/** `run`: another number for each start, so that a watcher that comes back knows. */
export function watchedRig(rig: LiveRig, options: Shown, run: number): WatchedRig {
  const { machine, timeline } = rig;
  const { seed } = options;
  const entry = entryOf(options);
  const count = entry.devices.length;
  return {
    run,
    timeline,
    state: () => ({
      ...plainState,
      title: watchedTitle(options),
      timeNs: machine.scheduler.nowNs(),
      acts: ["unplug", "plug"],
      command: `npx drydock start --seed ${seed}`,
      failures: rig.failures(),
      boxes: boxesOf({
        entry,
        machine,
        isUp: machine.registry.byClass(portClass).length > 0,
        isOccupied: (connector) => rig.usb.bus.isOccupied(connector),
        outletNote: "a real terminal: see what drydock start said",
        busNote: "",
      }),
      ...(machine.failure === null ? {} : { mode: "stopped" as const, note: machine.failure.text }),
    }),
    act: (name, value) => {
      const connector = /^\d{1,3}$/.test(value) ? Number(value) : 0;
      if (connector < 1 || connector > count) return `a connector is a whole number from 1 to ${count}`;
      const isDone = name === "unplug" ? rig.unplug(connector) : rig.plug(connector);
      if (!isDone) return `connector ${connector} is ${name === "unplug" ? "empty" : "taken"}`;
      // The runner sleeps until something is to do.
      machine.scheduler.ready(() => {}, undefined);
      return "";
    },
  };
}

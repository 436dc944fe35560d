// The acts that a run has: those of every session, of its kind, and of what its rig brings up.

import { type ActName, acts } from "./acts.ts";
import { type EndedRun, RigRun } from "./lab-run.ts";
import { deviceName } from "./opened-names.ts";

/** What a rig has that has such acts. */
const outletOf = { serial: "terminal", disk: "block", input: "input", network: "network" } as const;

export function actsOf(shown: RigRun | EndedRun): ActName[] {
  const isRig = shown instanceof RigRun;
  const isReal = isRig && shown.entry.name === deviceName;
  return acts
    .filter(({ name, of }) => {
      // Hardware does not go back in time, and goes no faster.
      if (isReal && (of === "all" || !["run", "pause"].includes(name)) && of !== "serial" && of !== "network")
        return false;
      if (of === "all") return true;
      if (of === "case") return !isRig;
      if (of === "cable-case") return !isRig && shown.unplugSteps > 0;
      if (!isRig) return false;
      if (of === "rig") return true;
      if (of !== "entry") return shown.entry.outlets.includes(outletOf[of]);
      const wanted = name === "power-cut" ? "power cut" : name === "unplug-here" ? "unplug" : name;
      return (shown.entry.acts as readonly string[]).includes(wanted);
    })
    .map(({ name }) => name);
}

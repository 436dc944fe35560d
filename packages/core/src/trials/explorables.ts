// What can be explored: every rig of the catalogue, with what its scenario does.

import type { CountedRun } from "../faults/counted-run.ts";
import { type BuiltRig, type RigEntry, rigCatalogue } from "../rigs/catalogue.ts";
import { liveInterfaces } from "../rigs/rig-entry.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { runAudioScenario } from "./audio-campaign.ts";
import { runHidScenario } from "./hid-campaign.ts";
import { runNvmeScenario, runRaidScenario, runRingHbaScenario } from "./nvme-campaign.ts";
import { pciDiskEnd } from "./pci-disk-campaign.ts";
import { type PciFindings, PciWatch } from "./pci-watch.ts";
import { runScenario, type ScenarioPlan, type ScenarioResult } from "./scenario.ts";
import { runSerialScenario } from "./serial-campaign.ts";
import { runStorageScenario } from "./storage-campaign.ts";

/** A run as an exploration takes it; `pci` where there is a PCI device to look at. */
export type ExploredRun = ScenarioResult & { readonly pci?: PciFindings };

/** A rig that can be explored: by name, with what its scenario does. */
export interface Explorable {
  readonly name: string;
  readonly summary: string;
  /** The driver can be made to let go while its device stays. */
  readonly hasWaysOut: boolean;
  /** `access`: counts every access of the run, and strikes those that it names. */
  run(seed: number, turn: HostTurn, plan: ScenarioPlan, access?: CountedRun): Promise<ExploredRun>;
}

const counted = (access?: CountedRun) => (access === undefined ? {} : { access });

/** Scenarios that use what comes up; every other rig of the catalogue comes up and is pulled. */
const scenarios: readonly Explorable[] = [
  {
    name: "serial",
    summary: "open a port, send, hear the echo",
    hasWaysOut: false,
    run: (seed, turn, plan, access) =>
      runSerialScenario({ seed, turn, ...plan, ...counted(access), device: "ftdi" }),
  },
  {
    name: "keyboard",
    summary: "a keyboard is used",
    hasWaysOut: false,
    run: (seed, turn, plan, access) =>
      runHidScenario({ seed, turn, ...plan, ...counted(access), device: "keyboard" }),
  },
  {
    name: "gamepad",
    summary: "a gamepad is used",
    hasWaysOut: false,
    run: (seed, turn, plan, access) =>
      runHidScenario({ seed, turn, ...plan, ...counted(access), device: "gamepad" }),
  },
  {
    name: "storage",
    summary: "a USB disk: write, flush, read back",
    hasWaysOut: false,
    run: (seed, turn, plan, access) => runStorageScenario({ seed, turn, ...plan, ...counted(access) }),
  },
  {
    name: "uas",
    summary: "a USB disk by UAS: write, flush, read back",
    hasWaysOut: false,
    run: (seed, turn, plan, access) =>
      runStorageScenario({ seed, turn, ...plan, ...counted(access), policy: "uas" }),
  },
  {
    name: "nvme",
    summary: "a disk behind PCI: write, flush, read back",
    hasWaysOut: true,
    run: (seed, turn, plan, access) => runNvmeScenario({ seed, turn, ...plan, ...counted(access) }),
  },
  {
    name: "raid",
    summary: "a disk behind a RAID controller: write, flush, read back",
    hasWaysOut: true,
    run: (seed, turn, plan, access) => runRaidScenario({ seed, turn, ...plan, ...counted(access) }),
  },
  {
    name: "ring-hba",
    summary: "a disk behind a small host adapter: write, flush, read back",
    hasWaysOut: true,
    run: (seed, turn, plan, access) => runRingHbaScenario({ seed, turn, ...plan, ...counted(access) }),
  },
  {
    name: "audio",
    summary: "AC'97 audio: a tone is played and heard",
    hasWaysOut: true,
    run: (seed, turn, plan, access) => runAudioScenario({ seed, turn, ...plan, ...counted(access) }),
  },
];

/** Nothing of a device may be there any more when its cable is out. */
const deviceEntries =
  /^IO(USBHost|PCIDevice|Media|SCSI|HID|Serial|UserSerial|Ethernet|UserNetwork|UserUSB|UserBlock)/;
/** How long a rig has to come up, virtual nanoseconds. */
const comeUpNs = 3e9;

/** Any entry, ours or somebody's own: it comes up, is used where it says how, and is pulled. `name`: what to type for it. */
export function explorableOf(entry: RigEntry, name = entry.name): Explorable {
  return {
    name,
    summary: `${entry.summary}: comes up`,
    hasWaysOut: entry.berths.every((berth) => berth === "pci"),
    run: async (seed, turn, plan, access) => {
      const rig = entry.build({ seed, turn, ...counted(access) });
      const pci = pciPart(rig);
      const { scheduler } = rig.machine;
      const each = (act: (connector: number) => void): void => {
        for (let connector = 1; connector <= entry.devices.length; connector++) act(connector);
      };
      let inputs = 0;
      const isUp = (): boolean =>
        entry.outlets.length === 0
          ? hasService(rig)
          : rig.ports.some((port) => !port.isGone) ||
            rig.media.length > 0 ||
            rig.inputCount > inputs ||
            soundsOf(rig) + liveInterfaces(rig).length > 0;
      const result = await runScenario(
        {
          rig,
          stepLimit: 1_000_000,
          mustLeave: deviceEntries,
          ...pci?.end,
          play: async (problems) => {
            await scheduler.run(scheduler.nowNs() + comeUpNs);
            const hasCome =
              entry.outlets.length === 0
                ? hasService(rig)
                : rig.ports.length +
                    rig.media.length +
                    rig.inputCount +
                    soundsOf(rig) +
                    liveInterfaces(rig).length >
                  0;
            if (!hasCome || scheduler.isStopped) return hasCome ? "came up" : "not up";
            const hasCable = (plan.unplugAtStep ?? 0) === 0;
            return entry.use === undefined
              ? "came up"
              : await outcomeOf(entry.use(rig), hasCable ? problems : null);
          },
          unplug: () => each((connector) => void rig.unplug(connector)),
          replug: () => {
            inputs = rig.inputCount;
            each((connector) => void rig.plug(connector));
          },
          isUp,
          digest: () => rig.digest(),
        },
        plan,
      );
      return pci === null ? result : { ...result, pci: pci.watch.findings() };
    },
  };
}

/** What is watched of a rig whose device is one PCI function, and how its driver lets go while it stays. */
function pciPart({ machine, pci, pciFunction, timeline }: BuiltRig) {
  if (pci === null || pciFunction === undefined) return null;
  const { device, family } = pciFunction;
  const parts = { machine, family, pci, timeline };
  const { afterwards, leave } = pciDiskEnd({ ...parts, device, media: [] });
  return { watch: new PciWatch(parts, device), end: { afterwards, leave } };
}

const soundsOf = ({ sound }: BuiltRig): number => sound?.devices.length ?? 0;

/** A driver that programs reach by no outlet is up when it has registered its service. */
function hasService(rig: BuiltRig): boolean {
  return rig.machine.registry
    .entries()
    .some((service) => service.process.kind === "dext" && service.isRegistered && !service.isInactive);
}

/** How `Machine.perform` says that everything stands still. */
const neverEnded = /^the scenario did not finish: (?=deadlock|idle|time)/;

/** With the cable out a use is refused or never ends: that is an outcome. A slip in the use itself is its author's. */
async function outcomeOf(use: Promise<string>, problems: string[] | null): Promise<string> {
  try {
    return await use;
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError)
      throw error;
    // With the cable in, nobody will ever end what waits for the device.
    if (problems !== null && error instanceof Error && neverEnded.test(error.message))
      problems.push(`the use never ends: ${error.message.replace(neverEnded, "")}`);
    return "cut short";
  }
}

export const explorables: readonly Explorable[] = [
  ...scenarios,
  ...rigCatalogue
    .filter(({ name }) => !scenarios.some((known) => known.name === name))
    .map((entry) => explorableOf(entry)),
];

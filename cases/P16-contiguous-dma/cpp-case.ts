// P16 in C++: a ring whose addresses are the processor's, and one whose are what PrepareForDMA answered.

import { platformProfile } from "@drydock/core/platform/platform-profile";
import { AudioRig } from "@drydock/core/rigs/audio-rig";
import { rampTone, ToneCheck } from "@drydock/core/rigs/tone";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import type { CaseOptions } from "../driver-case.ts";
import { contiguousDmaCase } from "./case.ts";
import { accessLedger, describeHeard } from "./ring-bench.ts";

const folder = new URL(".", import.meta.url);
/** One second, as the dext writes it, and how long it may take with the bring-up. */
const toneFrames = 48_000;
const playNs = 3e9;
const endNs = 1e9;

/** Plays the tone on the modelled hardware, ends the driver, and looks at what the converter played. */
export async function playOver(dext: LoadedDext, options: CaseOptions) {
  const check = new ToneCheck(rampTone(toneFrames), toneFrames);
  const rig = new AudioRig({
    ...options,
    profile: { ...platformProfile("macos26"), checksEntitlements: false },
    bundles: [dext.bundle],
    device: { onPlayed: (bytes) => check.hear(bytes) },
  });
  const { machine, pci } = rig;
  await machine.scheduler.run(playNs);
  const [driver] = machine.registry.byClass("P16Driver");
  if (driver !== undefined) machine.terminate(driver);
  await machine.scheduler.run(machine.scheduler.nowNs() + endNs);
  const ledger = accessLedger(pci.iommu);
  return {
    rig,
    run: {
      succeeded: check.isWhole && machine.failure === null && machine.crashes.length === 0,
      result: describeHeard(check, toneFrames, rig.device.hearing.refusedFrames),
      trace: null,
      dma: { iommu: pci.iommu, text: ledger },
      log: machine.log.show(),
      evidence: [{ name: "dma-ledger.txt", text: ledger }],
    },
  };
}

export const contiguousDmaCpp: CppCase = {
  entry: contiguousDmaCase,
  folder,
  // The twins play through the audio server, whose framework has no description here.
  hasSteps: false,
  files: (side) => [
    "cpp/P16Driver.iig",
    "cpp/P16Driver.cpp",
    `cpp/${side}/List.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P16Driver.entitlements",
  ],
  run: async (side, options) => {
    const dext = new LoadedDext(await compileSide(contiguousDmaCpp, side, options), options.load);
    try {
      const { run } = await playOver(dext, options);
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/List.cpp`,
              "PutEntry(list",
              "the processor's address goes into the hardware's list: no mapping of the device's has it",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};

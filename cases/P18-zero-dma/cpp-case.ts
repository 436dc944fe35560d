// P18 in C++: a host adapter whose scatter entries name its own memory, and one whose name the host's.

import { RingHbaRig } from "@drydock/core/rigs/ring-hba-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import type { CaseOptions, Side } from "../driver-case.ts";
import { zeroDmaCase } from "./case.ts";
import { LedgerBench, postedAddress, postedProfile, postedTarget } from "./ledger-bench.ts";

const folder = new URL(".", import.meta.url);

/** The adapter of our own with the post's disk behind it: the twins in TypeScript drive a MegaRAID. */
class CppBench extends LedgerBench<RingHbaRig> {
  readonly #isLocal: boolean;

  constructor({ seed, turn }: CaseOptions, bundle: DriverBundle, side: Side) {
    super(
      new RingHbaRig({
        seed,
        turn,
        profile: postedProfile,
        dmaWindowBase: postedAddress,
        device: { latencyNs: [20_000, 20_000] },
        target: postedTarget,
        bundles: [bundle],
      }),
      { look: null, entry: null },
    );
    this.#isLocal = side === "bad";
  }

  /** What the dext told of itself, by the lines of its log. */
  readLog(): void {
    for (const { message } of this.rig.machine.log.show()) {
      const handed = /fBufferIOVMAddr 0x([0-9a-f]+)$/.exec(message);
      if (handed !== null)
        this.dext.entry = { address: Number.parseInt(handed[1], 16), isLocal: this.#isLocal };
      const seen = /^P18 data in the dext: ([0-9A-F ]+)$/.exec(message);
      if (seen === null) continue;
      const bytes = seen[1].split(" ").map((byte) => Number.parseInt(byte, 16));
      this.dext.look = { what: "the task's buffer", isCompleted: false, bytes };
    }
  }

  protected override hardwareRows(): string[] {
    return [this.astray(this.rig.device.memory.writes[0]) ?? "device write: delivered"];
  }
}

export const zeroDmaCpp: CppCase = {
  entry: zeroDmaCase,
  folder,
  // The adapters differ, and so do the addresses of their tasks.
  hasSteps: false,
  files: (side) => [
    "cpp/P18Driver.iig",
    "cpp/P18Driver.cpp",
    "cpp/Adapter.cpp",
    `cpp/${side}/Entry.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P18Driver.entitlements",
  ],
  run: async (side, options) => {
    const dext = new LoadedDext(await compileSide(zeroDmaCpp, side, options), options.load);
    try {
      const bench = new CppBench(options, dext.bundle, side);
      await bench.run();
      bench.readLog();
      const run = bench.caseRun(side === "good");
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/Entry.cpp`,
              "kLocalMemory;",
              "the entry's flag says the adapter's own memory: its firmware writes there, and is content",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};

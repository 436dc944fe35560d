// P15 in C++: a spin-up inside the 20 s of a hosted service, and one that is begun and not waited for.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import { power20sCase, wakeOver } from "./case.ts";

const folder = new URL(".", import.meta.url);

export const power20sCpp: CppCase = {
  entry: power20sCase,
  folder,
  files: (side) => [
    "cpp/P15Driver.iig",
    "cpp/P15Driver.cpp",
    `cpp/${side}/Power.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P15Driver.entitlements",
  ],
  run: async (side, options) => {
    const dext = new LoadedDext(await compileSide(power20sCpp, side, options), options.load);
    try {
      const run = await wakeOver(dext.bundle, options);
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/Power.cpp`,
              "SUPERDISPATCH",
              "the class driver's spin-up runs behind this call, inside the 20 s of a hosted service",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};

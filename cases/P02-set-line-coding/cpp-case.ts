// P02 in C++: seven bytes that are copied over the variable which holds the buffer's address, and seven that arrive.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { twoFills, unwrittenBytes, unwrittenText } from "@drydock/dext/run/two-fill";
import { type CppCase, type CppPlace, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import { judgeLineCoding, runLineCoding, setLineCodingCase } from "./case.ts";

const folder = new URL(".", import.meta.url);

export const setLineCodingCpp: CppCase = {
  entry: setLineCodingCase,
  folder,
  files: (side) => [
    "cpp/P02Driver.iig",
    "cpp/P02Driver.cpp",
    `cpp/${side}/SetLineCoding.cpp`,
    "cpp/Info.plist",
    "cpp/P02Driver.entitlements",
  ],
  run: async (side, options) => {
    const built = await compileSide(setLineCodingCpp, side, options);
    // Once with fresh memory of zeros, once of other bytes: what differs on the wire, the driver never wrote.
    const runs = [];
    for (const fill of twoFills) {
      const dext = new LoadedDext(built, { ...options.load, fill, recordsSent: true });
      runs.push({ dext, run: await runLineCoding(dext.bundle, options) });
    }
    const [zeros, others] = runs;
    const path = `cpp/${side}/SetLineCoding.cpp`;
    const places: CppPlace[] = [];
    for (const unwritten of unwrittenBytes(zeros.dext.ledger.sent, others.dext.ledger.sent)) {
      const line = Number(/:(\d+)\)$/.exec(unwritten.where[0] ?? "")?.[1] ?? 0);
      places.push({ path, line, text: unwrittenText(unwritten) });
    }
    if (places.length > 0)
      places.push(
        placeOf(folder, path, "memcpy(&", "these bytes go over the variable that holds the buffer's address"),
      );
    return { ...judgeLineCoding(zeros.run), places };
  },
};

// P09 in C++: a vendor command without its length, and one that carries it; an application asks for the update.

import { formatReturn, IOReturns } from "@drydock/core/base/io-return";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import { sendCdbUasCase, type Update, updateOver } from "./case.ts";
import type { MoveResult } from "./updater-driver.ts";

const folder = new URL(".", import.meta.url);
/** Scalars that a command's answer has: service response, status, realised bytes. */
const wordsOfAnswer = 3;

/** By the user client, as an application would; throws when the dext refuses. */
export const updateByClient: Update = async ({ rig: { machine }, updater }, image) => {
  const application = machine.launchApplication({ name: "Updater" });
  return machine.perform(async () => {
    const client = await machine.openUserClient(application, updater);
    const { scalarOutput, status, structureOutput } = await client.call(0, {
      structureInput: image,
      structureOutputSize: image.length,
      scalarOutputCount: 2 * wordsOfAnswer,
    });
    client.close();
    if (status !== IOReturns.kIOReturnSuccess) throw new Error(`the update: ${formatReturn(status)}`);
    const [load, readBack] = [0, wordsOfAnswer].map(
      (at): MoveResult => ({
        answer: {
          fServiceResponse: scalarOutput[at],
          fCompletionStatus: scalarOutput[at + 1],
          fRealizedByteCountOfTransfer: scalarOutput[at + 2],
          fSenseDataValid: false,
        },
        bytes: structureOutput,
      }),
    );
    return { load, readBack };
  }, application);
};

export const sendCdbUasCpp: CppCase = {
  entry: sendCdbUasCase,
  folder,
  files: (side) => [
    "cpp/P09Driver.iig",
    "cpp/P09Driver.cpp",
    `cpp/${side}/Fill.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P09Driver.entitlements",
  ],
  run: async (side, options) => {
    const dext = new LoadedDext(await compileSide(sendCdbUasCpp, side, options), options.load);
    try {
      const run = await updateOver(dext.bundle, side === "bad" ? "CBW" : "CDB", options, updateByClient);
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/Fill.cpp`,
              "only fRequestedByteCountOfTransfer",
              "a command without its length: the drive takes it from the transport, and a UAS command unit has none",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};

// P20 in C++: the same dext twice, with and without one key among its entitlements.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import { judgeOpening, openNullDriver, userClientSampleCase } from "./case.ts";

const folder = new URL(".", import.meta.url);
const key = "com.apple.developer.driverkit.allow-any-userclient-access";

export const userClientSampleCpp: CppCase = {
  entry: userClientSampleCase,
  folder,
  files: (side) => [
    "cpp/NullDriver.iig",
    "cpp/NullDriverUserClient.iig",
    "cpp/NullDriver.cpp",
    "cpp/NullDriverUserClient.cpp",
    "cpp/Info.plist",
    `cpp/${side}/NullDriver.entitlements`,
  ],
  run: async (side, options) => {
    const built = await compileSide(userClientSampleCpp, side, options);
    const { bundle } = new LoadedDext({ ...built, teamIdentifier: "DRIVERTEAM" }, options.load);
    const run = judgeOpening(await openNullDriver({ bundle }, options));
    const isRefused = run.log.some(({ message }) => message.includes("UC failed userclient-access check"));
    const lacks = isRefused && bundle.entitlements[key] === undefined;
    const path = `cpp/${side}/NullDriver.entitlements`;
    const places = lacks
      ? [
          placeOf(
            folder,
            path,
            "<dict>",
            `the driver's entitlements lack ${key}, and the app has no userclient-access`,
          ),
        ]
      : [];
    return { ...run, places };
  },
};

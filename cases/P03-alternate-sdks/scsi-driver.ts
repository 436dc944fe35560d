// A controller driver that uses none of the new methods: what it needs depends on the SDK it was built with.

import { symbolName } from "@drydock/core/codec/macho/encode";
import { type DriverImport, missingImports, slotsOfSubclass } from "@drydock/core/platform/driverkit-symbols";
import type { BundleFile } from "@drydock/core/platform/evidence/signed-bundle";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOService } from "@drydock/core/runtime/service";
import { samplePart, signedFiles } from "../signing-sample.ts";

export const scsiDriverIdentifier = "org.drydock.sample.raid";

/** How often any of the driver's code ran: `init` is the first of it. */
export const scsiDriverRuns = { inits: 0 };

class RaidController extends IOService {
  override init(): boolean {
    scsiDriverRuns.inits++;
    return super.init();
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }
}

/** What every such driver needs, whichever SDK it was built with. */
const always: readonly DriverImport[] = [
  { framework: "DriverKit", symbol: "IOService::Start" },
  {
    framework: "SCSIControllerDriverKit",
    symbol: "IOUserSCSIParallelInterfaceController::UserInitializeController",
  },
  {
    framework: "SCSIControllerDriverKit",
    symbol: "IOUserSCSIParallelInterfaceController::UserProcessParallelTask",
  },
];

/** The same source built with SDK `sdk`: its class description refers to every slot of the superclass there. */
export function scsiDriverBundle(sdk: string): DriverBundle {
  return {
    identifier: scsiDriverIdentifier,
    version: "1",
    teamIdentifier: "DRIVERTEAM",
    entitlements: { "com.apple.developer.driverkit": true },
    imports: [...always, ...slotsOfSubclass("IOUserSCSIParallelInterfaceController", sdk)],
    personalities: {
      Raid: {
        CFBundleIdentifier: scsiDriverIdentifier,
        IOClass: "IOUserService",
        IOUserClass: "RaidController",
        IOUserServerName: scsiDriverIdentifier,
        IOProviderClass: "IOUserResources",
        IOResourceMatch: "IOKit",
      },
    },
    classes: { RaidController },
  };
}

/** The driver as its bundle lies on a disk: the Mach-O imports what the bundle says that it needs. */
export function scsiDriverFiles(bundle: DriverBundle): BundleFile[] {
  const imports = bundle.imports ?? [];
  const frameworks = [...new Set(imports.map(({ framework }) => framework))];
  const isNewer = missingImports(imports, "24.3").length > 0;
  const part = samplePart("dext", bundle.entitlements, bundle.entitlements, {
    bundleIdentifier: bundle.identifier,
    teamIdentifier: bundle.teamIdentifier,
  });
  return signedFiles(part, {
    info: { IOKitPersonalities: bundle.personalities },
    executable: {
      minimumOS: "24.0",
      sdk: isNewer ? "24.4" : "24.0",
      dylibs: frameworks.map(
        (name) => `/System/DriverKit/System/Library/Frameworks/${name}.framework/${name}`,
      ),
      imports: imports.map(({ framework, symbol }) => ({
        symbol: symbolName(symbol),
        dylib: frameworks.indexOf(framework),
      })),
    },
  });
}

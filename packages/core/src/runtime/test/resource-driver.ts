// For the runtime's own tests: a machine and a driver without hardware, as narrow as they can be.

import { hostTurn } from "@drydock/node/host-turn";
import { platformProfile } from "../../platform/platform-profile.ts";
import type { Properties } from "../../platform/properties.ts";
import type { DriverBundle } from "../driver-bundle.ts";
import { Machine, type MachineOptions } from "../machine.ts";
import { IOService, type ServiceClass } from "../service.ts";

export const testBundleIdentifier = "org.drydock.test.driver";

/** A driver on IOUserResources whose class is `driver`; more classes and keys where a test needs them. */
export function resourceBundle(
  driver: ServiceClass,
  personality: Properties = {},
  classes: Readonly<Record<string, ServiceClass>> = {},
): DriverBundle {
  return {
    identifier: testBundleIdentifier,
    version: "1",
    teamIdentifier: "TESTTEAM00",
    entitlements: { "com.apple.developer.driverkit": true },
    personalities: {
      Test: {
        CFBundleIdentifier: testBundleIdentifier,
        IOClass: "IOUserService",
        IOUserClass: driver.name,
        IOUserServerName: testBundleIdentifier,
        IOProviderClass: "IOUserResources",
        IOMatchCategory: testBundleIdentifier,
        IOResourceMatch: "IOKit",
        ...personality,
      },
    },
    classes: { [driver.name]: driver, ...classes },
  };
}

/** Brings `driver` up on a fresh machine and runs until nothing is left to do, or for 60 virtual seconds. */
export async function startDriver<T extends IOService>(
  driver: ServiceClass,
  options: Partial<MachineOptions> & {
    personality?: Properties;
    classes?: Record<string, ServiceClass>;
  } = {},
): Promise<{ machine: Machine; service: T }> {
  const machine = new Machine({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), ...options });
  machine.install(resourceBundle(driver, options.personality, options.classes));
  await machine.run(60e9);
  return { machine, service: machine.registry.byClass(driver.name)[0] as T };
}

/** A driver that starts, registers, and otherwise does nothing. */
export class QuietDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }
}

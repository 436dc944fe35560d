// P17: a driver that logs each ping, with or without a trace of its own.

import { IOReturns } from "@drydock/core/base/io-return";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOService, type ServiceClass } from "@drydock/core/runtime/service";
import {
  IOUserClient,
  type IOUserClientMethodArguments,
  type IOUserClientMethodDispatch,
} from "@drydock/core/runtime/user-client";

export const pingIdentifier = "org.drydock.case.p17.ping";
/** Selector 0 pings (scalar: how often); selector 1 answers how many events the driver's own trace holds, or 0. */
export const pingSelector = { ping: 0, traced: 1 } as const;

export abstract class PingDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  override async newUserClient(_type: number): Promise<IOUserClient> {
    return this.create(this, "UserClientProperties") as IOUserClient;
  }

  abstract ping(): void;

  /** Events in the driver's own trace. */
  abstract traced(): number;
}

const methods: readonly IOUserClientMethodDispatch[] = [
  {
    function: (target, _reference, call) => {
      for (let count = 0; count < call.scalarInput[0]; count++) (target as PingDriver).ping();
      return IOReturns.kIOReturnSuccess;
    },
    checkCompletionExists: false,
    checkScalarInputCount: 1,
    checkStructureInputSize: 0,
    checkScalarOutputCount: 0,
    checkStructureOutputSize: 0,
  },
  {
    function: (target, _reference, call) => {
      call.scalarOutput[0] = (target as PingDriver).traced();
      return IOReturns.kIOReturnSuccess;
    },
    checkCompletionExists: false,
    checkScalarInputCount: 0,
    checkStructureInputSize: 0,
    checkScalarOutputCount: 1,
    checkStructureOutputSize: 0,
  },
];

class PingUserClient extends IOUserClient {
  override externalMethod(selector: number, methodArguments: IOUserClientMethodArguments): Promise<number> {
    return super.externalMethod(selector, methodArguments, methods[selector] ?? null, this.provider);
  }
}

/** `version` "2" is the upgrade that leaves logd with a stale mapping. */
export function pingBundle(cls: ServiceClass, version = "1"): DriverBundle {
  return {
    identifier: pingIdentifier,
    version,
    teamIdentifier: "CASE000017",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.allow-any-userclient-access": true,
    },
    personalities: {
      Ping: {
        CFBundleIdentifier: pingIdentifier,
        IOClass: "IOUserService",
        IOUserClass: "Ping",
        IOUserServerName: pingIdentifier,
        IOProviderClass: "IOUserResources",
        IOMatchCategory: pingIdentifier,
        UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "PingUserClient" },
      },
    },
    classes: { Ping: cls, PingUserClient },
  };
}

// The sample's driver: no hardware, one user client that answers a ping; it logs every step.

import { IOReturns } from "@drydock/core/base/io-return";
import type { Properties } from "@drydock/core/platform/properties";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOService } from "@drydock/core/runtime/service";
import {
  IOUserClient,
  type IOUserClientMethodArguments,
  type IOUserClientMethodDispatch,
} from "@drydock/core/runtime/user-client";

export const nullDriverIdentifier = "org.drydock.sample.null-driver";

export class NullDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.log("NullDriver Start");
    this.registerService();
  }

  override async newUserClient(_type: number): Promise<IOUserClient> {
    this.log("NullDriver NewUserClient");
    return this.create(this, "UserClientProperties") as IOUserClient;
  }
}

/** Selector 0: takes one scalar and gives it back plus one. */
const methods: readonly IOUserClientMethodDispatch[] = [
  {
    function: (_target, _reference, methodArguments) => {
      methodArguments.scalarOutput[0] = methodArguments.scalarInput[0] + 1;
      return IOReturns.kIOReturnSuccess;
    },
    checkCompletionExists: false,
    checkScalarInputCount: 1,
    checkStructureInputSize: 0,
    checkScalarOutputCount: 1,
    checkStructureOutputSize: 0,
  },
];

export class NullDriverUserClient extends IOUserClient {
  override init(): boolean {
    this.log("NullDriverUserClient init");
    return super.init();
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.log("NullDriverUserClient Start");
  }

  override async stop(provider: IOService): Promise<void> {
    this.log("NullDriverUserClient Stop");
    await super.stop(provider);
  }

  override free(): void {
    this.log("NullDriverUserClient free");
    super.free();
  }

  override externalMethod(selector: number, methodArguments: IOUserClientMethodArguments): Promise<number> {
    return super.externalMethod(selector, methodArguments, methods[selector] ?? null);
  }
}

/** The sample with the given entitlements besides the two every driver has. */
export function nullDriverBundle(
  entitlements: Properties,
  userClientProperties: Properties = {},
): DriverBundle {
  return {
    identifier: nullDriverIdentifier,
    version: "1",
    teamIdentifier: "DRIVERTEAM",
    entitlements: { "com.apple.developer.driverkit": true, ...entitlements },
    personalities: {
      NullDriver: {
        CFBundleIdentifier: nullDriverIdentifier,
        IOClass: "IOUserService",
        IOUserClass: "NullDriver",
        IOUserServerName: nullDriverIdentifier,
        IOProviderClass: "IOUserResources",
        IOMatchCategory: nullDriverIdentifier,
        IOResourceMatch: "IOKit",
        UserClientProperties: {
          IOClass: "IOUserUserClient",
          IOUserClass: "NullDriverUserClient",
          ...userClientProperties,
        },
      },
    },
    classes: { NullDriver, NullDriverUserClient },
  };
}

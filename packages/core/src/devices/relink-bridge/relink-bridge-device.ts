// A USB bridge before a drive with a lock, which must drop its link to show the unlocked drive.

import { MassStorageDevice, type MassStorageOptions } from "../mass-storage/mass-storage-device.ts";
import { BridgeSecurity, type BridgeSecurityOptions } from "./bridge-security.ts";

export type RelinkBridgeOptions = MassStorageOptions & Omit<BridgeSecurityOptions, "target">;

export class RelinkBridgeDevice extends MassStorageDevice {
  readonly security: BridgeSecurity;

  constructor(options: RelinkBridgeOptions) {
    const security = new BridgeSecurity(options);
    super({ ...options, target: security });
    this.security = security;
    security.dropLink = () => this.relink();
  }

  override reset(): void {
    this.security.busReset();
    super.reset();
  }
}

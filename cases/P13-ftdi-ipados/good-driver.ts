// P13, right: every packet of a transfer begins with two status bytes, so they are taken off per packet.

import { stripFtdiStatus } from "@drydock/core/codec/ftdi/ftdi";
import { bridgeBundle, FtdiBridgeDriver } from "./bridge-driver.ts";

class FtdiBridge extends FtdiBridgeDriver {
  protected override stripStatus(buffer: Uint8Array, length: number): number {
    return stripFtdiStatus(buffer, length, this.packetBytes, () => {});
  }
}

export const goodBridgeBundle = bridgeBundle("good", FtdiBridge);

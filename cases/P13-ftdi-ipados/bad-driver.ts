// P13, wrong: the two status bytes are taken off once per transfer.

import { bridgeBundle, FtdiBridgeDriver } from "./bridge-driver.ts";

class FtdiBridge extends FtdiBridgeDriver {
  protected override stripStatus(buffer: Uint8Array, length: number): number {
    if (length < 2) return 0;
    buffer.copyWithin(0, 2, length);
    return length - 2;
  }
}

export const badBridgeBundle = bridgeBundle("bad", FtdiBridge);

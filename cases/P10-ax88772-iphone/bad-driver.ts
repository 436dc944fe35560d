// P10, wrong: one frame for each transfer and nothing kept, and no pad word behind a transmit transfer.

import { ethernetBundle, SmallReadsDriver } from "./ethernet-driver.ts";

const headerBytes = 4;

class OneFrameDriver extends SmallReadsDriver {
  /** Takes the first frame of the transfer; what follows it, and what goes on in the next transfer, is thrown away. */
  protected override readReceived(bytes: Uint8Array, length: number): void {
    const frameBytes = (bytes[0] | (bytes[1] << 8)) & 0x7ff;
    const isHeader = ((bytes[0] ^ bytes[2]) & 0xff) === 0xff;
    if (isHeader && headerBytes + frameBytes <= length) this.frameReceived(bytes, headerBytes, frameBytes);
    else this.droppedFrames++;
  }

  /** The frame behind its header, and no more: where both end on a full packet, the chip waits for the rest. */
  protected override endWrite(): number {
    const whole = super.endWrite();
    return (whole - headerBytes) % this.packetBytes === 0 ? whole - headerBytes : whole;
  }
}

export const badEthernetBundle = ethernetBundle("bad", OneFrameDriver);

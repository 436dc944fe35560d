// A CDC ECM adapter: one bare frame for each transfer, ended by a short packet.

import { cdcEcmSubClass, encodeEcmFunction } from "../../codec/cdc-ecm/cdc-ecm.ts";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import {
  CdcEthernetModel,
  type CdcEthernetOptions,
  cdcEthernetControl,
  cdcEthernetData,
  cdcInEndpoint,
} from "../cdc-ethernet-model.ts";

/** Frames that wait for the host. */
const queueFrames = 64;

export class CdcEcmDevice extends CdcEthernetModel {
  readonly #frames: Uint8Array[] = [];
  readonly #lengths = new Uint16Array(queueFrames);
  #first = 0;
  #count = 0;
  /** Bytes of the first frame that the host has. */
  #given = 0;
  #owesZeroPacket = false;
  readonly #held = new Uint8Array(maximumTaggedFrameBytes);
  #heldBytes = 0;

  constructor(options: CdcEthernetOptions = {}) {
    super(options, {
      subClass: cdcEcmSubClass,
      dataProtocol: 0,
      product: "CDC ECM adapter",
      functionDescriptors: (ethernet) => encodeEcmFunction(cdcEthernetControl, cdcEthernetData, ethernet),
      hasPacketFilter: true,
    });
    for (let index = 0; index < queueFrames; index++)
      this.#frames.push(new Uint8Array(maximumTaggedFrameBytes));
  }

  protected override queueFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#count === queueFrames || length > maximumTaggedFrameBytes) return false;
    const at = (this.#first + this.#count) % queueFrames;
    this.#frames[at].set(bytes.subarray(offset, offset + length));
    this.#lengths[at] = length;
    if (this.#count++ === 0) this.ready(cdcInEndpoint);
    return true;
  }

  protected override dataReset(): void {
    this.#first = 0;
    this.#count = 0;
    this.#given = 0;
    this.#owesZeroPacket = false;
    this.#heldBytes = 0;
  }

  protected override bulkIn(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#owesZeroPacket) {
      this.#owesZeroPacket = false;
      return 0;
    }
    if (this.#count === 0) return UsbNak;
    const size = this.#lengths[this.#first];
    const count = Math.min(size - this.#given, length);
    buffer.set(this.#frames[this.#first].subarray(this.#given, this.#given + count), offset);
    this.#given += count;
    if (this.#given === size) {
      this.#first = (this.#first + 1) % queueFrames;
      this.#count--;
      this.#given = 0;
      this.#owesZeroPacket = size % this.packetBytes === 0;
    }
    return count;
  }

  /** ECM §3.3.1: a frame is over at a short packet. One that grows beyond what a frame may have is thrown away, and counted. */
  protected override bulkOut(buffer: Uint8Array, offset: number, length: number): number {
    const isEnd = length % this.packetBytes !== 0 || length === 0;
    if (this.#heldBytes + length <= this.#held.length)
      this.#held.set(buffer.subarray(offset, offset + length), this.#heldBytes);
    this.#heldBytes += length;
    if (!isEnd) return length;
    const total = this.#heldBytes;
    this.#heldBytes = 0;
    if (total >= ethernetHeaderBytes && total <= this.#held.length) this.send(this.#held, 0, total);
    else if (total > 0) this.counts.badTransfers++;
    return length;
  }
}

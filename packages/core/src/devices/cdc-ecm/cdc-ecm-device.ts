// A CDC ECM adapter: one bare frame for each transfer, ended by a short packet.

import { cdcEcmSubClass, encodeEcmFunction } from "../../codec/cdc-ecm/cdc-ecm.ts";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import {
  CdcEthernetModel,
  type CdcEthernetOptions,
  cdcEthernetControl,
  cdcEthernetData,
} from "../cdc-ethernet-model.ts";
import { FrameRing } from "../frame-ring.ts";

/** Frames that wait for the host. */
const queueFrames = 256;

export class CdcEcmDevice extends CdcEthernetModel {
  readonly #frames = new FrameRing(queueFrames);

  constructor(options: CdcEthernetOptions = {}) {
    super(options, {
      subClass: cdcEcmSubClass,
      dataProtocol: 0,
      product: "CDC ECM adapter",
      functionDescriptors: (ethernet) => encodeEcmFunction(cdcEthernetControl, cdcEthernetData, ethernet),
      hasPacketFilter: true,
      outUnitBytes: maximumTaggedFrameBytes,
    });
  }

  protected override queueFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    const isKept = this.#frames.push(bytes, offset, length);
    if (isKept && this.#frames.count === 1) this.unitWaits();
    return isKept;
  }

  protected override unitsReset(): void {
    this.#frames.clear();
  }

  protected override nextUnit(): Uint8Array | null {
    return this.#frames.count === 0 ? null : this.#frames.first;
  }

  protected override nextUnitBytes(): number {
    return this.#frames.firstBytes;
  }

  protected override inUnitBytes(): number {
    return maximumTaggedFrameBytes;
  }

  protected override unitTaken(): void {
    this.#frames.shift();
  }

  /** ECM §3.3.1: one frame. */
  protected override takeUnit(bytes: Uint8Array, length: number): void {
    if (length >= ethernetHeaderBytes) this.send(bytes, 0, length);
    else if (length > 0) this.counts.badTransfers++;
    else
      this.misused("an empty frame: an empty packet behind one that was short already (CDC ECM 1.2 §3.3.1)");
  }
}

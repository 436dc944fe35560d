// A device in DFU mode: Universal Serial Bus Device Class Specification for Device Firmware Upgrade, version 1.1.

import type { Setup } from "@drydock/core/codec/usb/setup";
import { OneInterfaceDevice } from "./one-interface-device.ts";

/** §3: requests. */
const request = {
  detach: 0,
  dnload: 1,
  upload: 2,
  getStatus: 3,
  clrStatus: 4,
  getState: 5,
  abort: 6,
} as const;
/** §6.1.2: states of the DFU mode. */
const state = {
  idle: 2,
  dnloadSync: 3,
  dnloadBusy: 4,
  dnloadIdle: 5,
  manifestSync: 6,
  manifest: 7,
  uploadIdle: 9,
  error: 10,
} as const;
/** §6.1.2: errSTALLEDPKT. */
const stalledPacket = 0x0f;
const busyMs = 3;

export const dfuTransferBytes = 256;

/**
 * Downloads and uploads, one setting, tolerant of manifestation: it is back in dfuIDLE afterwards. A request that its state
 * does not allow stalls and leads to dfuERROR (§A.2).
 */
export class DfuDevice extends OneInterfaceDevice {
  /** What has been downloaded and manifested. */
  flash: Uint8Array = new Uint8Array(0);
  /** Downloads that ended with the empty block. */
  manifestations = 0;
  #state: number = state.idle;
  #status = 0;
  #blocks: Uint8Array[] = [];

  constructor() {
    super({
      idVendor: 0x1209,
      idProduct: 0xdf11,
      manufacturer: "Drydock",
      product: "DFU target",
      serialNumber: "DFU-1",
      interfaceClass: [0xfe, 1, 2],
      endpoints: [],
      // §4.1.3: download, upload, manifestation tolerant; detach after 255 ms; DFU 1.1.
      extra: [
        Uint8Array.of(9, 0x21, 0x07, 255, 0, dfuTransferBytes & 0xff, dfuTransferBytes >> 8, 0x10, 0x01),
      ],
    });
  }

  protected override powerOn(): void {
    super.powerOn();
    this.#state = state.idle;
    this.#status = 0;
    this.#blocks = [];
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    switch (setup.bRequest) {
      case request.dnload:
        return this.#download(setup.wValue, data);
      case request.clrStatus:
        if (this.#state !== state.error) return this.#refuse();
        this.#state = state.idle;
        this.#status = 0;
        return true;
      case request.abort:
        this.#state = state.idle;
        this.#blocks = [];
        return true;
      default:
        return this.#refuse();
    }
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    switch (setup.bRequest) {
      case request.getStatus:
        return this.#getStatus();
      case request.getState:
        return Uint8Array.of(this.#state);
      case request.upload:
        return this.#upload(setup.wValue, setup.wLength);
      default:
        this.#refuse();
        return null;
    }
  }

  #download(block: number, data: Uint8Array): boolean {
    const isFirst = this.#state === state.idle;
    if (!isFirst && this.#state !== state.dnloadIdle) return this.#refuse();
    if (data.length === 0) {
      if (isFirst) return this.#refuse();
      this.#state = state.manifestSync;
      return true;
    }
    if (isFirst) this.#blocks = [];
    if (block !== this.#blocks.length || data.length > dfuTransferBytes) return this.#refuse();
    this.#blocks.push(data.slice());
    this.#state = state.dnloadSync;
    return true;
  }

  /** §6.1.2: the answer names the state that follows, and how long the host waits before it asks again. */
  #getStatus(): Uint8Array {
    let wait = 0;
    if (this.#state === state.dnloadSync) {
      this.#state = state.dnloadBusy;
      wait = busyMs;
    } else if (this.#state === state.dnloadBusy) this.#state = state.dnloadIdle;
    else if (this.#state === state.manifestSync) {
      this.#state = state.manifest;
      this.flash = Buffer.concat(this.#blocks);
      this.manifestations++;
      wait = busyMs;
    } else if (this.#state === state.manifest) this.#state = state.idle;
    return Uint8Array.of(this.#status, wait, 0, 0, this.#state, 0);
  }

  #upload(block: number, length: number): Uint8Array | null {
    if (this.#state !== state.idle && this.#state !== state.uploadIdle) {
      this.#refuse();
      return null;
    }
    const at = block * dfuTransferBytes;
    const part = this.flash.slice(at, at + Math.min(length, dfuTransferBytes));
    this.#state = part.length < length ? state.idle : state.uploadIdle;
    return part;
  }

  #refuse(): false {
    this.#state = state.error;
    this.#status = stalledPacket;
    return false;
  }
}

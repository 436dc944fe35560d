// What a disk's dext is to the runtime: answers asked for before the kernel's half begins, requests by the hooks.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import {
  type Accepted,
  type BlockRange,
  type DeviceParams,
  IOUserBlockStorageDevice,
} from "@drydock/core/families/block/io-user-block-storage-device";
import type { IOService } from "@drydock/core/runtime/service";

/** Methods without a body in the dext's class are pure virtual for Apple's compiler; here the run says so when they are asked. */
export class DextBlockDevice extends IOUserBlockStorageDevice {
  #params: DeviceParams | null = null;
  #vendor = "";
  #product = "";
  #revision = "";
  #isWriteProtected = false;

  #missing(call: string): never {
    throw this.failure(
      IOReturns.kIOReturnUnsupported,
      call,
      "pure virtual: the dext's class has no body for it",
    );
  }

  async askParams(): Promise<DeviceParams> {
    return this.#missing("GetDeviceParams");
  }
  async askVendor(): Promise<string> {
    return this.#missing("GetVendorString");
  }
  async askProduct(): Promise<string> {
    return this.#missing("GetProductString");
  }
  async askRevision(): Promise<string> {
    return this.#missing("GetRevisionString");
  }
  async askWriteProtection(): Promise<boolean> {
    return this.#missing("ReportWriteProtection");
  }

  /** SUPERDISPATCH of Start: the hardware is ready, and the kernel asks what it is. */
  override async start(provider: IOService): Promise<void> {
    this.#params = await this.askParams();
    this.#vendor = await this.askVendor();
    this.#product = await this.askProduct();
    this.#revision = await this.askRevision();
    this.#isWriteProtected = await this.askWriteProtection();
    await super.start(provider);
  }

  override getDeviceParams(): DeviceParams {
    return this.#params ?? this.#missing("GetDeviceParams");
  }
  override getVendorString(): string {
    return this.#vendor;
  }
  override getProductString(): string {
    return this.#product;
  }
  override getRevisionString(): string {
    return this.#revision;
  }
  override reportWriteProtection(): boolean {
    return this.#isWriteProtected;
  }

  override doAsyncReadWrite(
    _isRead: boolean,
    _requestId: number,
    _dmaAddr: number,
    _size: number,
    _lba: number,
    _numOfBlocks: number,
    _options: number,
  ): Accepted {
    return this.#missing("DoAsyncReadWrite");
  }
  override doAsyncSynchronize(_requestId: number, _lba: number, _numOfBlocks: number): Accepted {
    return this.#missing("DoAsyncSynchronize");
  }
  /** As one that opts out: what does not unmap says so in its parameters. */
  override doAsyncUnmapPriv(_requestId: number, _ranges: readonly BlockRange[]): Accepted {
    return IOReturns.kIOReturnUnsupported as IOReturn;
  }
}

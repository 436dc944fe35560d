// IOUserAudioObject: what the audio server addresses by number. Lives in the dext alone.

import type { IOReturn } from "../../base/io-return.ts";
import type { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import type { IOError } from "../../runtime/io-error.ts";
import type { IOService } from "../../runtime/service.ts";

/** A driver as its objects see it. */
export interface AudioObjectOwner extends IOService {
  /** Numbers for objects: the driver itself is 1. */
  takeObjectID(): number;
  getWorkQueue(): IODispatchQueue;
  propertiesChanged(objectID: number): void;
}

export abstract class IOUserAudioObject {
  readonly driver: AudioObjectOwner;
  readonly #objectID: number;
  #name = "";
  /** Number of the object that it was added to; 0 before. */
  ownerObjectID = 0;

  protected constructor(driver: AudioObjectOwner) {
    this.driver = driver;
    this.#objectID = driver.takeObjectID();
  }

  getObjectID(): number {
    return this.#objectID;
  }

  getOwnerObjectID(): number {
    return this.ownerObjectID;
  }

  /** What the server asks of an object runs here, one after the other. */
  getWorkQueue(): IODispatchQueue {
    return this.driver.getWorkQueue();
  }

  setName(name: string): void {
    this.#name = name;
  }

  getName(): string {
    return this.#name;
  }

  protected failure(code: IOReturn, call: string, detail = ""): IOError {
    return this.driver.failure(code, call, detail);
  }
}

// IOUserAudioDriver: the service that an audio dext is. Devices hang on it; the audio server starts and stops them.

import { IOReturns } from "../../base/io-return.ts";
import type { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import { IOService } from "../../runtime/service.ts";
import { IOUserAudioTransportType, kIOUserAudioObjectIDDriver } from "./audio-format.ts";
import { IOUserAudioClockDevice } from "./io-user-audio-clock-device.ts";
import type { AudioObjectOwner, IOUserAudioObject } from "./io-user-audio-object.ts";

/**
 * Start: super, devices with their streams, `addObject`, `registerService`. Stop: the server has stopped I/O where it could;
 * a driver still stops its engine itself, as its device may have left without anybody asking.
 */
export class IOUserAudioDriver extends IOService implements AudioObjectOwner {
  readonly #objects = new Map<number, IOUserAudioObject>();
  #nextID = kIOUserAudioObjectIDDriver + 1;
  #transportType: number = IOUserAudioTransportType.Unknown;
  /** Told when an object came, left, or says that it changed: the server's. */
  onObjects: (() => void) | null = null;

  takeObjectID(): number {
    return this.#nextID++;
  }

  getWorkQueue(): IODispatchQueue {
    return this.defaultQueue;
  }

  setTransportType(type: number): void {
    this.#transportType = type;
  }

  getTransportType(): number {
    return this.#transportType;
  }

  /** kIOReturnBadArgument: it is there already. */
  addObject(object: IOUserAudioObject): void {
    const id = object.getObjectID();
    if (this.#objects.has(id))
      throw this.failure(IOReturns.kIOReturnBadArgument, "AddObject", `object ${id}`);
    this.#objects.set(id, object);
    object.ownerObjectID = kIOUserAudioObjectIDDriver;
    this.onObjects?.();
  }

  /** kIOReturnNotFound: it is not there. */
  removeObject(object: IOUserAudioObject): void {
    if (!this.#objects.delete(object.getObjectID()))
      throw this.failure(IOReturns.kIOReturnNotFound, "RemoveObject", `object ${object.getObjectID()}`);
    object.ownerObjectID = 0;
    this.onObjects?.();
  }

  getAudioObjectForObjectID(objectID: number): IOUserAudioObject | null {
    return this.#objects.get(objectID) ?? null;
  }

  propertiesChanged(_objectID: number): void {
    this.onObjects?.();
  }

  /** Devices in the order in which they were added: the server's. */
  get audioDevices(): IOUserAudioClockDevice[] {
    return [...this.#objects.values()].filter((object) => object instanceof IOUserAudioClockDevice);
  }

  /**
   * The server wants a device to run; the default asks the device itself. kIOReturnBadArgument: no such device. A rejection
   * is what the application hears.
   */
  async startDevice(objectID: number, flags: number): Promise<void> {
    const device = this.#device(objectID, "StartDevice");
    await device.startIO(flags);
    device.isRunning = true;
  }

  /** The last application has gone. The default asks the device. */
  async stopDevice(objectID: number, flags: number): Promise<void> {
    const device = this.#device(objectID, "StopDevice");
    await device.stopIO(flags);
    device.isRunning = false;
  }

  #device(objectID: number, call: string): IOUserAudioClockDevice {
    const device = this.#objects.get(objectID);
    if (!(device instanceof IOUserAudioClockDevice))
      throw this.failure(IOReturns.kIOReturnBadArgument, call, `object ${objectID} is no device`);
    return device;
  }
}

// A small USB sampler and its driver, right or with one habit for each thing that can happen to a transfer.

import { SmallUsbDevice } from "../../devices/small-usb-device.ts";
import {
  IOError,
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "../../families/usb/usb-driver-kit.ts";
import { ownUsbRig } from "../../rigs/own-rig.ts";
import type { RigEntry } from "../../rigs/rig-entry.ts";
import type { ServiceClass } from "../../runtime/service.ts";

const ids = { idVendor: 0x1209, idProduct: 0x0d33 };
const requestIn = 0xc0;
const sampleRequest = 1;
const samples = 4;

/** Vendor request 1: a number that grows by one, and how many bytes follow. */
class Sampler extends SmallUsbDevice {
  #number = 0;

  constructor() {
    super(ids);
  }

  protected override powerOn(): void {
    this.#number = 0;
  }

  protected override answerRequest({ bRequest }: { readonly bRequest: number }): Uint8Array | null {
    return bRequest === sampleRequest ? Uint8Array.of(this.#number++, 2, 5, 6) : null;
  }
}

export type SamplerHabit = "has-no-timeout" | "gives-up-badly" | "believes-lengths" | "insists-on-order";

export function samplerRig(habit: SamplerHabit | null): RigEntry {
  const cls: ServiceClass = class SamplerDriver extends IOService {
    #usb: IOUSBHostInterface | null = null;
    #next = 0;

    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      this.#usb = provider as IOUSBHostInterface;
      await this.#usb.open(this);
      this.registerService();
    }

    /** Null: it could not be had. */
    async sample(): Promise<number | null> {
      const usb = this.#usb as IOUSBHostInterface;
      const answer = usb.createIOBuffer(kIOMemoryDirectionIn, 4);
      const timeoutMs = habit === "has-no-timeout" ? 0 : habit === "gives-up-badly" ? 2 : 100;
      let count = 0;
      try {
        count = await usb.deviceRequest(requestIn, sampleRequest, 0, 0, 4, answer, timeoutMs);
      } catch (error) {
        if (habit === "gives-up-badly") throw new Error("no answer, and nobody thought of that");
        if (!(error instanceof IOError)) throw error;
        return null;
      }
      const { bytes } = answer;
      if (habit === "insists-on-order" && bytes[0] !== this.#next)
        throw new RangeError("a sample is missing");
      this.#next = bytes[0] + 1;
      const length = bytes[1];
      if (habit === "believes-lengths" && length > count - 2)
        throw new RangeError("read past the answer's end");
      return count === 4 && length === 2 ? bytes[2] : null;
    }
  };
  return ownUsbRig({
    name: "sampler",
    summary: "a device that counts",
    devices: [{ name: "a device that counts", make: () => new Sampler() }],
    bundles: [usbBundle(cls, ids)],
    use: async ({ machine }) => {
      const driver = machine.registry.byClass("SamplerDriver")[0] as
        | (IOService & { sample(): Promise<number | null> })
        | undefined;
      if (driver === undefined) return "no driver";
      const values: (number | null)[] = [];
      await machine.perform(async () => {
        for (let count = 0; count < samples; count++)
          try {
            values.push(await driver.sample());
          } catch (error) {
            // What the driver throws on a thread of its own ends its process.
            driver.process.spawn("sample", () => {
              throw error;
            });
            throw error;
          }
      }, driver.process);
      return values.every((value) => value === 5) ? "sampled" : "not all";
    },
  });
}

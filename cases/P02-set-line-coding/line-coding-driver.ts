// What both drivers of P02 share: everything of a USB UART's driver but the request in question.

import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOError } from "@drydock/core/runtime/io-error";
import { IOService, type ServiceClass } from "@drydock/core/runtime/service";

/** What a terminal program asked for: bits per second, data bits, half stop bits, parity code of HwProgramUART. */
export interface LineWish {
  readonly baudRate: number;
  readonly dataBits: number;
  readonly halfStopBits: number;
  readonly parity: number;
}

export const classRequestOut = 0x21;
export const setLineCodingRequest = 0x20;
const getLineCodingRequest = 0x21;
const sendBreakRequest = 0x23;
const timeoutMs = 1000;

/** The result of a request, as the driver publishes it in its properties. */
export interface RequestResult {
  readonly status: number;
  readonly bytes: number;
}

/**
 * Sets 115200 8N1 when it starts, then sends a break, then asks for the line coding again; every result goes into its
 * properties. Subclasses differ in `setLineCoding`.
 */
export abstract class LineCodingDriver extends IOService {
  protected usb!: IOUSBHostInterface;

  protected wish(): LineWish {
    return { baudRate: 115200, dataBits: 8, halfStopBits: 2, parity: 1 };
  }

  /** The request that the case is about. */
  protected abstract setLineCoding(wish: LineWish): Promise<number>;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.usb = provider as IOUSBHostInterface;
    await this.usb.open(this);
    await this.#publish("SetLineCoding", () => this.setLineCoding(this.wish()));
    await this.#publish("SendBreak", () =>
      this.usb.deviceRequest(classRequestOut, sendBreakRequest, 10, this.usb.number, 0, null, timeoutMs),
    );
    await this.#publish("GetLineCoding", async () => {
      const buffer = this.usb.createIOBuffer(1, 7);
      const count = await this.usb.deviceRequest(
        0xa1,
        getLineCodingRequest,
        0,
        this.usb.number,
        7,
        buffer,
        timeoutMs,
      );
      this.setProperties({ LineCoding: buffer.bytes.slice(0, count) });
      return count;
    });
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    this.usb.close(this);
    await super.stop(provider);
  }

  async #publish(name: string, request: () => Promise<number>): Promise<void> {
    let result: RequestResult;
    try {
      result = { status: 0, bytes: await request() };
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      result = { status: error.code, bytes: 0 };
    }
    this.setProperties({ [name]: { ...result } });
  }
}

/** The bundle of a driver of this case. */
export function lineCodingBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p02.${name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ bInterfaceClass: 2, bInterfaceSubClass: 2 }],
    },
    personalities: {
      UART: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: "P02Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOUSBHostInterface",
        bInterfaceClass: 2,
        bInterfaceSubClass: 2,
      },
    },
    classes: { P02Driver: cls },
  };
}

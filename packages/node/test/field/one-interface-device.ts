// A device model of the tests: one interface of any class, packets queued for the host, packets heard from it.

import { type EndpointDescriptor, encodeConfiguration } from "@drydock/core/codec/usb/descriptors";
import { directionIn, type Setup } from "@drydock/core/codec/usb/setup";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import { UsbNak } from "@drydock/core/ports/usb-device";

export interface OneInterfacePlan {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly manufacturer: string;
  readonly product: string;
  readonly serialNumber: string;
  /** Class, subclass, protocol. */
  readonly interfaceClass: readonly [number, number, number];
  readonly endpoints: readonly EndpointDescriptor[];
  /** Default full speed. */
  readonly speed?: UsbSpeed;
  /** Class-specific descriptors after the interface. */
  readonly extra?: readonly Uint8Array[];
}

/** A subclass overrides `heard`, and `answerRequest` and `performRequest` where it has requests of its own. */
export class OneInterfaceDevice extends UsbDeviceModel {
  readonly #packetBytes: ReadonlyMap<number, number>;
  /** By endpoint address: packets for the host. */
  readonly #queues = new Map<number, Uint8Array[]>();

  constructor(plan: OneInterfacePlan) {
    const [bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol] = plan.interfaceClass;
    super({
      speed: plan.speed ?? UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: plan.idVendor,
        idProduct: plan.idProduct,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          [
            {
              bInterfaceNumber: 0,
              bInterfaceClass,
              bInterfaceSubClass,
              bInterfaceProtocol,
              extra: plan.extra ?? [],
              endpoints: plan.endpoints,
            },
          ],
        ),
      ],
      strings: [plan.manufacturer, plan.product, plan.serialNumber],
    });
    this.#packetBytes = new Map(
      plan.endpoints.map(({ bEndpointAddress, wMaxPacketSize }) => [bEndpointAddress, wMaxPacketSize]),
    );
  }

  /** Queues bytes for the host, cut into packets; none of length 0 follows. */
  say(endpoint: number, bytes: Uint8Array): void {
    const size = this.#packetBytes.get(endpoint) ?? 64;
    const queue = this.#queues.get(endpoint) ?? [];
    this.#queues.set(endpoint, queue);
    for (let at = 0; at < bytes.length; at += size) queue.push(bytes.slice(at, at + size));
    this.ready(endpoint);
  }

  /** Bytes of an OUT endpoint; a copy. */
  protected heard(_endpoint: number, _bytes: Uint8Array): void {}

  protected override powerOn(): void {
    this.#queues?.clear();
  }

  protected override answerRequest(_setup: Setup): Uint8Array | null {
    return null;
  }

  protected override performRequest(_setup: Setup, _data: Uint8Array): boolean {
    return false;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const queue = this.#queues.get(endpoint | directionIn);
    const size = this.#packetBytes.get(endpoint | directionIn) ?? 64;
    let written = 0;
    for (;;) {
      const packet = queue?.[0];
      if (packet === undefined || packet.length > length - written) break;
      queue?.shift();
      buffer.set(packet, offset + written);
      written += packet.length;
      if (packet.length < size) return written;
    }
    return written > 0 ? written : UsbNak;
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    this.heard(endpoint, buffer.slice(offset, offset + length));
    return length;
  }
}

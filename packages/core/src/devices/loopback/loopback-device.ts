// A device for testing carriers: loops data back, stalls and stays silent on request.

import { ByteRing } from "../../base/byte-ring.ts";
import { encodeBos, encodeConfiguration, TransferType, usb2Extension } from "../../codec/usb/descriptors.ts";
import type { Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

/** Vendor requests; the contract list of ports/usb-host.contract.ts is written against them. */
const request = { echo: 1, refuse: 2, haltEndpoint: 3, notify: 4, later: 5 } as const;
const bulkIn = 0x81;
const bulkOut = 0x01;
const interruptIn = 0x82;
const alternateIn = 0x83;
const isochronousIn = 0x84;
const isochronousOut = 0x04;
/** Bytes of an isochronous packet at most, and packets that wait at most. */
const isochronousBytes = 64;
const packetsMaximum = 256;
/** 2^n streams on the bulk endpoints at SuperSpeed. */
const streamsLog2 = 4;

/** What went in on one stream and has not come out; 0 is no stream. */
interface Lane {
  readonly ring: ByteRing;
  owesZeroPacket: boolean;
}

/**
 * Bulk OUT 01h comes back on bulk IN 81h (4 KiB between them); interrupt IN 82h says what `notify` gave it; alternate
 * setting 1 adds bulk IN 83h, which answers zeros; setting 2 adds isochronous 04h and 84h, a packet of up to 64 bytes each
 * millisecond: what goes out comes back packet by packet, and where nothing waits there is no packet. Control: `echo` stores and returns its data, `refuse` always STALLs,
 * `haltEndpoint` halts the endpoint in wIndex. At SuperSpeed 01h and 81h have 16 streams: what goes out on one comes
 * back on the same, 4 KiB each.
 */
export class LoopbackDevice extends UsbDeviceModel {
  readonly #lanes = new Map<number, Lane>();
  readonly #packetBytes: number;
  #echo = new Uint8Array(0);
  #notices: number[] = [];
  #packets: Uint8Array[] = [];

  /** Drydock's own test ids unless told otherwise; full speed unless told otherwise. */
  constructor(
    identity: { readonly idVendor: number; readonly idProduct: number } = {
      idVendor: 0x1209,
      idProduct: 0x0002,
    },
    speed: typeof UsbSpeed.full | typeof UsbSpeed.super = UsbSpeed.full,
  ) {
    const isSuper = speed === UsbSpeed.super;
    const packetBytes = isSuper ? 1024 : 64;
    super({
      speed,
      device: {
        bcdUSB: isSuper ? 0x0310 : 0x0200,
        bDeviceClass: 0xff,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        // USB 3.2 §9.6.1: an exponent at SuperSpeed.
        bMaxPacketSize0: isSuper ? 9 : 64,
        ...identity,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [configuration(packetBytes, isSuper)],
      strings: ["Drydock", "Loopback"],
      // USB 3.2 §9.6.2.2: SuperSpeed only.
      ...(isSuper
        ? {
            bos: encodeBos([
              usb2Extension(false),
              { capabilityType: 3, content: Uint8Array.of(0, 0x08, 0, 3, 10, 0xff, 7) },
            ]),
          }
        : {}),
    });
    this.#packetBytes = packetBytes;
  }

  protected override powerOn(): void {
    this.#lanes.clear();
    this.#echo = new Uint8Array(0);
    this.#notices = [];
    this.#packets = [];
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    return setup.bRequest === request.echo ? this.#echo : null;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    switch (setup.bRequest) {
      case request.echo:
        this.#echo = data.slice();
        return true;
      case request.haltEndpoint:
        this.halt(setup.wIndex & 0xff);
        return true;
      case request.notify:
        this.#notices.push(setup.wValue & 0xff);
        this.ready(interruptIn);
        return true;
      default:
        return false;
    }
  }

  protected override dataIn(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number {
    if (endpoint === alternateIn) {
      buffer.fill(0, offset, offset + length);
      return length;
    }
    if (endpoint === interruptIn) {
      const notice = this.#notices.shift();
      if (notice === undefined || length === 0) return UsbNak;
      buffer[offset] = notice;
      return 1;
    }
    if (endpoint === isochronousIn) {
      const packet = this.#packets.shift();
      if (packet === undefined) return UsbNak;
      buffer.set(packet, offset);
      return packet.length;
    }
    const lane = this.#lane(stream);
    const count = lane.ring.pull(buffer, offset, length);
    if (count > 0) {
      lane.owesZeroPacket = count % this.#packetBytes === 0 && count < length;
      this.ready(bulkOut, stream);
      return count;
    }
    if (!lane.owesZeroPacket) return UsbNak;
    lane.owesZeroPacket = false;
    return 0;
  }

  protected override dataOut(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number {
    if (endpoint === isochronousOut) {
      this.#packets.push(buffer.slice(offset, offset + length));
      if (this.#packets.length > packetsMaximum) this.#packets.shift();
      return length;
    }
    if (length === 0) return 0;
    const taken = this.#lane(stream).ring.push(buffer, offset, length);
    if (taken === 0) return UsbNak;
    this.ready(bulkIn, stream);
    return taken;
  }

  #lane(stream: number): Lane {
    let lane = this.#lanes.get(stream);
    if (lane === undefined) {
      lane = { ring: new ByteRing(12), owesZeroPacket: false };
      this.#lanes.set(stream, lane);
    }
    return lane;
  }
}

function configuration(packetBytes: number, isSuper: boolean): Uint8Array {
  const companion = (bmAttributes: number, wBytesPerInterval: number) =>
    isSuper ? { companion: { bMaxBurst: 0, bmAttributes, wBytesPerInterval } } : {};
  const bulk = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: packetBytes,
    bInterval: 0,
    ...companion(bEndpointAddress === alternateIn ? 0 : streamsLog2, 0),
  });
  const notices = {
    bEndpointAddress: interruptIn,
    bmAttributes: TransferType.interrupt,
    wMaxPacketSize: 8,
    bInterval: 1,
    ...companion(0, 8),
  };
  const packets = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.isochronous,
    wMaxPacketSize: isochronousBytes,
    // 2^(n-1) frames at full speed, microframes above.
    bInterval: isSuper ? 4 : 1,
    ...companion(0, isochronousBytes),
  });
  const vendor = { bInterfaceNumber: 0, bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 };
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      { ...vendor, endpoints: [bulk(bulkIn), bulk(bulkOut), notices] },
      {
        ...vendor,
        bAlternateSetting: 1,
        endpoints: [bulk(bulkIn), bulk(bulkOut), notices, bulk(alternateIn)],
      },
      {
        ...vendor,
        bAlternateSetting: 2,
        endpoints: [bulk(bulkIn), bulk(bulkOut), notices, packets(isochronousOut), packets(isochronousIn)],
      },
    ],
  );
}

// What ECM and NCM adapter models share: two interfaces, the packet filter, notifications of the link, counts.

import { cdcControlClass, cdcDataClass } from "../codec/cdc/cdc.ts";
import { encodeNotification } from "../codec/cdc/functional.ts";
import {
  EcmRequest,
  type EthernetFunction,
  EthernetNotification,
  encodeSpeedChange,
  macString,
  PacketFilter,
  packetFilterMask,
} from "../codec/cdc-ecm/cdc-ecm.ts";
import {
  ethernetHeaderBytes,
  isBroadcastAddress,
  isGroupAddress,
  isSameAddress,
} from "../codec/ethernet/ethernet.ts";
import { encodeConfiguration, TransferType } from "../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { EthernetJack, type JackOwner } from "./ethernet-jack.ts";
import { UsbDeviceModel } from "./usb-device-model.ts";

export const cdcEthernetControl = 0;
export const cdcEthernetData = 1;
export const cdcNotifyEndpoint = 0x83;
export const cdcInEndpoint = 0x81;
export const cdcOutEndpoint = 0x02;

export interface CdcEthernetOptions {
  /** Default high. */
  readonly speed?: typeof UsbSpeed.full | typeof UsbSpeed.high;
  readonly idVendor?: number;
  readonly idProduct?: number;
  /** The host's station address, as the device's string names it. Default 02:00:00:00:00:01. */
  readonly macAddress?: Uint8Array;
  /** wMaxSegmentSize: the longest frame. Default 1514. */
  readonly segmentBytes?: number;
  /** False: it has no notification endpoint, and never says that it has a link. Default true. */
  readonly notifies?: boolean;
  /** Bits per second that it announces; default 425,984,000 at high speed, what a gadget says there. */
  readonly bitsPerSecond?: number;
}

/** What arrived at the model, for tests and for the lab. */
export interface CdcEthernetCounts {
  sentFrames: number;
  receivedFrames: number;
  /** From the cable, by their address, or because they are none. */
  filteredFrames: number;
  /** From the cable, with no room for them. */
  overruns: number;
  /** Transfers from the host that hold no frame, or none that can be read. */
  badTransfers: number;
}

/** What a subclass is besides: its control interface's kind and descriptors. */
export interface CdcEthernetKind {
  readonly subClass: number;
  readonly dataProtocol: number;
  readonly product: string;
  readonly functionDescriptors: (ethernet: EthernetFunction) => readonly Uint8Array[];
  /** Whether SET_ETHERNET_PACKET_FILTER is taken. */
  readonly hasPacketFilter: boolean;
  /** The longest unit (frame or block) that it takes from the host. */
  readonly outUnitBytes: number;
}

const defaultAddress = Uint8Array.of(0x02, 0, 0, 0, 0, 0x01);
const macStringIndex = 4;
const startFilter = PacketFilter.directed | PacketFilter.broadcast | PacketFilter.allMulticast;
const megabit = 1_000_000;

export abstract class CdcEthernetModel extends UsbDeviceModel implements JackOwner {
  readonly jack: EthernetJack;
  readonly macAddress: Uint8Array;
  readonly counts: CdcEthernetCounts = {
    sentFrames: 0,
    receivedFrames: 0,
    filteredFrames: 0,
    overruns: 0,
    badTransfers: 0,
  };
  readonly #packetBytes: number;
  readonly #kind: CdcEthernetKind;
  readonly #bitsPerSecond: number;
  #filter = startFilter;
  #multicast: Uint8Array = new Uint8Array(0);
  readonly #notifications: Uint8Array[] = [];
  #notificationAt = 0;
  #dataSetting = 0;
  /** Bytes of the unit that the host has, of the one that goes to it. */
  #given = 0;
  #owesZeroPacket = false;
  readonly #held: Uint8Array;
  #heldBytes = 0;
  refusedRequests = 0;

  constructor(options: CdcEthernetOptions, kind: CdcEthernetKind) {
    const speed = options.speed ?? UsbSpeed.high;
    const other = configuration(UsbSpeed.full, kind, options);
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        // Interface association: USB 3.2 §9.6.4 and the Multi-interface Function notes.
        bDeviceClass: 0xef,
        bDeviceSubClass: 0x02,
        bDeviceProtocol: 0x01,
        bMaxPacketSize0: 64,
        idVendor: options.idVendor ?? 0x1209,
        idProduct: options.idProduct ?? 0x0001,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(speed, kind, options)],
      ...(speed === UsbSpeed.high ? { otherSpeedConfigurations: [other] } : {}),
      strings: ["Drydock", kind.product, "DD-NET-1", macString(options.macAddress ?? defaultAddress)],
    });
    this.#kind = kind;
    this.macAddress = (options.macAddress ?? defaultAddress).slice();
    this.#packetBytes = bulkBytesAt(speed);
    this.#held = new Uint8Array(kind.outUnitBytes);
    this.#bitsPerSecond = options.bitsPerSecond ?? (speed === UsbSpeed.high ? 425.984 : 9.728) * megabit;
    this.jack = new EthernetJack(this);
  }

  /** bmEthernetPacketFilter as it was set last. */
  get packetFilter(): number {
    return this.#filter;
  }

  /** The data interface has its pipes. */
  protected get isRunning(): boolean {
    return this.#dataSetting === 1;
  }

  cableChanged(): void {
    if (this.isRunning) this.#announce();
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (!this.isRunning) return;
    // What has no header is no frame, and a block's table ends with a datagram of no bytes: the others of it would be lost.
    if (length < ethernetHeaderBytes || !this.#passes(bytes, offset)) {
      this.counts.filteredFrames++;
      return;
    }
    if (this.queueFrame(bytes, offset, length)) this.counts.receivedFrames++;
    else this.counts.overruns++;
  }

  /** Keeps a frame for the host; false when there is no room. The first one that waits is told with `unitWaits`. */
  protected abstract queueFrame(bytes: Uint8Array, offset: number, length: number): boolean;
  /** All that was kept is gone: power, reset, or the data interface begins anew. */
  protected abstract unitsReset(): void;
  /** What one transfer carries to the host next, `nextUnitBytes` of it; the same until `unitTaken`. Null for nothing. */
  protected abstract nextUnit(): Uint8Array | null;
  protected abstract nextUnitBytes(): number;
  protected abstract unitTaken(): void;
  /** The longest unit to the host: one of that size needs no end of its own (NCM §3.2.1). */
  protected abstract inUnitBytes(): number;
  /** What one transfer of the host carried: at most `outUnitBytes`, valid during the call. */
  protected abstract takeUnit(bytes: Uint8Array, length: number): void;
  /** A request of the subclass's own; null to STALL. */
  protected answerOwn(_setup: Setup): Uint8Array | null {
    return null;
  }
  protected performOwn(_setup: Setup, _data: Uint8Array): boolean {
    return false;
  }

  /** A frame of the host leaves through the cable. */
  protected send(bytes: Uint8Array, offset: number, length: number): void {
    this.counts.sentFrames++;
    this.jack.transmit(bytes, offset, length);
  }

  protected override powerOn(): void {
    this.#dataSetting = 0;
    this.#forget();
  }

  protected override settingBegan(interfaceNumber: number, alternate: number): void {
    if (interfaceNumber !== cdcEthernetData) return;
    this.#dataSetting = alternate;
    this.#forget();
    // The host can be answered from here on: only now is the link announced (hosts ask for an address at once, and once).
    if (alternate === 1) this.#announce();
  }

  protected unitWaits(): void {
    this.ready(cdcInEndpoint);
  }

  #forget(): void {
    this.#given = 0;
    this.#owesZeroPacket = false;
    this.#heldBytes = 0;
    this.#filter = startFilter;
    this.#multicast = new Uint8Array(0);
    this.#notifications.length = 0;
    this.#notificationAt = 0;
    this.unitsReset();
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    const isStandard = (setup.bmRequestType & RequestType.mask) === RequestType.standard;
    const answer = this.#isForUs(setup) ? this.#answerClass(setup) : null;
    if (answer === null && !isStandard) this.refusedRequests++;
    return answer;
  }

  #answerClass(setup: Setup): Uint8Array | null {
    // No statistic is kept on the device: bmEthernetStatistics says so, and asking for one is refused.
    return this.answerOwn(setup);
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    const isDone = this.#isForUs(setup) && this.#perform(setup, data);
    if (!isDone) this.refusedRequests++;
    return isDone;
  }

  #perform(setup: Setup, data: Uint8Array): boolean {
    switch (setup.bRequest) {
      case EcmRequest.setPacketFilter:
        if (!this.#kind.hasPacketFilter || (setup.wValue & ~packetFilterMask) !== 0) return false;
        this.#filter = setup.wValue;
        return true;
      case EcmRequest.setMulticastFilters:
        if (data.length !== setup.wValue * 6) return false;
        this.#multicast = data.slice();
        return true;
      default:
        return this.performOwn(setup, data);
    }
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint !== cdcNotifyEndpoint) return this.#bulkIn(buffer, offset, length);
    const notification = this.#notifications[0];
    if (notification === undefined) return UsbNak;
    const count = Math.min(notification.length - this.#notificationAt, length);
    buffer.set(notification.subarray(this.#notificationAt, this.#notificationAt + count), offset);
    this.#notificationAt += count;
    if (this.#notificationAt === notification.length) {
      this.#notifications.shift();
      this.#notificationAt = 0;
    }
    return count;
  }

  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    return this.#bulkOut(buffer, offset, length);
  }

  /** A unit that is whole packets long is ended by an empty one, unless it has the full size. */
  #bulkIn(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#owesZeroPacket) {
      this.#owesZeroPacket = false;
      return 0;
    }
    const unit = this.nextUnit();
    if (unit === null) return UsbNak;
    const total = this.nextUnitBytes();
    const count = Math.min(total - this.#given, length);
    buffer.set(unit.subarray(this.#given, this.#given + count), offset);
    this.#given += count;
    if (this.#given === total) {
      this.#given = 0;
      this.#owesZeroPacket = total % this.#packetBytes === 0 && total < this.inUnitBytes();
      this.unitTaken();
    }
    return count;
  }

  /** A unit is over at a short packet, or at its full size. One that grows beyond that is thrown away, and counted. */
  #bulkOut(buffer: Uint8Array, offset: number, length: number): number {
    const total = this.#heldBytes + length;
    const most = this.#held.length;
    const isEnd = length % this.#packetBytes !== 0 || length === 0 || total === most;
    if (isEnd && this.#heldBytes === 0 && total <= most) {
      this.takeUnit(buffer.subarray(offset, offset + length), length);
      return length;
    }
    if (total <= most) this.#held.set(buffer.subarray(offset, offset + length), this.#heldBytes);
    this.#heldBytes = total;
    if (!isEnd) return length;
    this.#heldBytes = 0;
    if (total > most) {
      this.counts.badTransfers++;
      this.misused(
        `${total} bytes without a short packet between, and one unit has at most ${most}: an empty packet is missing where the last one was full (USB 2.0 §5.8.3)`,
      );
    } else this.takeUnit(this.#held, total);
    return length;
  }

  #isForUs(setup: Setup): boolean {
    const { bmRequestType, wIndex } = setup;
    const isClass = (bmRequestType & RequestType.mask) === RequestType.class;
    const isToInterface = (bmRequestType & Recipient.mask) === Recipient.interface;
    return isClass && isToInterface && wIndex === cdcEthernetControl && this.configurationValue !== 0;
  }

  /** Speed before connection, as NCM §7.1 wants it; what was not fetched yet is out of date. */
  #announce(): void {
    const isUp = this.jack.isConnected;
    this.#notifications.splice(this.#notificationAt === 0 ? 0 : 1);
    if (isUp) {
      const rate = this.#bitsPerSecond;
      this.#notify(EthernetNotification.connectionSpeedChange, 0, encodeSpeedChange(rate, rate));
    }
    this.#notify(EthernetNotification.networkConnection, isUp ? 1 : 0, new Uint8Array(0));
  }

  #notify(code: number, wValue: number, data: Uint8Array): void {
    this.#notifications.push(encodeNotification(code, wValue, cdcEthernetControl, data));
    this.ready(cdcNotifyEndpoint);
  }

  #passes(bytes: Uint8Array, offset: number): boolean {
    const filter = this.#filter;
    if ((filter & PacketFilter.promiscuous) !== 0) return true;
    if (isBroadcastAddress(bytes, offset)) return (filter & PacketFilter.broadcast) !== 0;
    if (!isGroupAddress(bytes, offset))
      return (filter & PacketFilter.directed) !== 0 && isSameAddress(bytes, offset, this.macAddress, 0);
    if ((filter & PacketFilter.allMulticast) !== 0) return true;
    if ((filter & PacketFilter.multicast) === 0) return false;
    for (let at = 0; at < this.#multicast.length; at += 6)
      if (isSameAddress(bytes, offset, this.#multicast, at)) return true;
    return false;
  }
}

/** Bulk packets: USB 2.0 §5.8.3. */
function bulkBytesAt(speed: UsbSpeed): number {
  return speed === UsbSpeed.high ? 512 : 64;
}

function configuration(speed: UsbSpeed, kind: CdcEthernetKind, options: CdcEthernetOptions): Uint8Array {
  const { dataProtocol, subClass } = kind;
  const data = {
    bInterfaceNumber: cdcEthernetData,
    bInterfaceClass: cdcDataClass,
    bInterfaceSubClass: 0,
    bInterfaceProtocol: dataProtocol,
  };
  const bulk = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: bulkBytesAt(speed),
    bInterval: 0,
  });
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        bInterfaceNumber: cdcEthernetControl,
        bInterfaceClass: cdcControlClass,
        bInterfaceSubClass: subClass,
        bInterfaceProtocol: 0,
        extra: kind.functionDescriptors({
          iMACAddress: macStringIndex,
          bmEthernetStatistics: 0,
          wMaxSegmentSize: options.segmentBytes ?? 1514,
          multicastFilters: 32,
          isImperfect: false,
          bNumberPowerFilters: 0,
        }),
        endpoints: (options.notifies === false ? [] : [speed]).map(() => ({
          bEndpointAddress: cdcNotifyEndpoint,
          bmAttributes: TransferType.interrupt,
          wMaxPacketSize: 16,
          bInterval: speed === UsbSpeed.high ? 9 : 32,
        })),
      },
      { ...data, bAlternateSetting: 0, endpoints: [] },
      { ...data, bAlternateSetting: 1, endpoints: [bulk(cdcInEndpoint), bulk(cdcOutEndpoint)] },
    ],
    [
      {
        bFirstInterface: cdcEthernetControl,
        bInterfaceCount: 2,
        bFunctionClass: cdcControlClass,
        bFunctionSubClass: subClass,
        bFunctionProtocol: 0,
        iFunction: 0,
      },
    ],
  );
}

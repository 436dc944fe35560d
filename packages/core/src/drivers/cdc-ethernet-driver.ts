// What our ECM and NCM drivers share: both interfaces, the address, the packet filter, the link.

import { IOReturns } from "../base/io-return.ts";
import { cdcDataClass } from "../codec/cdc/cdc.ts";
import { NotificationAssembler, unionSubordinates } from "../codec/cdc/functional.ts";
import {
  EcmRequest,
  EthernetNotification,
  PacketFilter,
  parseMacString,
  viewEthernetFunction,
  viewSpeedChange,
} from "../codec/cdc-ecm/cdc-ecm.ts";
import { ethernetHeaderBytes, isStationAddress, maximumFrameBytes } from "../codec/ethernet/ethernet.ts";
import type { Configuration, InterfaceSetting, RawDescriptor } from "../codec/usb/descriptors.ts";
import { TransferType } from "../codec/usb/descriptors.ts";
import {
  kIOUserNetworkMediaEthernetAuto,
  kIOUserNetworkMediaOptionFullDuplex,
} from "../families/network/network-constants.ts";
import { IOUSBHostDevice } from "../families/usb/io-usb-host-device.ts";
import { IOUSBHostInterface } from "../families/usb/io-usb-host-interface.ts";
import { IOError } from "../runtime/io-error.ts";
import { kIOMemoryDirectionOut } from "../runtime/memory.ts";
import { IOService } from "../runtime/service.ts";
import { functionalDescriptors, hasBulkPair, interfacesOf } from "./cdc-function.ts";
import { UsbEthernetDriver } from "./usb-ethernet-driver.ts";

const classRequestOut = 0x21;
const requestTimeoutMs = 1000;
const filterAlways = PacketFilter.directed | PacketFilter.broadcast;

export abstract class CdcEthernetDriver extends UsbEthernetDriver {
  readonly #notifications = new NotificationAssembler();
  #filter = 0;
  #isPromiscuous = false;
  #isAllMulticast = false;
  #hasMulticast = false;
  /** Group addresses that the device filters by itself; 0: it cannot. */
  #multicastFilters = 0;
  /** A request it refused once is not asked for again. */
  #hasPacketFilter = true;
  #bitsPerSecond = 0;
  #segmentBytes = maximumFrameBytes;

  /** Opens both interfaces, the data interface in its first setting; answers the host's address. */
  protected async openFunction(provider: IOService): Promise<{
    readonly control: IOUSBHostInterface;
    readonly data: IOUSBHostInterface;
    /** The setting with the bulk pipes. */
    readonly running: number;
    readonly macAddress: Uint8Array;
    readonly functional: readonly RawDescriptor[];
  }> {
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostInterface");
    const functional = functionalDescriptors(provider.setting);
    const ethernet = viewEthernetFunction(functional);
    if (ethernet === null)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "start",
        "the control interface has no Ethernet networking functional descriptor: there is no address",
      );
    const data = this.#findData(provider, unionSubordinates(functional));
    const setting = data.settings.find(hasBulkPair) as InterfaceSetting;
    const text = await provider.copyStringDescriptor(ethernet.iMACAddress);
    const macAddress = this.#parseAddress(text);
    this.#multicastFilters = ethernet.multicastFilters;
    this.#segmentBytes = ethernet.wMaxSegmentSize;
    await provider.open(this);
    await data.open(this);
    return {
      ...{ control: provider, data, macAddress, functional },
      running: setting.descriptor.bAlternateSetting,
    };
  }

  /** Selects a setting of the data interface; the one that is in force already is selected again by way of the request. */
  protected async selectSetting(data: IOUSBHostInterface, alternate: number): Promise<void> {
    try {
      await data.selectAlternateSetting(alternate);
    } catch (error) {
      if (!(error instanceof IOError) || error.code !== IOReturns.kUSBHostReturnRedundant) throw error;
    }
  }

  #parseAddress(text: string): Uint8Array {
    let address: Uint8Array;
    try {
      address = parseMacString(text);
    } catch (error) {
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", (error as Error).message);
    }
    if (isStationAddress(address)) return address;
    throw this.failure(
      IOReturns.kIOReturnUnsupported,
      "start",
      `the device's address ${text} is no station's: a group's, or zeros`,
    );
  }

  #findData(control: IOUSBHostInterface, named: readonly number[]): IOUSBHostInterface {
    const others = interfacesOf(control.device).filter((entry) => entry !== control);
    // By the union; a device without one has its data interface next to it.
    const candidates = [
      ...named.flatMap((number) => others.filter((entry) => entry.number === number)),
      ...others.filter(
        (entry) =>
          entry.number === control.number + 1 && entry.setting.descriptor.bInterfaceClass === cdcDataClass,
      ),
    ];
    const found = candidates.find((entry) => entry.settings.some(hasBulkPair));
    if (found !== undefined) return found;
    throw this.failure(
      IOReturns.kIOReturnNotFound,
      "start",
      named.length === 0
        ? "there is no union descriptor, and no data interface with a bulk pair follows"
        : `the union names ${named.join(" and ")}, which has no setting with a bulk pair`,
    );
  }

  /** A device may take shorter frames than Ethernet has; longer ones are not offered. */
  override getMaxTransferUnit(): number {
    return Math.min(this.#segmentBytes, maximumFrameBytes) - ethernetHeaderBytes;
  }

  /** A device without notifications never says that it has a link: it is taken to have one, as Linux does. */
  protected assumeLink(): void {
    const hasNotifications = this.control.setting.endpoints.some(
      ({ descriptor }) => (descriptor.bmAttributes & 3) === TransferType.interrupt,
    );
    if (hasNotifications) return;
    this.log(`${this.className}: the device has no notification endpoint: its link is taken to be up`);
    this.linkIs(true, fullDuplex);
  }

  protected override interruptReceived(bytes: Uint8Array, length: number): void {
    this.#notifications.push(bytes, length, (code, wValue, notification) => {
      if (code === EthernetNotification.connectionSpeedChange) {
        this.#bitsPerSecond = viewSpeedChange(notification)?.downlink ?? this.#bitsPerSecond;
        if (this.linkStatus === 3) this.linkIs(true, fullDuplex, this.#bitsPerSecond);
      } else if (code === EthernetNotification.networkConnection) {
        this.linkIs(wValue !== 0, fullDuplex, this.#bitsPerSecond);
      }
    });
  }

  protected override async setHardwareEnable(isEnable: boolean): Promise<void> {
    await this.#setFilter(isEnable ? this.#wantedFilter() : 0);
  }

  #wantedFilter(): number {
    return (
      filterAlways |
      (this.#isPromiscuous ? PacketFilter.promiscuous : 0) |
      (this.#isAllMulticast ? PacketFilter.allMulticast : 0) |
      (this.#hasMulticast ? PacketFilter.multicast : 0)
    );
  }

  async #setFilter(filter: number): Promise<void> {
    if (!this.#hasPacketFilter || filter === this.#filter) return;
    this.#filter = filter;
    try {
      await this.#request(EcmRequest.setPacketFilter, filter, new Uint8Array(0));
    } catch (error) {
      // Devices without the request hand everything up (ECM §6.2 makes it mandatory, NCM an option).
      if (!(error instanceof IOError) || error.code !== IOReturns.kUSBHostReturnPipeStalled) throw error;
      this.#hasPacketFilter = false;
    }
  }

  override async setPromiscuousModeEnable(enable: boolean): Promise<void> {
    this.#isPromiscuous = enable;
    if (this.isEnabled) await this.#setFilter(this.#wantedFilter());
  }

  override async setAllMulticastModeEnable(enable: boolean): Promise<void> {
    this.#isAllMulticast = enable;
    if (this.isEnabled) await this.#setFilter(this.#wantedFilter());
  }

  /** More groups than the device has filters for, or none at all: it hands all of them up. */
  override async setMulticastAddresses(addresses: readonly Uint8Array[]): Promise<void> {
    const fits = addresses.length <= this.#multicastFilters;
    if (fits && addresses.length > 0) {
      const list = new Uint8Array(addresses.length * 6);
      addresses.forEach((address, index) => {
        list.set(address, index * 6);
      });
      await this.#request(EcmRequest.setMulticastFilters, addresses.length, list);
    }
    this.#hasMulticast = addresses.length > 0;
    this.#isAllMulticast = this.#isAllMulticast || !fits;
    if (this.isEnabled) await this.#setFilter(this.#wantedFilter());
  }

  async #request(bRequest: number, wValue: number, data: Uint8Array): Promise<void> {
    const { control } = this;
    const buffer = data.length === 0 ? null : control.createIOBuffer(kIOMemoryDirectionOut, data.length);
    try {
      buffer?.bytes.set(data);
      await control.deviceRequest(
        ...([classRequestOut, bRequest, wValue, control.number] as const),
        data.length,
        buffer,
        requestTimeoutMs,
      );
    } finally {
      buffer?.release();
    }
  }
}

const fullDuplex = kIOUserNetworkMediaEthernetAuto | kIOUserNetworkMediaOptionFullDuplex;

/**
 * A kernel driver for adapters with several configurations, of which the first is another host's: selects the one that has a
 * CDC Ethernet function (macOS chooses by class, too; how exactly is unknown).
 */
export class CdcEthernetConfigurator extends IOService {
  #device: IOUSBHostDevice | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostDevice");
    const wanted = configurationsOf(provider).find(hasEthernet);
    if (wanted === undefined)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "start",
        "no configuration has a CDC Ethernet function",
      );
    await provider.open(this);
    this.#device = provider;
    await provider.setConfiguration(wanted.descriptor.bConfigurationValue, true);
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    this.#device?.close(this);
    await super.stop(provider);
  }
}

function configurationsOf(device: IOUSBHostDevice): Configuration[] {
  return Array.from({ length: device.deviceDescriptor.bNumConfigurations }, (_, index) =>
    device.copyConfigurationDescriptor(index),
  );
}

function hasEthernet({ interfaces }: Configuration): boolean {
  return interfaces.some(({ settings }) => viewEthernetFunction(functionalDescriptors(settings[0])) !== null);
}

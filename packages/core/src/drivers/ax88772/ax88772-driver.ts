// The driver of ASIX AX88772 adapters, A, B and C: reset sequences, PHY, filters, and frames in a stream.

import { IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import {
  AxCommand,
  AxGpio,
  AxMedium,
  AxPhySelect,
  AxReset,
  AxRxControl,
  AxStatus,
  asixVendor,
  axBursts,
  axChips,
  axOtherIds,
  axPhyAddress,
  Mii,
  MiiAbility,
  MiiControl,
  MiiStatus,
  viewAxLink,
} from "../../codec/ax88772/ax88772.ts";
import {
  AxReceiveAssembler,
  axFlaggedLayout,
  axPlainLayout,
  putAxTransfer,
} from "../../codec/ax88772/ax88772-framing.ts";
import { multicastHash } from "../../codec/ethernet/crc32.ts";
import { isStationAddress } from "../../codec/ethernet/ethernet.ts";
import {
  kIOUserNetworkMediaEthernet10BaseT,
  kIOUserNetworkMediaEthernet100BaseTX,
  kIOUserNetworkMediaOptionFullDuplex,
  kIOUserNetworkMediaOptionHalfDuplex,
} from "../../families/network/network-constants.ts";
import { IOUSBHostDevice } from "../../families/usb/io-usb-host-device.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { IOError } from "../../runtime/io-error.ts";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";
import { UsbEthernetDriver } from "../usb-ethernet-driver.ts";

const vendorIn = 0xc0;
const vendorOut = 0x40;
const requestTimeoutMs = 1000;
const highSpeedBurst = 16_384;
const smallestBurst = 2048;
const highSpeedPacket = 512;
const frameAndHeader = 2048;
/** §3 of what is known: the management interface is the host's within a millisecond or two. */
const ownershipTries = 30;
const phyTries = 20;
/** SO and AB: what every driver of these chips starts with. */
const receiveDefault = AxRxControl.start | AxRxControl.broadcast;

/**
 * The device personality of the bundle: keeps the device open and selects its configuration, which publishes the interface for
 * the other personality. Where a system has no network family for drivers, this is all that runs: what an app can open.
 */
export class Ax88772Companion extends IOService {
  #device: IOUSBHostDevice | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostDevice");
    await provider.open(this);
    this.#device = provider;
    const { bConfigurationValue } = provider.copyConfigurationDescriptor(0).descriptor;
    await provider.setConfiguration(bConfigurationValue, true);
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    this.#device?.close(this);
    await super.stop(provider);
  }
}

/**
 * Matches the chip's only interface. Receives with header mode 0, in which the A and the B differ in the meaning of the upper
 * bits only; keeps the state of the stream between transfers. Checksum engines are left alone (fidelity: absent).
 */
export class Ax88772Driver extends UsbEthernetDriver {
  #usb: IOUSBHostInterface | null = null;
  #chipCode = 0;
  #hasFlags = false;
  #assembler: AxReceiveAssembler | null = null;
  #rxControl = 0;
  #isPromiscuous = false;
  #isAllMulticast = false;
  readonly #hash = new Uint8Array(8);
  #hasMulticast = false;
  #into: Uint8Array = new Uint8Array(0);
  #length = 0;
  #isLinkWork = false;
  #isLinkAgain = false;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostInterface");
    await provider.open(this);
    this.#usb = provider;
    this.#chipCode = ((await this.#read(AxCommand.readStatus, 0, 0, 1))[0] >> AxStatus.chipCodeShift) & 7;
    // The product id does not tell B from C, and both have flags above the length.
    this.#hasFlags = this.#chipCode >= 2;
    const macAddress = await this.#readAddress();
    await this.#reset();
    await this.#write(AxCommand.writeNodeId, 0, 0, macAddress);
    const layout = this.#hasFlags ? axFlaggedLayout : axPlainLayout;
    this.#assembler = new AxReceiveAssembler(layout, (bytes, offset, length) =>
      this.frameReceived(bytes, offset, length),
    );
    this.setProperties({ AxChipCode: this.#chipCode });
    this.beginEthernet({
      macAddress,
      data: provider,
      control: provider,
      readBytes: this.burstBytes,
      writeBytes: frameAndHeader,
      reads: 4,
      writes: 8,
    });
    await this.#startNegotiation();
  }

  /** Bytes of a burst of the chip's, and of a read: the largest that both kinds have at high speed; one size at full speed. */
  protected get burstBytes(): number {
    return this.#isHighSpeed ? highSpeedBurst : smallestBurst;
  }

  get #isHighSpeed(): boolean {
    const { endpoints } = (this.#usb as IOUSBHostInterface).setting;
    return endpoints.some(({ descriptor }) => (descriptor.wMaxPacketSize & 0x7ff) === highSpeedPacket);
  }

  /** Frames in the stream whose header was wrong so far. */
  get badHeaders(): number {
    return this.#assembler?.badHeaders ?? 0;
  }

  /** The B and C answer command 13h with zeros when they have no EEPROM, so that the EEPROM is asked itself. */
  async #readAddress(): Promise<Uint8Array> {
    const address = new Uint8Array(6);
    if (this.#hasFlags) {
      for (let word = 0; word < 3; word++)
        address.set(await this.#read(AxCommand.readEeprom, 4 + word, 0, 2), word * 2);
    } else address.set(await this.#read(AxCommand.readNodeId, 0, 0, 6));
    if (isStationAddress(address)) return address;
    // A locally administered one that is the same every time for this place on the bus.
    const at = this.#device().requests.port.locationId;
    const made = Uint8Array.of(0x02, 0x0e, 0xc6, at >>> 24, at >>> 16, at >>> 8);
    this.log("Ax88772Driver: the device has no station address; it goes on with one of its own making");
    return made;
  }

  #device(): IOUSBHostDevice {
    return (this.#usb as IOUSBHostInterface).copyDevice();
  }

  /** The sequences of public drivers, pauses included; the 772's brings its PHY's power through a pin. */
  async #reset(): Promise<void> {
    const out = (command: number, wValue: number, wIndex = 0) => this.#write(command, wValue, wIndex, null);
    const pause = (ms: number) => this.kernel.scheduler.sleep(ms * millisecond);
    const { phyPowerDown, phyReleased, externalLevel } = AxReset;
    const reload = AxGpio.reloadEeprom | (this.#chipCode === 0 ? AxGpio.gpo2Enable | AxGpio.gpo2Value : 0);
    await out(AxCommand.writeGpio, reload);
    await pause(5);
    if (this.#chipCode === 0) {
      await out(AxCommand.writePhySelect, AxPhySelect.embedded);
      await out(AxCommand.softwareReset, phyPowerDown);
      await pause(10);
      await out(AxCommand.softwareReset, 0);
      await pause(60);
      await out(AxCommand.softwareReset, phyReleased | externalLevel);
      await pause(150);
    } else {
      await out(AxCommand.writePhySelect, AxPhySelect.embedded | AxPhySelect.enable);
      await pause(10);
      await out(AxCommand.softwareReset, phyPowerDown | phyReleased);
      await pause(10);
      await out(AxCommand.softwareReset, phyReleased);
      await pause(160);
      await out(AxCommand.softwareReset, 0);
      await out(AxCommand.softwareReset, phyReleased);
      await pause(200);
    }
    if (this.#hasFlags) {
      const burst = axBursts.find(({ bytes }) => bytes === this.burstBytes);
      if (burst !== undefined) await out(AxCommand.writeBurst, burst.wValue, burst.wIndex);
    }
    await this.#waitForPhy();
    await out(AxCommand.writeIpg, 0x0c15, 0x12);
    await this.#setReceive(0);
    await out(AxCommand.writeMedium, 0);
  }

  /** After its power comes up the PHY answers nothing sensible for a while. */
  async #waitForPhy(): Promise<void> {
    for (let tries = 0; tries < phyTries; tries++) {
      const id = await this.#readPhy(Mii.id1);
      if (id !== 0 && id !== 0xffff) return;
      await this.kernel.scheduler.sleep(20 * millisecond);
    }
    throw this.failure(IOReturns.kIOReturnNotResponding, "start", "the PHY does not answer");
  }

  async #startNegotiation(): Promise<void> {
    const all = MiiAbility.half10 | MiiAbility.full10 | MiiAbility.half100 | MiiAbility.full100;
    await this.#writePhy(Mii.anar, all | MiiAbility.pause | MiiAbility.asymmetricPause | 1);
    await this.#writePhy(Mii.bmcr, MiiControl.autoNegotiate | MiiControl.restart);
  }

  protected override interruptReceived(bytes: Uint8Array, length: number): void {
    const isUp = viewAxLink(bytes, length);
    if (isUp === null || isUp === this.#isLinkUp()) return;
    // PHY registers are read on the default queue: this one carries the data.
    this.defaultQueue.dispatchAsync(() => this.#followLink());
  }

  #isLinkUp(): boolean {
    return this.linkStatus === 3;
  }

  /** One at a time, and once more when something came meanwhile. */
  async #followLink(): Promise<void> {
    this.#isLinkAgain = true;
    if (this.#isLinkWork) return;
    this.#isLinkWork = true;
    try {
      while (this.#isLinkAgain && !this.isInactive) {
        this.#isLinkAgain = false;
        await this.#readLink();
      }
    } catch (error) {
      // The device has gone while it was asked.
      if (!(error instanceof IOError)) throw error;
    } finally {
      this.#isLinkWork = false;
    }
  }

  async #readLink(): Promise<void> {
    // The link bit is latched low: the first read tells of the past.
    await this.#readPhy(Mii.bmsr);
    const isUp = ((await this.#readPhy(Mii.bmsr)) & MiiStatus.link) !== 0;
    if (!isUp) {
      await this.#write(AxCommand.writeMedium, 0, 0, null);
      this.linkIs(false);
      return;
    }
    const shared = (await this.#readPhy(Mii.anar)) & (await this.#readPhy(Mii.lpa));
    const isFast = (shared & (MiiAbility.full100 | MiiAbility.half100)) !== 0;
    const isFull = (shared & (isFast ? MiiAbility.full100 : MiiAbility.full10)) !== 0;
    const flow = isFull && (shared & MiiAbility.pause) !== 0;
    await this.#write(
      AxCommand.writeMedium,
      AxMedium.alwaysOne |
        AxMedium.receive |
        (isFast ? AxMedium.speed100 : 0) |
        (isFull ? AxMedium.fullDuplex : 0) |
        (flow ? AxMedium.receiveFlow | AxMedium.transmitFlow : 0),
      0,
      null,
    );
    // Receiving is started anew on every link that comes up: without it some chips stay silent (a public driver's bug).
    if (this.isEnabled) await this.#setReceive(this.#wantedReceive());
    this.linkIs(
      true,
      (isFast ? kIOUserNetworkMediaEthernet100BaseTX : kIOUserNetworkMediaEthernet10BaseT) |
        (isFull ? kIOUserNetworkMediaOptionFullDuplex : kIOUserNetworkMediaOptionHalfDuplex),
    );
  }

  protected override async setHardwareEnable(isEnable: boolean): Promise<void> {
    await this.#setReceive(isEnable ? this.#wantedReceive() : 0);
    if (isEnable) await this.#followLink();
  }

  #wantedReceive(): number {
    // On the 772 and A two bits of this register are the burst; on the others they would choose another header.
    const exponent = Math.log2(this.burstBytes / smallestBurst);
    const burst = this.#hasFlags ? 0 : exponent << AxRxControl.burstShift;
    return (
      receiveDefault |
      burst |
      (this.#isPromiscuous ? AxRxControl.promiscuous : 0) |
      (this.#isAllMulticast ? AxRxControl.allMulticast : 0) |
      (this.#hasMulticast ? AxRxControl.multicast : 0)
    );
  }

  async #setReceive(value: number): Promise<void> {
    this.#rxControl = value;
    await this.#write(AxCommand.writeRxControl, value, 0, null);
  }

  async #filterChanged(): Promise<void> {
    if (this.isEnabled && this.#rxControl !== this.#wantedReceive())
      await this.#setReceive(this.#wantedReceive());
  }

  override async setPromiscuousModeEnable(enable: boolean): Promise<void> {
    this.#isPromiscuous = enable;
    await this.#filterChanged();
  }

  override async setAllMulticastModeEnable(enable: boolean): Promise<void> {
    this.#isAllMulticast = enable;
    await this.#filterChanged();
  }

  override async setMulticastAddresses(addresses: readonly Uint8Array[]): Promise<void> {
    this.#hash.fill(0);
    for (const address of addresses) {
      const index = multicastHash(address);
      this.#hash[index >> 3] |= 1 << (index & 7);
    }
    this.#hasMulticast = addresses.length > 0;
    await this.#write(AxCommand.writeMulticast, 0, 0, this.#hash);
    await this.#filterChanged();
  }

  protected override beginWrite(into: Uint8Array): void {
    this.#into = into;
    this.#length = 0;
  }

  /** One frame for each transfer, as every driver of these chips does it. */
  protected override addFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#length > 0) return false;
    this.#length = putAxTransfer(this.#into, bytes, offset, length, this.packetBytes);
    return true;
  }

  protected override endWrite(): number {
    return this.#length;
  }

  protected override readReceived(bytes: Uint8Array, length: number): void {
    this.#assembler?.push(bytes, length);
  }

  protected override readsBroken(): void {
    this.#assembler?.reset();
  }

  async #readPhy(register: number): Promise<number> {
    await this.#takeMii();
    try {
      const value = await this.#read(AxCommand.readMii, axPhyAddress, register, 2);
      return value[0] | (value[1] << 8);
    } finally {
      await this.#write(AxCommand.releaseMii, 0, 0, null);
    }
  }

  async #writePhy(register: number, value: number): Promise<void> {
    await this.#takeMii();
    try {
      await this.#write(AxCommand.writeMii, axPhyAddress, register, Uint8Array.of(value & 0xff, value >> 8));
    } finally {
      await this.#write(AxCommand.releaseMii, 0, 0, null);
    }
  }

  /** Without it registers read as nothing while the chip polls its PHY by itself. */
  async #takeMii(): Promise<void> {
    await this.#write(AxCommand.takeMii, 0, 0, null);
    for (let tries = 0; tries < ownershipTries; tries++) {
      await this.kernel.scheduler.sleep(1 * millisecond);
      const [status] = await this.#read(AxCommand.readStatus, 0, 0, 1);
      if ((status & AxStatus.hostEnabled) !== 0) return;
    }
    throw this.failure(
      IOReturns.kIOReturnNotResponding,
      "takeMii",
      "the chip keeps its management interface",
    );
  }

  async #read(command: number, wValue: number, wIndex: number, length: number): Promise<Uint8Array> {
    const usb = this.#usb as IOUSBHostInterface;
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, length);
    try {
      const count = await usb.deviceRequest(
        vendorIn,
        command,
        wValue,
        wIndex,
        length,
        buffer,
        requestTimeoutMs,
      );
      if (count < length)
        throw this.failure(IOReturns.kIOReturnUnderrun, "deviceRequest", `${count} of ${length} bytes came`);
      return buffer.bytes.slice(0, length);
    } finally {
      buffer.release();
    }
  }

  async #write(command: number, wValue: number, wIndex: number, data: Uint8Array | null): Promise<void> {
    const usb = this.#usb as IOUSBHostInterface;
    const length = data?.length ?? 0;
    const buffer = data === null ? null : usb.createIOBuffer(kIOMemoryDirectionOut, length);
    try {
      if (data !== null) buffer?.bytes.set(data);
      await usb.deviceRequest(vendorOut, command, wValue, wIndex, length, buffer, requestTimeoutMs);
    } finally {
      buffer?.release();
    }
  }
}

const identifier = "org.drydock.driver.ax88772";
const ids: readonly (readonly [number, number])[] = [
  ...[...new Set(Object.values(axChips).map(({ idProduct }) => idProduct))].map(
    (idProduct) => [asixVendor, idProduct] as const,
  ),
  ...axOtherIds,
];
const common = { CFBundleIdentifier: identifier, IOUserServerName: identifier };

export const ax88772Bundle: DriverBundle = {
  identifier,
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.networking": true,
    "com.apple.developer.driverkit.transport.usb": [...new Set(ids.map(([idVendor]) => idVendor))].map(
      (idVendor) => ({ idVendor }),
    ),
  },
  personalities: Object.fromEntries(
    ids.flatMap(([idVendor, idProduct]) => {
      const name = `${idVendor.toString(16).padStart(4, "0")}_${idProduct.toString(16).padStart(4, "0")}`;
      return [
        [
          `Device_${name}`,
          {
            ...common,
            CFBundleIdentifierKernel: "com.apple.kpi.iokit",
            IOClass: "IOUserService",
            IOUserClass: "Ax88772Companion",
            IOProviderClass: "IOUSBHostDevice",
            ...{ idVendor, idProduct },
          },
        ],
        [
          `Ethernet_${name}`,
          {
            ...common,
            CFBundleIdentifierKernel: "com.apple.iokit.IOSkywalkFamily",
            IOClass: "IOUserNetworkEthernet",
            IOUserClass: "Ax88772Driver",
            IOProviderClass: "IOUSBHostInterface",
            ...{ idVendor, idProduct, bConfigurationValue: 1, bInterfaceNumber: 0 },
          },
        ],
      ];
    }),
  ),
  classes: { Ax88772Companion, Ax88772Driver },
};

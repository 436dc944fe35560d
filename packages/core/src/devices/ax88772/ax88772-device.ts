// An ASIX AX88772, A, B or C: vendor requests, EEPROM, PHY, packet memories, and the three pipes.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  type AxChip,
  AxCommand,
  AxGpio,
  AxLink,
  AxMedium,
  AxReset,
  AxRxControl,
  AxStatus,
  asixVendor,
  axBursts,
  axChips,
  axNoSecondPhy,
  axPhyAddress,
  encodeAxInterrupt,
} from "../../codec/ax88772/ax88772.ts";
import {
  axEepromAddress,
  axEepromImage,
  axEepromWords,
  axWaterMarks,
} from "../../codec/ax88772/ax88772-eeprom.ts";
import { pauseNs } from "../../codec/ethernet/pause.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { EthernetJack, type JackOwner } from "../ethernet-jack.ts";
import { EthernetPartner } from "../ethernet-partner.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";
import { AxMac, type AxMacCounts } from "./ax88772-mac.ts";
import { AxPhy } from "./ax88772-phy.ts";

export const axInterruptEndpoint = 0x81;
export const axInEndpoint = 0x82;
export const axOutEndpoint = 0x03;

export interface Ax88772Options {
  readonly clock: Clock;
  /** Default the C. */
  readonly chip?: AxChip["name"];
  /** Default high. */
  readonly speed?: typeof UsbSpeed.full | typeof UsbSpeed.high;
  /** Station address in the EEPROM. Default 00:0E:C6:00:00:01 (a prefix of the vendor's). */
  readonly macAddress?: Uint8Array;
  /** The words of the EEPROM; null: there is none. Default: the vendor's layout with `macAddress`. */
  readonly eeprom?: Uint16Array | null;
  readonly idVendor?: number;
  readonly idProduct?: number;
  /** From the PHY's power to its first answer; default 50 ms on the 772, 150 ms on the others. */
  readonly phyPowerUpNs?: number;
  /** From cable and power to a link. Default 100 ms. */
  readonly negotiationNs?: number;
  /**
   * A receive transfer ends after so many bytes, an even number from 2 up, so that headers and frames are cut there. Default:
   * the burst that the driver chose.
   */
  readonly cutBytes?: number;
}

/** What arrived at the model, for tests and for the lab. */
export interface Ax88772Observation extends AxMacCounts {
  readonly nodeId: Uint8Array;
  readonly rxControl: number;
  readonly medium: number;
  readonly isLinked: boolean;
  /** Bytes of a transmit transfer whose end has not come. */
  readonly heldBytes: number;
  /** PHY registers read or written while the chip, not the host, had the management interface. */
  readonly miiWithoutOwnership: number;
  readonly refusedRequests: number;
  /** Software resets of the PHY. */
  readonly phyResets: number;
  /** Frames that the far end lost, as it was asked for silence for longer than it could hold them. */
  readonly lostAtPartner: number;
}

const defaultAddress = Uint8Array.of(0x00, 0x0e, 0xc6, 0x00, 0x00, 0x01);
const defaultIpg: readonly number[] = [0x15, 0x0c, 0x12];
const smallestBurst = 2048;
const unwritten = 0x1500;
const cableBitsPerSecond = 100_000_000;

/**
 * Answers as the chips do, as far as that is known: unknown requests are a STALL (what silicon does is unknown). The
 * interrupt endpoint speaks on each change of the link and when it is first asked; silicon likely speaks at every poll.
 */
export class Ax88772Device extends UsbDeviceModel implements JackOwner {
  readonly chip: AxChip;
  readonly jack: EthernetJack;
  readonly #clock: Clock;
  readonly #partner: EthernetPartner;
  readonly #mac: AxMac;
  readonly #phy: AxPhy;
  readonly #packetBytes: number;
  readonly #eeprom: Uint16Array | null;
  readonly #cutBytes: number;
  readonly #ipg = [0, 0, 0];
  readonly #wake = new Map<number, Uint8Array>();
  readonly #sram = new Uint8Array(0x8000);
  #hostHasMii = false;
  #isEepromWritable = false;
  #gpio = 0;
  #phySelect = 0;
  #monitor = 0;
  #vlan = new Uint8Array(4);
  #rxChecksum2 = 0;
  #txChecksum2 = 0;
  #burstBytes = smallestBurst;
  /** Bytes of the receive transfer that is under way. */
  #burst = 0;
  #owesZeroPacket = false;
  #isLinkDue = true;
  #refused = 0;
  #miiWithoutOwnership = 0;
  #phyResets = 0;
  /** The far end has asked for silence. */
  #silence: TimerHandle = 0;

  constructor(options: Ax88772Options) {
    const chip = axChips[options.chip ?? "ax88772c"];
    const speed = options.speed ?? UsbSpeed.high;
    const cut = options.cutBytes ?? 0;
    if (!Number.isInteger(cut) || cut < 0 || cut % 2 !== 0)
      throw new RangeError(`cutBytes ${cut}: an even number from 2 up`);
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0xff,
        bDeviceSubClass: 0xff,
        bDeviceProtocol: 0,
        bMaxPacketSize0: speed === UsbSpeed.high ? 64 : 8,
        idVendor: options.idVendor ?? asixVendor,
        idProduct: options.idProduct ?? chip.idProduct,
        bcdDevice: chip.bcdDevice,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(speed, chip)],
      ...(speed === UsbSpeed.high ? { otherSpeedConfigurations: [configuration(UsbSpeed.full, chip)] } : {}),
      // Strings 4 and 7 are "0"; 5 and 6 are in no descriptor.
      strings: ["ASIX Elec. Corp.", chip.product, "000001", "0", "", "", "0"],
    });
    this.chip = chip;
    this.#packetBytes = packetBytesAt(speed);
    this.#cutBytes = cut;
    this.#eeprom =
      options.eeprom === undefined
        ? axEepromImage(chip, options.macAddress ?? defaultAddress)
        : options.eeprom;
    const { clock } = options;
    this.#clock = clock;
    this.#partner = new EthernetPartner({
      ...{ clock, bitsPerSecond: cableBitsPerSecond },
      to: { frame: (bytes, offset, length) => this.frame(bytes, offset, length) },
    });
    this.jack = new EthernetJack(this, this.#partner);
    this.#mac = new AxMac(
      chip,
      (bytes, offset, length) => this.jack.transmit(bytes, offset, length),
      (quanta) => this.#beSilent(quanta),
    );
    this.#phy = new AxPhy({
      clock,
      chip,
      powerUpNs: options.phyPowerUpNs ?? (chip.name === "ax88772" ? 50 : 150) * millisecond,
      negotiationNs: options.negotiationNs ?? 100 * millisecond,
      linkChanged: () => this.#linkChanged(),
    });
  }

  observe(): Ax88772Observation {
    const { counts, heldBytes, isLinked, medium, nodeId, rxControl } = this.#mac;
    return {
      ...counts,
      ...{ heldBytes, isLinked, medium, rxControl },
      lostAtPartner: this.#partner.lostFrames,
      nodeId: nodeId.slice(),
      miiWithoutOwnership: this.#miiWithoutOwnership,
      refusedRequests: this.#refused,
      phyResets: this.#phyResets,
    };
  }

  /** A fault: of the next frames that come from the cable, `count` get a header whose complement is wrong. */
  spoilHeaders(count: number): void {
    this.#mac.badHeadersToCome = count;
  }

  cableChanged(): void {
    this.#phy.setCable(this.jack.isConnected);
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    const wasEmpty = this.#mac.waitingBytes === 0;
    if (this.#mac.receive(bytes, offset, length) && wasEmpty) this.ready(axInEndpoint);
  }

  protected override powerOn(): void {
    this.#phy.stop();
    this.#clock.cancel(this.#silence);
    this.#silence = 0;
    this.#mac.reset();
    this.#mac.isLinked = false;
    this.#burst = 0;
    this.#owesZeroPacket = false;
    this.#hostHasMii = false;
    this.#isEepromWritable = false;
    this.#isLinkDue = true;
    this.#burstBytes = smallestBurst;
    this.#gpio = 0;
    this.#phySelect = 1;
    this.#monitor = 0;
    this.#vlan = new Uint8Array(4);
    this.#rxChecksum2 = 0;
    this.#txChecksum2 = 0;
    this.#wake.clear();
    for (const [index, value] of defaultIpg.entries()) this.#ipg[index] = value;
    this.#loadEeprom();
    if (this.isPlugged) {
      this.#phy.setPins(true, false);
      this.#phy.setCable(this.jack.isConnected);
    }
  }

  /** Without an EEPROM the B and C have an address of zeros; what the others have is unknown, and zeros here. */
  #loadEeprom(): void {
    if (this.#eeprom !== null) this.#mac.waterMarks = axWaterMarks(this.#eeprom);
    this.#mac.nodeId.set(this.#eeprom === null ? new Uint8Array(6) : axEepromAddress(this.#eeprom));
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    const answer = this.#isForUs(setup) ? this.#answerCommand(setup) : null;
    if (answer === null && (setup.bmRequestType & RequestType.mask) !== RequestType.standard) this.#refused++;
    return answer;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    const isDone = this.#isForUs(setup) && this.#perform(setup, data);
    if (!isDone) this.#refused++;
    return isDone;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === axInterruptEndpoint) return this.#interruptIn(buffer, offset, length);
    const most = this.#cutBytes > 0 ? this.#cutBytes : this.#burstBytes;
    const count = this.#mac.take(buffer, offset, Math.min(length, most - this.#burst));
    if (count === 0) {
      const wasOwed = this.#owesZeroPacket;
      this.#owesZeroPacket = false;
      this.#burst = 0;
      return wasOwed ? 0 : UsbNak;
    }
    this.#burst += count;
    const isOnPacket = count % this.#packetBytes === 0;
    // The host's buffer is full, or a short packet has ended the transfer: the next one begins a burst of its own.
    if (count === length || !isOnPacket) this.#burst = 0;
    this.#owesZeroPacket = count < length && isOnPacket;
    return count;
  }

  /** Whole packets as far as the packet memory has room: a transfer without an end fills it for good. */
  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    // Silicon would fill its packet memory first; here the pause begins at once.
    if (this.#silence !== 0) return UsbNak;
    const room = this.#mac.transmitRoom;
    const count = length <= room ? length : room - (room % this.#packetBytes);
    if (length > 0 && count === 0) return UsbNak;
    this.#mac.give(buffer, offset, count, count === length && length % this.#packetBytes !== 0);
    if (length === 0) this.#mac.give(buffer, offset, 0, true);
    return count;
  }

  #interruptIn(buffer: Uint8Array, offset: number, length: number): number {
    // While the host has the management interface, the chip cannot poll its PHY.
    if (!this.#isLinkDue || this.#hostHasMii) return UsbNak;
    this.#isLinkDue = false;
    const packet = encodeAxInterrupt(
      this.#phy.isUp ? AxLink.primary : 0,
      this.#phy.status,
      this.#phy.partner,
    );
    const count = Math.min(packet.length, length);
    buffer.set(packet.subarray(0, count), offset);
    return count;
  }

  /** A pause of the far end's, in units of 512 bit times: nothing is sent, until it is over or one of 0 comes. */
  #beSilent(quanta: number): void {
    this.#clock.cancel(this.#silence);
    this.#silence = this.#clock.after(pauseNs(quanta, cableBitsPerSecond), this.#speakAgain, undefined);
  }

  readonly #speakAgain = (): void => {
    this.#silence = 0;
    this.ready(axOutEndpoint);
  };

  #linkChanged(): void {
    this.#mac.isLinked = this.#phy.isUp;
    this.#isLinkDue = true;
    if (!this.#hostHasMii) this.ready(axInterruptEndpoint);
  }

  #isForUs(setup: Setup): boolean {
    const isVendor = (setup.bmRequestType & RequestType.mask) === RequestType.vendor;
    return isVendor && (setup.bmRequestType & Recipient.mask) === Recipient.device;
  }

  #answerCommand(setup: Setup): Uint8Array | null {
    const mac = this.#mac;
    const { wIndex, wValue } = setup;
    switch (setup.bRequest) {
      case AxCommand.readSram:
        return this.#sram.slice(wValue & 0x7ff8, (wValue & 0x7ff8) + 8);
      case AxCommand.readMii:
        return word(this.#mii(wValue) ? this.#phy.read(wIndex) : 0xffff);
      case AxCommand.readStatus:
        return Uint8Array.of(
          (this.#hostHasMii ? AxStatus.hostEnabled : 0) | (this.chip.chipCode << AxStatus.chipCodeShift),
        );
      case AxCommand.readEeprom:
        if (this.#eeprom === null) return word(wValue === 0 ? unwritten : 0xffff);
        return word(this.#eeprom[wValue & (axEepromWords - 1)] ?? 0xffff);
      case AxCommand.readRxControl:
        return word(mac.rxControl);
      case AxCommand.readIpg:
        return Uint8Array.from(this.#ipg);
      case AxCommand.readNodeId:
        return mac.nodeId.slice();
      case AxCommand.readMulticast:
        return mac.hash.slice();
      case AxCommand.readPhyId:
        return Uint8Array.of(axNoSecondPhy, axPhyAddress);
      case AxCommand.readMedium:
        return word(mac.medium);
      case AxCommand.readMonitor:
        return Uint8Array.of(this.#monitor);
      case AxCommand.readGpio:
        return Uint8Array.of(this.#gpio);
      case AxCommand.readPhySelect:
        return Uint8Array.of(this.#phySelect);
      case AxCommand.readWake:
        return this.chip.chipCode === 0 ? null : (this.#wake.get(wIndex) ?? new Uint8Array(4));
      case AxCommand.readVlan:
        return this.chip.chipCode === 0 ? null : this.#vlan.slice();
      case AxCommand.readRxChecksum:
        return this.chip.hasChecksumEngine ? word(wIndex === 0 ? mac.rxChecksum : this.#rxChecksum2) : null;
      case AxCommand.readTxChecksum:
        return this.chip.hasChecksumEngine ? word(wIndex === 0 ? mac.txChecksum : this.#txChecksum2) : null;
      default:
        return null;
    }
  }

  #perform(setup: Setup, data: Uint8Array): boolean {
    const mac = this.#mac;
    const { wIndex, wValue } = setup;
    const { chip } = this;
    switch (setup.bRequest) {
      case AxCommand.writeSram:
        if (data.length !== 8) return false;
        this.#sram.set(data, wValue & 0x7ff8);
        return true;
      case AxCommand.takeMii:
        this.#hostHasMii = true;
        return true;
      case AxCommand.releaseMii:
        this.#hostHasMii = false;
        if (this.#isLinkDue) this.ready(axInterruptEndpoint);
        return true;
      case AxCommand.writeMii:
        if (data.length !== 2) return false;
        if (this.#mii(wValue)) this.#phy.write(wIndex, data[0] | (data[1] << 8));
        return true;
      case AxCommand.writeEeprom:
        if (this.#eeprom !== null && this.#isEepromWritable)
          this.#eeprom[wValue & (axEepromWords - 1)] = wIndex;
        return true;
      case AxCommand.enableEeprom:
      case AxCommand.disableEeprom:
        this.#isEepromWritable = setup.bRequest === AxCommand.enableEeprom;
        return true;
      case AxCommand.writeRxControl:
        this.#setRxControl(wValue);
        return true;
      case AxCommand.writeIpg:
        // Linux gives 001Dh for the first two: what stands there is taken.
        this.#ipg.splice(0, 3, wValue & 0xff, wValue >> 8, wIndex & 0xff);
        return true;
      case AxCommand.writeNodeId:
        if (data.length !== 6) return false;
        mac.nodeId.set(data);
        return true;
      case AxCommand.writeMulticast:
        if (data.length !== 8) return false;
        mac.hash.set(data);
        return true;
      case AxCommand.writeMedium:
        mac.medium = wValue & ~AxMedium.gigabit;
        return true;
      case AxCommand.writeMonitor:
        this.#monitor = wValue & 0xff;
        return true;
      case AxCommand.writeGpio:
        this.#gpio = wValue & 0x7f;
        if ((wValue & AxGpio.reloadEeprom) !== 0) this.#loadEeprom();
        return true;
      case AxCommand.softwareReset:
        this.#softwareReset(wValue);
        return true;
      case AxCommand.writePhySelect:
        this.#phySelect = wValue & 0xff;
        return true;
      case AxCommand.writeWake:
        if (chip.chipCode === 0 || data.length !== 4) return false;
        this.#wake.set(wIndex & 0x1f, data.slice());
        return true;
      case AxCommand.writeVlan:
        if (chip.chipCode === 0 || data.length !== 4) return false;
        this.#vlan.set(data);
        return true;
      case AxCommand.writeBurst:
        if (!chip.hasChecksumEngine) return false;
        this.#setBurst(axBursts.find((burst) => burst.wValue === wValue)?.bytes ?? smallestBurst);
        return true;
      case AxCommand.writeRxChecksum:
        if (!chip.hasChecksumEngine) return false;
        if (wIndex === 0) mac.rxChecksum = wValue;
        else this.#rxChecksum2 = wValue;
        return true;
      case AxCommand.writeTxChecksum:
        if (!chip.hasChecksumEngine) return false;
        if (wIndex === 0) mac.txChecksum = wValue;
        else this.#txChecksum2 = wValue;
        return true;
      default:
        return false;
    }
  }

  /** Whether the host may use the management interface, and whether it means our PHY: 772A drivers call it 0 at first. */
  #mii(address: number): boolean {
    if (!this.#hostHasMii) {
      this.#miiWithoutOwnership++;
      return false;
    }
    return address === axPhyAddress || address === 0;
  }

  #setRxControl(value: number): void {
    this.#mac.rxControl = value;
    if (!this.chip.hasChecksumEngine)
      this.#setBurst(smallestBurst << ((value & AxRxControl.burstMask) >> AxRxControl.burstShift));
  }

  /** Full speed has one size only. */
  #setBurst(bytes: number): void {
    this.#burstBytes = this.speed === UsbSpeed.high ? bytes : smallestBurst;
  }

  #softwareReset(bits: number): void {
    const isReleased = (bits & AxReset.phyReleased) !== 0;
    if (!isReleased) this.#phyResets++;
    this.#phy.setPins((bits & AxReset.phyPowerDown) === 0, isReleased);
  }
}

/** Bulk packets: USB 2.0 §5.8.3. */
function packetBytesAt(speed: UsbSpeed): number {
  return speed === UsbSpeed.high ? 512 : 64;
}

function word(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}

function configuration(speed: UsbSpeed, chip: AxChip): Uint8Array {
  const bulk = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: packetBytesAt(speed),
    bInterval: 0,
  });
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 4, bmAttributes: 0xa0, bMaxPower: chip.bMaxPower },
    [
      {
        bInterfaceNumber: 0,
        bInterfaceClass: 0xff,
        bInterfaceSubClass: 0xff,
        bInterfaceProtocol: 0,
        iInterface: 7,
        endpoints: [
          {
            bEndpointAddress: axInterruptEndpoint,
            bmAttributes: TransferType.interrupt,
            wMaxPacketSize: 8,
            bInterval: speed === UsbSpeed.high ? 0x0b : 0xa0,
          },
          bulk(axInEndpoint),
          bulk(axOutEndpoint),
        ],
      },
    ],
  );
}

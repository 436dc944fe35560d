// A PCI Express root port with a hot-plug slot: bridge header, slot registers, AER.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { expressRootPort, PciAer, PciExpress, PciSlot } from "../../codec/pci/capabilities.ts";
import {
  allOnes,
  extendedConfigBytes,
  PciCapabilityId,
  PciConfig,
  PciExtendedCapabilityId,
  PciStatusBits,
} from "../../codec/pci/config-space.ts";

const expressAt = 0x54;
const aerAt = 0x100;

/** Errors that a root port sees as correctable advice or as an error message from below. */
const rootFatalReceived = 0x4;
const rootNonFatal = 0x20;
const rootFatal = 0x40;
/** Default severity (PCI Express 3.0 §7.10.4): these bits are fatal. */
const fatalBits = (1 << 4) | (1 << 5) | (1 << 13) | (1 << 17) | (1 << 18);

/**
 * What software finds above a slot. Bus numbers and the memory window are set by the bus when something is plugged in;
 * slot and AER status bits are cleared by writing ones, as the standard says.
 */
export class RootPort {
  readonly config = new Uint8Array(extendedConfigBytes);

  constructor(secondaryBus: number) {
    const { config } = this;
    putU32le(config, PciConfig.vendorId, 0x0001_d0c8);
    putU16le(config, PciConfig.status, PciStatusBits.capabilityList);
    putU32le(config, PciConfig.revision, 0x0604_0000);
    config[PciConfig.headerType] = 1;
    config[PciConfig.secondaryBus] = secondaryBus;
    config[PciConfig.subordinateBus] = secondaryBus;
    config[PciConfig.capabilityPointer] = expressAt;
    config[expressAt] = PciCapabilityId.express;
    // Version 2, root port, slot implemented.
    putU16le(config, expressAt + PciExpress.capabilities, 2 | (expressRootPort << 4) | 0x100);
    putU32le(config, expressAt + PciExpress.slotCapabilities, 0x0000_0060);
    putU32le(config, aerAt, PciExtendedCapabilityId.advancedErrorReporting | (2 << 16));
    putU32le(config, aerAt + PciAer.uncorrectableSeverity, fatalBits);
  }

  get slotStatus(): number {
    return getU16le(this.config, expressAt + PciExpress.slotStatus);
  }

  get rootErrorStatus(): number {
    return getU32le(this.config, aerAt + PciAer.rootStatus);
  }

  get uncorrectableStatus(): number {
    return getU32le(this.config, aerAt + PciAer.uncorrectableStatus);
  }

  /** The window that forwards memory accesses, in units of 1 MiB (PCI-to-PCI bridges 1.2 §3.2.5.8). */
  setWindow(address: number, lengthBytes: number): void {
    const first = Math.floor(address / 0x100000);
    const last = Math.floor((address + Math.max(lengthBytes, 1) - 1) / 0x100000);
    putU16le(this.config, PciConfig.prefetchableBase, ((first & 0xfff) << 4) | 1);
    putU16le(this.config, PciConfig.prefetchableLimit, ((last & 0xfff) << 4) | 1);
    putU32le(this.config, 0x28, Math.floor(first / 0x1000));
    putU32le(this.config, 0x2c, Math.floor(last / 0x1000));
  }

  presence(isPresent: boolean): void {
    const at = expressAt + PciExpress.slotStatus;
    const before = getU16le(this.config, at) & ~PciSlot.isPresent;
    putU16le(this.config, at, before | PciSlot.presenceChanged | (isPresent ? PciSlot.isPresent : 0));
  }

  /** An uncorrectable error came from below, or was found here (surprise down, completion timeout). */
  error(bit: number, source: number): void {
    const { config } = this;
    const mask = (1 << bit) >>> 0;
    putU32le(
      config,
      aerAt + PciAer.uncorrectableStatus,
      getU32le(config, aerAt + PciAer.uncorrectableStatus) | mask,
    );
    if ((getU32le(config, aerAt + PciAer.uncorrectableMask) & mask) !== 0) return;
    const isFatal = (getU32le(config, aerAt + PciAer.uncorrectableSeverity) & mask) !== 0;
    const at = aerAt + PciAer.rootStatus;
    putU32le(config, at, getU32le(config, at) | rootFatalReceived | (isFatal ? rootFatal : rootNonFatal));
    putU16le(config, aerAt + PciAer.rootSource + 2, source);
  }

  read(offset: number, sizeBytes: number): number {
    if (offset + sizeBytes > extendedConfigBytes) return allOnes(sizeBytes);
    let value = 0;
    for (let index = sizeBytes - 1; index >= 0; index--) value = value * 256 + this.config[offset + index];
    return value;
  }

  write(offset: number, sizeBytes: number, value: number): void {
    for (let index = 0; index < sizeBytes; index++)
      this.#writeByte(offset + index, (value >>> (index * 8)) & 0xff);
  }

  #writeByte(offset: number, value: number): void {
    const { config } = this;
    const isSlotStatus = offset === expressAt + PciExpress.slotStatus;
    const inAer = offset - aerAt;
    const isAerStatus =
      (inAer >= PciAer.uncorrectableStatus && inAer < PciAer.uncorrectableMask) ||
      (inAer >= PciAer.correctableStatus && inAer < PciAer.correctableMask) ||
      (inAer >= PciAer.rootStatus && inAer < PciAer.rootSource);
    if (isSlotStatus) config[offset] &= ~(value & ~PciSlot.isPresent);
    else if (isAerStatus) config[offset] &= ~value;
    else if (isWritable(offset, inAer)) config[offset] = value;
  }
}

function isWritable(offset: number, inAer: number): boolean {
  const isBridgeControl = offset === PciConfig.bridgeControl || offset === PciConfig.bridgeControl + 1;
  const isCommand = offset === PciConfig.command || offset === PciConfig.command + 1;
  const isWindow = offset >= PciConfig.primaryBus && offset < 0x30 && offset !== 0x1e && offset !== 0x1f;
  const isSlotControl =
    offset === expressAt + PciExpress.slotControl || offset === expressAt + PciExpress.slotControl + 1;
  const isRootControl = offset === expressAt + PciExpress.rootControl;
  const isMaskOrSeverity =
    (inAer >= PciAer.uncorrectableMask && inAer < PciAer.correctableStatus) ||
    (inAer >= PciAer.correctableMask && inAer < PciAer.control) ||
    inAer === PciAer.rootCommand;
  return isBridgeControl || isCommand || isWindow || isSlotControl || isRootControl || isMaskOrSeverity;
}

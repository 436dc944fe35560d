// The PCI family of a machine: reads what a function says of itself, publishes its nub, takes it away.

import { putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { hex } from "../../base/text.ts";
import {
  type ConfigHeader,
  configBytes,
  decodeHeader,
  extendedConfigBytes,
  listCapabilities,
  listExtendedCapabilities,
} from "../../codec/pci/config-space.ts";
import { pciDeviceProperties, pciName } from "../../platform/nub-properties.ts";
import type { Properties } from "../../platform/properties.ts";
import { formatPciAddress, type PciHostPort } from "../../ports/pci-host.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { IOService } from "../../runtime/service.ts";
import type { Thread } from "../../runtime/thread.ts";
import { DmaFaultRecord } from "./dma-fault-record.ts";
import { IOPCIDevice, type PciDeviceFamily } from "./io-pci-device.ts";

export interface PciFamilyOptions {
  /** The bus lies behind a Thunderbolt tunnel. Default true: that is how Macs have PCI cards. */
  readonly isTunnelled?: boolean;
  /**
   * A refused access stops the machine, as some error states do on the generation with SPTM (which: unknown). Default: what
   * the platform records of it.
   */
  readonly panicsOnDmaFault?: boolean;
}

/** A load from a dead link: where, and which code made it. */
export interface DeadLinkLoad {
  readonly timeNs: number;
  readonly address: number;
  readonly barIndex: number;
  readonly offset: number;
  readonly thread: string;
  /** Outermost first. */
  readonly stack: readonly string[];
  readonly isPanic: boolean;
}

/**
 * Joins buses to a machine: a rig calls `attach` with each port (wrapped in faults and trace, if any). A function whose
 * header or capability lists make no sense is reported in `failures` and not published.
 */
export class PciFamily implements PciDeviceFamily {
  readonly failures: { readonly place: string; readonly reason: string }[] = [];
  /** Every load that found its link dead, panicking or not (posts.md F02). */
  readonly deadLinkLoads: DeadLinkLoad[] = [];
  readonly devices: IOPCIDevice[] = [];
  readonly #records = new WeakMap<IOPCIDevice, DmaFaultRecord>();
  readonly #machine: Machine;
  readonly #bridge: IOService;
  readonly #isTunnelled: boolean;
  readonly #panicsOnDmaFault: boolean;

  constructor(machine: Machine, bridge: IOService, options: PciFamilyOptions = {}) {
    this.#machine = machine;
    this.#bridge = bridge;
    this.#isTunnelled = options.isTunnelled ?? true;
    this.#panicsOnDmaFault = options.panicsOnDmaFault ?? false;
  }

  /** A function has come; its nub appears when enumeration has succeeded. */
  attach(port: PciHostPort): void {
    const place = formatPciAddress(port.address);
    this.#machine.kernelProcess.spawn(`enumerate ${place}`, () => this.#enumerate(port, place));
  }

  detached(device: IOPCIDevice): void {
    const at = this.devices.indexOf(device);
    if (at >= 0) this.devices.splice(at, 1);
    this.#machine.terminate(device);
  }

  deadLinkLoad(device: IOPCIDevice, address: number, thread: Thread): boolean {
    const { scheduler, profile } = this.#machine;
    const range = device.port.ranges.find(
      (entry) => address >= entry.address && address < entry.address + entry.lengthBytes,
    );
    const isPanic = profile.panicsOnDeadLinkLoad;
    this.deadLinkLoads.push({
      timeNs: scheduler.nowNs(),
      address,
      barIndex: range?.barIndex ?? -1,
      offset: address - (range?.address ?? 0),
      thread: String(thread),
      stack: [...thread.stack],
      isPanic,
    });
    if (this.deadLinkLoads.length > 1000) this.deadLinkLoads.shift();
    if (!isPanic) return false;
    const cpu = this.#machine.random.fork("panicking cpu").below(8);
    this.#machine.panic(busErrorText(address, cpu), device);
    return true;
  }

  /** The IOMMU refused an access of the function at `place`: what the system makes of it (posts.md T6). */
  dmaFault(place: string, address: number): void {
    const machine = this.#machine;
    if (this.#panicsOnDmaFault) {
      const cpu = machine.random.fork("panicking cpu").below(8);
      machine.panic(dmaFaultText(cpu));
    } else if (machine.profile.recordsDmaFaults) {
      // The device, whichever of its functions the requester said it was.
      const slot = place.split(".")[0];
      const device = this.devices.find((each) => each.location.split(".")[0] === slot);
      if (device === undefined) return;
      let record = this.#records.get(device);
      if (record === undefined) {
        record = new DmaFaultRecord(device.properties);
        this.#records.set(device, record);
      }
      record.add(address);
    }
  }

  async #enumerate(port: PciHostPort, place: string): Promise<void> {
    const device = this.#machine.publish(
      {
        kernelClass: "IOPCIDevice",
        classChain: ["IOPCIDevice", "IOService"],
        provider: this.#bridge,
      },
      (context) => new IOPCIDevice(context, port, this),
    );
    device.location = place;
    port.connect(device);
    const config = await readWhole(device);
    try {
      const header = decodeHeader(config);
      listCapabilities(config);
      listExtendedCapabilities(config);
      device.config = config;
      // The specifier list begins with the line where there is one (posts.md T8).
      if (header.interruptPin !== 0) device.interrupts.addLine();
      device.registryName = pciName(header);
      Object.assign(device.properties, this.#describe(header, port));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.failures.push({ place, reason: error.message });
      this.#machine.log.kernel(`IOPCIFamily: ${place} could not be enumerated: ${error.message}`);
      this.#machine.terminate(device);
      return;
    }
    if (device.isInactive) return;
    this.devices.push(device);
    device.registerService();
  }

  #describe(header: ConfigHeader, port: PciHostPort): Properties {
    return {
      ...pciDeviceProperties(header),
      pcidebug: formatPciAddress(port.address).replace(".", ":"),
      IODeviceMemory: port.ranges.map(({ address, lengthBytes }) => [{ address, length: lengthBytes }]),
      ...(this.#isTunnelled ? { IOPCITunnelled: true } : {}),
    };
  }
}

/** Conventional space and, where the function has it, extended space, dword by dword. */
async function readWhole(device: IOPCIDevice): Promise<Uint8Array> {
  const config = new Uint8Array(extendedConfigBytes);
  for (let offset = 0; offset < configBytes; offset += 4)
    putU32le(config, offset, await device.kernelConfigRead(offset, 4));
  // Following the list would need it first; the first header says whether there is one.
  const first = await device.kernelConfigRead(configBytes, 4);
  if (first === 0 || first === 0xffffffff) return config;
  putU32le(config, configBytes, first);
  for (let offset = configBytes + 4; offset < 0x400; offset += 4)
    putU32le(config, offset, await device.kernelConfigRead(offset, 4));
  return config;
}

/** The panic text of a processor's load that got no answer (posts.md P14). */
export function busErrorText(address: number, cpu: number): string {
  const far = `0x${hex(address)}`;
  return (
    `LLC Bus error (Unavailable) from cpu${cpu}: FAR=${far} ` +
    `LLC_ERR_STS/ADR/INF=0x80/0x300480${hex(address, 9)}/0x1400000005 addr=${far} ` +
    "cmd=0x18(ACC_CIFL2C_CMD_RD_LD: request for load miss in E or S state)"
  );
}

/** Of a public report (posts.md T6); the dext is not in it. */
function dmaFaultText(cpu: number): string {
  return (
    `[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK (cpu ${cpu}): validate_t8110dart_err_mask(t8110dart_validation.h:324) ` +
    "state->dart_id(0x9), err_mask(0x80180000)"
  );
}

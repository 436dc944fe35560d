// What the drivers of P11 and P14 have in common: the adapter's session, its counters in host memory, the bundle.

import { IOReturns } from "@drydock/core/base/io-return";
import { PciCommand, PciConfig } from "@drydock/core/codec/pci/config-space";
import { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { IODMACommand } from "@drydock/core/runtime/dma-command";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";

/** Registers of the adapter. */
export const BoardRegister = {
  identity: 0x00,
  /** What the posts' driver polls: offset 8 of BAR 0. */
  status: 0x08,
  engine: 0x20,
  counterLow: 0x24,
  counterHigh: 0x28,
  work: 0x2c,
} as const;

/** A session, memory space and bus master. IOError when the provider is no PCI device. */
export async function openBoard(driver: IOService, provider: IOService): Promise<IOPCIDevice> {
  if (!(provider instanceof IOPCIDevice))
    throw driver.failure(IOReturns.kIOReturnUnsupported, "start", "no PCI device");
  await provider.open(driver);
  const command = await provider.configurationRead16(PciConfig.command);
  provider.configurationWrite16(PciConfig.command, command | PciCommand.memorySpace | PciCommand.busMaster);
  return provider;
}

/** One page that the adapter counts in: 48 bits for each vector, eight bytes apart. */
export class BoardCounters {
  readonly #memory: IOBufferMemoryDescriptor;
  readonly #command: IODMACommand;

  /** Made, prepared for DMA, and told to the adapter. */
  constructor(driver: IOService, device: IOPCIDevice) {
    const memory = IOBufferMemoryDescriptor.create(
      driver.process.memory,
      kIOMemoryDirectionOutIn,
      4096,
      4096,
    );
    const command = IODMACommand.create(device, 0, { maxAddressBits: 64 }, "adapter's counters");
    if (memory.value === null || command.value === null)
      throw driver.failure(IOReturns.kIOReturnNoMemory, "counters");
    this.#memory = memory.value;
    this.#command = command.value;
    const { status, segments } = command.value.prepareForDMA(0, memory.value, 0, 0);
    if (status !== IOReturns.kIOReturnSuccess) throw driver.failure(status, "prepareForDMA");
    device.memoryWrite32(0, BoardRegister.counterLow, segments[0].address);
    device.memoryWrite32(0, BoardRegister.counterHigh, 0);
  }

  read(vector: number): number {
    const { bytes } = this.#memory;
    let count = 0;
    for (let at = 5; at >= 0; at--) count = count * 256 + bytes[vector * 8 + at];
    return count;
  }

  /** The mapping ends, then the memory goes. */
  release(): void {
    if (this.#command.isPrepared) this.#command.completeDMA(0);
    this.#memory.release();
  }
}

/** `id` is the case's, `name` the side's. `pauses`: IOPCIPauseCompatible. */
export function boardBundle(
  id: "P11" | "P14",
  name: string,
  cls: ServiceClass,
  pauses: boolean,
): DriverBundle {
  const identifier = `org.drydock.case.${id.toLowerCase()}.${name}`;
  const className = `${id}Driver`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch: "0x0b0a1d1d" }],
    },
    personalities: {
      Adapter: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: className,
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: "0x0b0a1d1d",
        IOPCITunnelCompatible: true,
        ...(pauses ? { IOPCIPauseCompatible: true } : {}),
      },
    },
    classes: { [className]: cls },
  };
}

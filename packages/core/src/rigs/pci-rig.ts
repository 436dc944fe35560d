// A machine with a PCI berth: what every PCI rig begins with.

import type { Clock } from "../base/clock.ts";
import { TraceHash } from "../base/hash.ts";
import { PciFamily } from "../families/pci/pci-family.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { HostMemory } from "../ports/dma.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { IOService } from "../runtime/service.ts";
import { withPciTrace } from "../trace/pci-trace.ts";
import { Timeline, type TimelineOptions } from "../trace/timeline.ts";
import { TimelineRecorder } from "../trace/timeline-recorder.ts";
import type { RefusedAccess } from "../transports/sim/iommu.ts";
import { PciBerth, type PciBerthOptions } from "./pci-berth.ts";

export interface PciRigOptions extends PciBerthOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly profile: PlatformProfile;
  /** Memory that a device of another process reaches. */
  readonly hostMemory?: HostMemory;
  /** A refused access of a device stops the machine. Default: what the platform records of it. */
  readonly panicsOnDmaFault?: boolean;
  /** Records what happens. Default true. */
  readonly trace?: boolean;
  /** How much the timeline keeps. */
  readonly timeline?: TimelineOptions;
}

export interface PciRigParts {
  readonly machine: Machine;
  readonly family: PciFamily;
  readonly pci: PciBerth;
  /** Everything that was recorded: registers, mappings, messages, queues, the kernel's events, the log, power. */
  readonly timeline: Timeline;
}

export class PciRig implements PciRigParts {
  readonly machine: Machine;
  readonly family: PciFamily;
  readonly pci: PciBerth;
  readonly timeline: Timeline;

  constructor(options: PciRigOptions) {
    this.timeline = new Timeline(options.timeline);
    const recorder = (clock: Clock) => new TimelineRecorder(this.timeline, clock);
    this.machine = new Machine(options.trace === false ? options : { ...options, recorder });
    const bridge = this.machine.publish(
      { kernelClass: "IOPCIBridge", classChain: ["IOPCIBridge", "IOService"] },
      (context) => new IOService(context),
    );
    bridge.registryName = "AppleThunderboltPCIDownAdapter";
    const { panicsOnDmaFault } = options;
    this.family = new PciFamily(
      this.machine,
      bridge,
      panicsOnDmaFault === undefined ? {} : { panicsOnDmaFault },
    );
    this.pci = new PciBerth(
      {
        scheduler: this.machine.scheduler,
        random: this.machine.random,
        pageBytes: options.profile.ioPageBytes,
        misused: (text) => this.machine.noteMisuse(text),
        deliver: (port) => {
          const { scheduler: clock } = this.machine;
          this.family.attach(
            options.trace === false ? port : withPciTrace(port, { clock, timeline: this.timeline }),
          );
        },
      },
      options,
    );
    const { scheduler } = this.machine;
    const isTraced = options.trace !== false;
    const onRefused = (refusal: RefusedAccess) => {
      const { timeNs, address, lengthBytes, isWrite, reason, requester } = refusal;
      // Bus master off and a dead link stop an access before the IOMMU sees it.
      if (reason !== "bus master off" && reason !== "unplugged") this.family.dmaFault(requester, address);
      if (isTraced)
        this.timeline.add(
          TimelineKind.dma,
          timeNs,
          scheduler.cause,
          `refused: ${reason}`,
          address,
          lengthBytes,
          isWrite ? 1 : 0,
        );
    };
    this.pci.iommu.onRefused = onRefused;
  }
}

/** One number for everything observable of a PCI rig: the kernel's events, the log, the IOMMU's ledger. */
export function pciDigest(rig: PciRigParts): string {
  const hash = new TraceHash();
  const { machine, pci } = rig;
  machine.ring.hashInto(hash);
  for (const row of machine.log.show({ info: true, debug: true })) {
    hash.number(row.timeNs);
    hash.text(row.message);
  }
  for (const refusal of pci.iommu.refusals) {
    hash.number(refusal.timeNs);
    hash.number(refusal.address);
    hash.text(refusal.reason);
  }
  hash.number(machine.scheduler.nowNs());
  return hash.digest();
}

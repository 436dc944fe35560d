// A berth for PCI functions: bus, IOMMU, middleware and trace, in the shape of UsbBerth.

import type { Random } from "../base/random.ts";
import type { CountedAccess } from "../faults/counted-access.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import { SimIommu } from "../transports/sim/iommu.ts";
import { SimPciBus } from "../transports/sim/pci-bus.ts";
import { UntranslatedMemory } from "../transports/sim/untranslated-memory.ts";

/** What people choose about a berth, whatever stands above it. */
export interface PciBerthOptions {
  /** `none` takes the link's time away, for speed. Default `bus`. */
  readonly timing?: "bus" | "none";
  /** How long the system takes to notice a dead link: [least, most]. */
  readonly noticeNs?: readonly [number, number];
  /** Where the IOMMU's addresses begin. Default below 4 GiB. */
  readonly dmaWindowBase?: number;
  /** `fragmented`: no IOMMU, and physical memory in pieces, as no Mac has it. Default `iommu`. */
  readonly memory?: "iommu" | "fragmented";
  /** Stands between family and bus, for each attachment: same type in, same type out. */
  readonly middleware?: (port: PciHostPort) => PciHostPort;
  /** Counts register accesses, DMA and interrupts, and strikes those that it names: a campaign's. Nearest to the bus. */
  readonly access?: CountedAccess;
}

/** Who takes the ports: a machine's PCI family. */
export interface PciBerthHost {
  readonly scheduler: Scheduler;
  /** The rig's own source; the berth forks what it needs from it. */
  readonly random: Random;
  /** Pages of the IOMMU, from the platform. */
  readonly pageBytes: number;
  readonly deliver: (port: PciHostPort) => void;
  /** Told what a function says that its driver did against its specification. */
  readonly misused?: (text: string) => void;
}

/** Functions are plugged into slots of `bus`; what they reach of memory, and what they were refused, is `iommu`'s to tell. */
export class PciBerth {
  readonly bus: SimPciBus;
  readonly iommu: SimIommu;
  readonly #host: PciBerthHost;
  readonly #options: PciBerthOptions;

  constructor(host: PciBerthHost, options: PciBerthOptions = {}) {
    this.#host = host;
    this.#options = options;
    const { dmaWindowBase: windowBase } = options;
    const Memory = options.memory === "fragmented" ? UntranslatedMemory : SimIommu;
    this.iommu = new Memory({
      clock: host.scheduler,
      pageBytes: host.pageBytes,
      ...(windowBase === undefined ? {} : { windowBase }),
    });
    const { access } = options;
    this.bus = new SimPciBus({
      clock: host.scheduler,
      random: host.random.fork("pci-bus"),
      iommu: this.iommu,
      timing: options.timing ?? "bus",
      ...(host.misused === undefined ? {} : { onMisuse: host.misused }),
      ...(access === undefined ? {} : { wayUp: (upstream) => access.wayUp(upstream, host.scheduler) }),
      ...(options.noticeNs === undefined ? {} : { noticeNs: options.noticeNs }),
    });
    this.bus.onAttach((port) => this.attach(port));
  }

  /** Brings up a function that came from elsewhere: QEMU's. Functions on `bus` come by themselves. */
  attach(plain: PciHostPort): void {
    const { access, middleware } = this.#options;
    const counted = access?.pci(plain, this.#host.scheduler) ?? plain;
    this.#host.deliver(middleware?.(counted) ?? counted);
  }
}

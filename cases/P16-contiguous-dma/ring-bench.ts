// P16: AC'97 hardware that plays a ring of 1 MiB, with an IOMMU or without, and an ear at its converter.

import { ac97Bundle } from "@drydock/core/drivers/ac97/ac97-bundle";
import type { AudioServerDevice } from "@drydock/core/families/audio/audio-server-device";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { AudioRig, type AudioRigOptions } from "@drydock/core/rigs/audio-rig";
import { rampTone, ToneCheck } from "@drydock/core/rigs/tone";
import { describeRefusal } from "@drydock/core/transports/sim/iommu";
import type { CaseOptions, CaseRun } from "../driver-case.ts";
import { type RingFault, ringDriver } from "./audio-ring-driver.ts";

const rate = 48_000;
const stopNs = 1e9;

/** What the hardware's accesses came to, as a file. */
export function accessLedger(iommu: AudioRig["pci"]["iommu"]): string {
  const shown = iommu.refusals.slice(0, 8).map(describeRefusal);
  return [
    ...shown.map((line) => `DMA ledger: ${line}`),
    `DMA ledger: ${iommu.refusedCount} accesses refused`,
    "",
  ].join("\n");
}

/** What the ear at the converter heard of a tone. */
export function describeHeard(check: ToneCheck, frames: number, refusedFrames: number): string {
  return check.isWhole
    ? `every frame of ${frames} was heard in order`
    : `${check.matched} of ${frames} frames were heard; ${refusedFrames} frames of silence, as the IOMMU refused the hardware's reads`;
}

export interface RingBenchOptions extends CaseOptions {
  readonly fault: RingFault | null;
  readonly memory?: "iommu" | "fragmented";
  readonly panicsOnDmaFault?: boolean;
  /** Of the tone. Default 1. */
  readonly seconds?: number;
  /** Frames of the ring. Default the post's. */
  readonly ringFrames?: number;
  readonly rig?: Partial<AudioRigOptions>;
}

export class RingBench {
  readonly rig: AudioRig;
  readonly check: ToneCheck;
  readonly #frames: number;

  constructor(options: RingBenchOptions) {
    const { fault, memory, panicsOnDmaFault, ringFrames, seconds = 1, seed, turn } = options;
    this.#frames = Math.round(seconds * rate);
    this.check = new ToneCheck(rampTone(this.#frames), this.#frames);
    this.rig = new AudioRig({
      seed,
      turn,
      profile: { ...platformProfile("macos26"), checksEntitlements: false },
      trace: false,
      ...(memory === undefined ? {} : { memory }),
      ...(panicsOnDmaFault === undefined ? {} : { panicsOnDmaFault }),
      ...options.rig,
      bundles: [ac97Bundle(ringDriver(fault, ringFrames))],
      device: { onPlayed: (bytes) => this.check.hear(bytes) },
    });
  }

  get device(): AudioServerDevice | undefined {
    return this.rig.audio.devices[0];
  }

  /** Comes up, plays the tone, stops. Null: no device came up. */
  async run(): Promise<AudioServerDevice | null> {
    const device = await this.begin();
    if (device === null) return null;
    const { scheduler } = this.rig.machine;
    const lengthNs = (this.#frames / rate + 1) * 1e9;
    await scheduler.run(scheduler.nowNs() + lengthNs, () => device.isDrained || device.state === "stopped");
    device.stop();
    await scheduler.run(scheduler.nowNs() + stopNs, () => device.state === "stopped" || device.isGone);
    return device;
  }

  /** Comes up and begins to play. */
  async begin(): Promise<AudioServerDevice | null> {
    const { scheduler } = this.rig.machine;
    await scheduler.run(scheduler.nowNs() + 10e9, () => this.rig.audio.devices.length > 0);
    const device = this.device ?? null;
    device?.start({ source: rampTone(this.#frames) });
    return device;
  }

  ledgerText(): string {
    return accessLedger(this.rig.pci.iommu);
  }

  caseRun(): CaseRun {
    const { audio, family, machine } = this.rig;
    const { check } = this;
    const device = this.device;
    const [nub] = family.devices;
    const { refusedFrames } = this.rig.device.hearing;
    const why = [...machine.log.show()]
      .map(({ message }) => message)
      .find((text) => text.includes("audio ring"));
    return {
      succeeded: check.isWhole && machine.failure === null,
      result:
        device === undefined
          ? `no audio device: ${[...audio.failures, why ?? "the driver did not start"].join("; ")}`
          : describeHeard(check, this.#frames, refusedFrames),
      trace: null,
      dma: { iommu: this.rig.pci.iommu, text: this.ledgerText() },
      log: machine.log.show(),
      evidence: [
        { name: "dma-ledger.txt", text: this.ledgerText() },
        ...(nub === undefined
          ? []
          : [
              {
                name: "ioreg.txt",
                text: formatRegistryTree({ ...machine.registry.snapshot(nub), children: [] }),
              },
            ]),
        ...(machine.failure?.kind === "panic" ? machine.failure.evidence : []),
      ],
    };
  }
}

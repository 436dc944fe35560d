// What matched nothing, and why: personalities that no provider will ever fit, and devices that no driver took.

import { nearestName } from "../base/near-names.ts";
import type { Candidate, DriverLoading } from "./driver-loading.ts";
import type { MachineParts } from "./machine-parts.ts";
import type { IOService } from "./service.ts";

/** Classes that this project's families publish, and that a driver may name though nothing of them is plugged in. */
const providerClasses: readonly string[] = [
  "IOUserResources",
  "IOUSBHostDevice",
  "IOUSBHostInterface",
  "IOHIDInterface",
  "IOHIDDevice",
  "IOPCIDevice",
  "IOPCIBridge",
  "IOSCSIPeripheralDeviceNub",
  "IOSCSITargetDevice",
  "IOBlockStorageDevice",
  "IOMedia",
  "IOSerialStreamSync",
  "IOSerialBSDClient",
];

/** A rig may run for days, and devices may come at ever new places. */
const saidMaximum = 1000;

/**
 * A real system says nothing of a driver that matches nothing. The machine has made every comparison, so it says each once
 * when matching has come to rest: which provider class does not exist, which key set is not legal, and for a device or
 * interface that was left without a driver the personality that came nearest and the key that decided.
 */
export class UnmatchedRemarks {
  readonly #parts: MachineParts;
  readonly #loading: DriverLoading;
  readonly #said = new Set<string>();
  /** What was looked at last: bundles and verdicts. Nothing is looked at twice. */
  #bundleCount = 0;
  #reportCount = 0;

  constructor(parts: MachineParts, loading: DriverLoading) {
    this.#parts = parts;
    this.#loading = loading;
  }

  /** The machine's, when a run has ended. */
  look(): void {
    const { bundles, reportCount } = this.#loading;
    if (bundles.length === this.#bundleCount && reportCount === this.#reportCount) return;
    if (this.#loading.isMatching) return;
    this.#bundleCount = bundles.length;
    this.#reportCount = reportCount;
    const entries = [...this.#parts.registry.entries()];
    this.#judgeClasses(entries);
    for (const entry of entries)
      if (entry.isRegistered && !entry.isInactive && !this.#isDriven(entry)) this.#judgeNub(entry);
  }

  #judgeClasses(entries: readonly IOService[]): void {
    const known = new Set([...providerClasses, ...entries.flatMap((entry) => entry.classChain)]);
    for (const { bundle } of this.#loading.bundles) {
      for (const [name, { IOProviderClass: wanted }] of Object.entries(bundle.personalities)) {
        if (typeof wanted === "string" && known.has(wanted)) continue;
        const meant = typeof wanted === "string" ? nearestName(wanted, known, 3) : null;
        const why =
          typeof wanted === "string"
            ? `there is no provider class ${wanted}${meant === null ? "" : `; ${meant} is meant, perhaps`}`
            : "it names no IOProviderClass";
        this.#say(`personality ${name} of ${bundle.identifier} matches nothing: ${why}`, "error");
      }
    }
  }

  #judgeNub(nub: IOService): void {
    const judged = this.#loading
      .judge(nub)
      .filter((candidate) => candidate.verdict.decidedBy?.key !== "IOProviderClass");
    // One that matched and does not run has its own line.
    if (judged.length === 0 || judged.some((candidate) => candidate.verdict.matches)) return;
    const properties = nub.copyProperties();
    const nearness = ({ personality }: Candidate): number =>
      Object.keys(personality).filter((key) => personality[key] === properties[key]).length;
    const [nearest] = judged.sort((left, right) => nearness(right) - nearness(left));
    const { installed, personalityName, verdict } = nearest;
    const others = judged.length === 1 ? "" : `; it comes nearest of ${judged.length}`;
    this.#say(
      `personality ${personalityName} of ${installed.bundle.identifier} does not match ${nub.path}: ${verdict.reason}${others}`,
      "default",
    );
  }

  /** Something that a driver runs on, or whose parts have one. */
  #isDriven(nub: IOService): boolean {
    return nub.clients.some((client) => this.#loading.hostedBy(client) !== null || this.#isDriven(client));
  }

  #say(text: string, level: "default" | "error"): void {
    if (this.#said.has(text) || this.#said.size >= saidMaximum) return;
    this.#said.add(text);
    this.#parts.log.remark(text, level);
  }
}

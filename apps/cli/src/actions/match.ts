// drydock match: the nubs of a device, every driver judged on each, and the comparison that decided.

import { DecodeError } from "@drydock/core/base/errors";
import { shown } from "@drydock/core/base/shown-text";
import { decodeHeader } from "@drydock/core/codec/pci/config-space";
import { classChainOf } from "@drydock/core/platform/class-chains";
import {
  chooseDrivers,
  type DriverChoice,
  type DriverOffer,
  type StartRefusal,
  scoresAreOwn,
} from "@drydock/core/platform/driver-choice";
import { pciDeviceProperties, pciName } from "@drydock/core/platform/nub-properties";
import { nameWithUnknowns, platformProfile } from "@drydock/core/platform/platform-profile";
import { type BuiltRig, type RigEntry, rigCatalogue } from "@drydock/core/rigs/catalogue";
import type { Machine } from "@drydock/core/runtime/machine";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import { matchEvidence, type Nub, scsiNub, usbNubs } from "@drydock/doctor/match-evidence";
import { hostTurn } from "@drydock/node/host-turn";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { readDeviceSource } from "./device-source.ts";
import { evidenceOf, skippedLines } from "./evidence-folder.ts";
import type { RigOrFile } from "./rig-list.ts";

export interface MatchCommand {
  readonly device: RigOrFile;
  readonly driver: readonly string[];
  readonly platform: string;
  readonly seed: number;
  readonly json: boolean;
}

interface Device {
  readonly nubs: readonly Nub[];
  /** Drivers that come with it. */
  readonly drivers: readonly DriverOffer[];
  /** Of a rig, where each driver was tried. */
  startRefusal?(place: string): StartRefusal;
}

/** One nub and what becomes of each driver on it. */
interface NubReport {
  readonly nub: string;
  readonly class: string;
  /** The score's units are Drydock's own: which of several that fit is first on a real system is unknown. */
  readonly scoresAreOwn: boolean;
  readonly drivers: readonly {
    readonly driver: string;
    readonly personality: string;
    readonly outcome: DriverChoice["outcome"];
    readonly score: number;
    readonly category: string;
    readonly reason: string;
    readonly decidedBy: DriverChoice["verdict"]["decidedBy"];
    readonly tiedWith: readonly string[];
    readonly entitlementsKnown: boolean;
  }[];
  readonly notJudged: readonly string[];
}

/** Virtual time that any rig needs to come up. */
const settleNs = 30e9;

export async function matchDrivers(options: MatchCommand, io: CommandIo): Promise<ExitCode> {
  const given = await givenDrivers(options.driver, io);
  const device =
    options.device.rig === null
      ? await deviceOfFile(options.device.file.bytes(), options.device.file.label, io)
      : await deviceOfRig(options.device.rig, options);
  const isOwn = given.length === 0 && device.drivers.length === 0;
  const offers = [...given, ...(isOwn ? ownDrivers() : device.drivers)];
  const profile = platformProfile(options.platform);
  const reports = device.nubs.map((nub) =>
    reportOf(nub, chooseDrivers(offers, nub.subject, profile, device.startRefusal?.(nub.place))),
  );
  const bound = reports.some(({ drivers }) => drivers.some(({ outcome }) => outcome === "binds"));
  if (options.json) io.document({ platform: nameWithUnknowns(profile), nubs: reports });
  else {
    if (isOwn) io.say("drydock: no --driver: the drivers that Drydock has are judged");
    io.print(formatMatch(reports, nameWithUnknowns(profile), device.startRefusal !== undefined));
  }
  return bound ? exitCodes.pass : exitCodes.finding;
}

async function givenDrivers(paths: readonly string[], io: CommandIo): Promise<readonly DriverOffer[]> {
  if (paths.length === 0) return [];
  const { sources, skipped } = evidenceOf(paths);
  for (const line of skippedLines(skipped)) io.event(`drydock: ${line}`);
  const { offers, problems } = await matchEvidence(sources);
  for (const problem of problems) io.event(`drydock: ${problem}`);
  if (offers.length === 0)
    throw new UsageError(
      `${paths.map((path) => shown(path)).join(", ")}: no Info.plist with IOKitPersonalities; give a .dext, an app with one in it, or the Info.plist`,
    );
  return offers;
}

async function deviceOfRig(entry: RigEntry, { platform, seed }: MatchCommand): Promise<Device> {
  const rig = entry.build({ seed, turn: hostTurn, platform });
  await rig.machine.run(settleNs);
  return {
    nubs: nubsOfMachine(rig.machine),
    drivers: offersOfRig(rig),
    startRefusal: startRefusalIn(rig.machine),
  };
}

/** What a machine's own tries said. */
export function startRefusalIn({ matchReports }: Machine): (place: string) => StartRefusal {
  return (place) => (identifier, personalityName) =>
    matchReports.find(
      ({ candidate, nub, outcome }) =>
        nub === place &&
        outcome.startsWith("Start failed") &&
        candidate.personalityName === personalityName &&
        candidate.installed.bundle.identifier === identifier,
    )?.outcome ?? null;
}

/** Every entry of a running machine that a personality could name. */
export function nubsOfMachine(machine: Machine): Nub[] {
  const wanted = new Set(
    machine.loading.bundles.flatMap(({ bundle }) =>
      Object.values(bundle.personalities).map(({ IOProviderClass }) => IOProviderClass),
    ),
  );
  return machine.registry
    .entries()
    .filter((entry) => entry.isRegistered && !entry.isInactive)
    .filter(({ classChain }) => classChain.some((name) => wanted.has(name)))
    .map((entry) => ({
      place: entry.path,
      subject: {
        classChain: entry.classChain,
        name: entry.registryName,
        properties: entry.copyProperties(),
      },
      alsoThere: [],
    }));
}

export function offersOfRig({ machine }: Pick<BuiltRig, "machine">): DriverOffer[] {
  return machine.loading.bundles.map(({ bundle }) => ({
    kind: bundle.kind ?? "dext",
    identifier: bundle.identifier,
    personalities: bundle.personalities,
    entitlements: bundle.entitlements,
  }));
}

/** Of every rig in the catalogue, each once. */
function ownDrivers(): DriverOffer[] {
  const found = new Map<string, DriverOffer>();
  for (const entry of rigCatalogue)
    for (const offer of offersOfRig(entry.build({ seed: 1, turn: hostTurn, trace: false })))
      found.set(offer.identifier, found.get(offer.identifier) ?? offer);
  return [...found.values()];
}

/** UsageError says what a file may be. */
async function deviceOfFile(bytes: Uint8Array, label: string, io: CommandIo): Promise<Device> {
  const pci = pciOf(bytes);
  if (pci !== null) return { nubs: [pci], drivers: [] };
  const { nubs, problems, running } = await matchEvidence([sourceOfBytes(label, bytes)]);
  if (nubs.length > 0) {
    for (const problem of problems) io.event(`drydock: ${problem}`);
    return { nubs, drivers: running };
  }
  const unit = inquiryOf(bytes, label);
  if (unit !== null) return { nubs: [unit], drivers: [] };
  try {
    const { device, configurations, strings } = readDeviceSource(bytes);
    const text = (index: number): string => (index === 0 ? "" : (strings[index - 1] ?? ""));
    const named = {
      product: text(device.iProduct),
      vendor: text(device.iManufacturer),
      serial: text(device.iSerialNumber),
    };
    return { nubs: usbNubs(device, configurations, named), drivers: [] };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `${label} ${error.message}; nor is it ioreg -l or -a with a device in it, system_profiler SPUSBDataType, lspci -x, PCI configuration space or INQUIRY data`,
    );
  }
}

const pciHeaderBytes = 64;

/** `lspci -x` (the first function with its bytes), or configuration space as sysfs has it: 64, 256 or 4096 bytes. */
function pciOf(bytes: Uint8Array): Nub | null {
  let config: Uint8Array | null = null;
  if ([pciHeaderBytes, 256, 4096].includes(bytes.length)) config = bytes;
  else if (bytes.length < 1 << 20) {
    const rows = [
      ...new TextDecoder().decode(bytes).matchAll(/^([0-9a-f]{2,3}): ((?:[0-9a-f]{2} ?){16})\s*$/gm),
    ];
    const first = rows.findIndex(([, offset]) => offset === "00");
    const own = first < 0 ? [] : rows.slice(first, first + pciHeaderBytes / 16);
    if (own.length === pciHeaderBytes / 16)
      config = Uint8Array.from(
        own.flatMap(([, , row]) =>
          row
            .trim()
            .split(" ")
            .map((pair) => Number.parseInt(pair, 16)),
        ),
      );
  }
  if (config === null || (config[0] === 18 && config[1] === 1)) return null;
  try {
    const header = decodeHeader(config);
    return {
      place: pciName(header),
      subject: {
        classChain: classChainOf("IOPCIDevice"),
        name: pciName(header),
        properties: pciDeviceProperties(header),
      },
      alsoThere: [
        "whether it hangs behind a Thunderbolt tunnel, where IOPCITunnelCompatible is needed, is not in these bytes",
      ],
    };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}

/** Standard INQUIRY data (SPC-4 §6.4.2): its format is 2, and its length is the one that it says. */
function inquiryOf(bytes: Uint8Array, label: string): Nub | null {
  const isInquiry =
    bytes.length >= 36 && (bytes[3] & 0x0f) === 2 && bytes[4] + 5 >= 36 && bytes.length <= 260;
  return isInquiry && bytes.length <= bytes[4] + 5 ? scsiNub(bytes, label) : null;
}

function reportOf({ alsoThere, place, subject }: Nub, choices: readonly DriverChoice[]): NubReport {
  return {
    nub: place,
    class: subject.classChain[0],
    scoresAreOwn: scoresAreOwn(subject),
    drivers: choices.map(({ category, offer, outcome, personalityName, reason, tiedWith, verdict }) => ({
      driver: offer.identifier,
      personality: personalityName,
      outcome,
      score: verdict.score,
      category,
      reason,
      decidedBy: verdict.decidedBy,
      tiedWith,
      entitlementsKnown: offer.kind === "kext" || offer.isRunning === true || offer.entitlements !== null,
    })),
    notJudged: alsoThere,
  };
}

const outcomeWords: Readonly<Record<DriverChoice["outcome"], string>> = {
  binds: "BINDS",
  outranked: "fits, but is not chosen",
  refused: "fits, but is refused",
  "no match": "does not match",
};

function formatMatch(reports: readonly NubReport[], system: string, isTried: boolean): string {
  const lines: string[] = [];
  let others = 0;
  for (const { class: className, drivers, nub, notJudged, scoresAreOwn: isOwn } of reports) {
    // Personalities for another class of provider say nothing about this nub.
    const told = drivers.filter(({ decidedBy }) => decidedBy?.key !== "IOProviderClass");
    if (told.length === 0 && notJudged.length === 0) {
      others++;
      continue;
    }
    lines.push(`${shown(nub, 400)}  <${shown(className)}>`);
    for (const each of told) {
      lines.push(
        `  ${outcomeWords[each.outcome]}: ${shown(each.driver, 200)}, personality ${shown(each.personality, 200)}`,
        `    ${shown(each.reason, 1000)}`,
      );
      if (each.outcome === "binds" && !each.entitlementsKnown)
        lines.push("    its entitlements were not given: whether the system lets it attach is unknown");
      if (each.tiedWith.length > 0)
        lines.push(
          `    as good: ${each.tiedWith.map((name) => shown(name, 200)).join(", ")}; which is first is unknown`,
        );
    }
    if (isOwn && told.filter(({ decidedBy }) => decidedBy === null).length > 1)
      lines.push(
        "  Apple's scores for HID are not known: which of those that fit is first on a real system is unknown",
      );
    for (const line of notJudged) lines.push(`  not judged: ${shown(line, 400)}`);
    if (!told.some(({ outcome }) => outcome === "binds")) lines.push("  none of these drivers binds here");
  }
  if (others > 0)
    lines.push(
      `${others === reports.length ? "" : "and "}${others} ${others === 1 ? "nub" : "nubs"} that no driver here asks for by IOProviderClass`,
    );
  return `Matching by the rules of ${system}; ${isTried ? "what refused in Start did so in this rig" : "a driver's own probe and Start are not known here"}.\n${lines.join("\n")}\n`;
}

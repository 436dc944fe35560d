// Kinds of panic by their first line: what happened, why, what to do, and who must act.

import { cutText } from "../facts/cut-text.ts";
import type { PanicReport } from "../facts/panic-report.ts";
import type { Actor } from "./rule.ts";

export interface PanicClass {
  /** "watchdog", "crash loop", ... */
  readonly name: string;
  /** One sentence about this panic. */
  readonly claim: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly who: Actor;
  readonly score: number;
  readonly missing: readonly string[];
}

const whole = "the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)";
const report = "Send the whole panic-full-*.ips to Apple with Feedback Assistant; it holds the stackshot.";

type Make = (match: RegExpExecArray, panic: PanicReport) => Omit<PanicClass, "name">;

/** A panic of the phone, or of the tablet, where none of a Mac's tools runs. */
export function isMobile({ product }: PanicReport): boolean {
  return /^(?:iPhone|iPod|Watch|AppleTV|RealityDevice|AudioAccessory|iPad)/.test(product);
}

/** A driver extension cannot have a part in it: the machine has none. */
export function mobileName({ product }: PanicReport): string {
  const kind = /^[A-Za-z]+/.exec(product)?.[0] ?? "";
  const names: Readonly<Record<string, string>> = {
    iPhone: "an iPhone's panic",
    iPad: "an iPad's panic",
    iPod: "an iPod's panic",
    Watch: "an Apple Watch's panic",
    AppleTV: "an Apple TV's panic",
    RealityDevice: "a Vision Pro's panic",
    AudioAccessory: "a HomePod's panic",
  };
  return names[kind] ?? "a panic of a mobile device";
}

const classes: readonly (readonly [string, RegExp, Make])[] = [
  [
    "crash loop",
    /Driver IOUserServer\(([\w.-]{3,200}?)-0x[0-9a-f]+\) has crashed too many times|Driver ([\w.-]{3,200}) has crashed too many times/,
    (match) => {
      const bundle = match[1] ?? match[2];
      const isApples = bundle.startsWith("com.apple.");
      return {
        claim: `The driver extension ${bundle} crashed in a loop, more than three times within a day, and the kernel restarted the machine for it.`,
        why: `The kernel restarts a crashed driver extension of the platform, and panics when it passes its daily limit. ${isApples ? "This one is Apple's; the device behind it provokes the crash." : "The driver's own crash reports say where it fails."} The kernel's own code is not at fault.`,
        fix: [
          `Look for the crash reports of ${bundle} in /Library/Logs/DiagnosticReports: they say where it crashed.`,
          "Leave the device behind it out meanwhile.",
        ],
        who: isApples ? "Apple" : "the vendor of the driver",
        score: 90,
        missing: [`the crash reports of ${bundle}`],
      };
    },
  ],
  [
    "watchdog of the kernel",
    /no (?:successful )?check-?ins? from watchdogd in (\d+) seconds|watchdog timeout: no checkins from watchdogd/i,
    (match) => ({
      claim: `The kernel itself did not get on: watchdogd could not check in${match[1] === undefined ? "" : ` for ${match[1]} seconds`}, and the machine was restarted on purpose.`,
      why: "When not even watchdogd gets a turn, something holds the processors or an interrupt in the kernel. The stackshot of the full report says where every thread stood.",
      fix: [
        "Look at the stackshot of the full report (panic-full-*.ips) for what held the processors.",
        report,
      ],
      who: "Apple",
      score: 72,
      missing: [whole],
    }),
  ],
  [
    "watchdog of a service",
    /userspace watchdog timeout: no successful checkins from ([\w.\-/]{2,200}?) (?:\([^()]{0,80}\) )?in (\d+) seconds/i,
    (match) => ({
      claim: `${match[1]} hung for ${match[2]} s, and the watchdog restarted the machine on purpose: a watchdog's panic, the kernel did not crash.`,
      why: `watchdogd is only the messenger: ${match[1]} did not answer it for ${match[2]} seconds. What ${match[1]} waited for stands in the stackshot of the full report.`,
      fix: [
        `Read the stackshot in the full report (panic-full-*.ips): the threads of ${match[1]} tell what it waited for.`,
        "If they wait in a kernel extension, a driver extension or a disk, that one is the thing to look at; otherwise report it to Apple.",
      ],
      who: "Apple",
      score: 86,
      missing: [whole],
    }),
  ],
  [
    "watchdog at shutdown",
    /(?:watchdog timeout|stackshot|shutdown)\b.{0,80}\b(?:at shutdown|during shutdown|shutdown in progress)|shutdown (?:stall|timed out|took too long)/i,
    () => ({
      claim:
        "The machine did not finish shutting down in time, and the watchdog restarted it: a watchdog's panic.",
      why: "At shutdown every service and driver has its time to end. One of them did not, and the stackshot of the full report says which threads were left.",
      fix: [
        "Read the stackshot in the full report (panic-full-*.ips) for the processes that were still there.",
      ],
      who: "Apple",
      score: 78,
      missing: [whole],
    }),
  ],
  [
    "watchdog",
    /^(?:userspace )?watchdog timeout: (.{3,200})/i,
    (match) => ({
      claim: `A watchdog restarted the machine on purpose: ${match[1].split("\n")[0].trim()}.`,
      why: "The kernel did not crash: something that has to report at regular times did not. The full report has a stackshot of all threads.",
      fix: [
        "Read the stackshot in the full report (panic-full-*.ips): it tells what was waited for.",
        report,
      ],
      who: "Apple",
      score: 76,
      missing: [whole],
    }),
  ],
  [
    "first process ended",
    /initproc exited|launchd (?:exited|died)|init process exited/i,
    () => ({
      claim: "launchd, the first process, ended, and the kernel cannot go on without it.",
      why: "Most often a library or the root volume that launchd needs could not be read, or its code signature was refused. The text after it has the reason.",
      fix: [
        "Read exit reason and namespace in the text; start in Recovery and check the system volume.",
        report,
      ],
      who: "Apple",
      score: 74,
      missing: [],
    }),
  ],
  [
    "PCIe link",
    /^(?:apciec?\[[^\]]{1,60}\]::handleInterrupt|.{0,40}pcielint=|.{0,60}PCIe? (?:completion timeout|link (?:down|lost)))/i,
    (match) => ({
      claim: `The PCIe bridge of the machine reported an error on the link to a device (${cutText(match.input.split("\n")[0].replace(/\s*linksts=.*|\\n.*$/, ""), 120)}).`,
      why: "The bridge saw something from the device or from its driver that it may not pass on: an address that is not mapped, or a link that went down. The name in brackets says which port it is.",
      fix: [
        "Leave out what is plugged in at this port (Thunderbolt, a card, a dock) and see whether it comes back.",
        "If a driver of your own drives the device: look at the addresses that it gives the device, and at what happens when the cable is pulled.",
      ],
      who: "the device's maker",
      score: 66,
      missing: [whole],
    }),
  ],
  [
    "watchdog of the chip",
    /SoC \(system\) watchdog reset|SOCD report detected|AP watchdog expired|watchdog reset occurred/i,
    () => ({
      claim:
        "The chip's own watchdog restarted the machine: nothing on it answered any more, the kernel's panic included.",
      why: "This report is written after the restart, so it has no stack of what hung. Firmware, hardware, or a kernel that stood still with interrupts off are what is left.",
      fix: [
        "Look for other reports of the same minutes in /Library/Logs/DiagnosticReports.",
        "Leave out external devices and kernel extensions of other vendors until it is stable.",
        report,
      ],
      who: "Apple",
      score: 66,
      missing: [],
    }),
  ],
  [
    "device off the bus",
    /(?:nvme|NVMe|pci\w*|PCI\w*|thunderbolt|xhci|XHCI|MMIO|CSTS|controller|Controller|link)\b[\s\S]{0,400}?\b(?:0x)?(?:ffffffff){1,2}\b|Loss of MMIO space|(?:0x)?f{8}\b[\s\S]{0,120}\b(?:NVMe|nvme|PCI|MMIO)/,
    (match) => {
      const model = /MODEL=([^\n=]{2,60}?)(?: FW=| CSTS=|$)/.exec(match.input)?.[1];
      return {
        claim: `A device answered all ones${model === undefined ? "" : ` (${model.trim()})`}: it is off the bus, so its link, its power or its firmware is gone.`,
        why: "A register that reads all ones is what the host gets when nobody answers: the device was removed, lost power, hangs in its firmware, or its link is down. The driver that asked is the messenger.",
        fix: [
          "Look at the device, its slot, cable, power and firmware; try another slot or port.",
          "Leave it out until the machine is stable, to be sure that it is this one.",
        ],
        who: "the device's maker",
        score: 80,
        missing: [],
      };
    },
  ],
  [
    "tag check",
    /Kernel tag check fault/i,
    (_match, panic) => ({
      claim: `A kernel memory tag fault${panic.panickedTask === "" ? "" : ` in a call of ${panic.panickedTask}`}: memory tagging caught a use of freed or foreign kernel memory.`,
      why: "Machines with memory tagging stop at the first access whose pointer does not carry the tag of the memory. The fault is in the kernel or an extension of it, not in the process that made the call.",
      fix: [
        "Keep the full report and send it to Apple with Feedback Assistant; say what the process did.",
        "The process's developer can avoid that call meanwhile.",
      ],
      who: "Apple",
      score: 84,
      missing: [],
    }),
  ],
  [
    "kernel memory",
    /zone_require|element modified after free|Invalid queue element|corrupt(?:ed)? (?:zone|list|heap|free ?list)|double free|kalloc|zalloc|a freed zone element has been modified|use.after.free/i,
    (_match, panic) => ({
      claim: `The kernel found its memory damaged${panic.panickedTask === "" ? "" : `, in a call of ${panic.panickedTask}`}: something wrote to memory that it had given back, or beyond its own.`,
      why: "Such a check fires where the damage is found, not where it was done. Kernel extensions and devices that write by DMA are the usual ones.",
      fix: ["Take third-party kernel extensions out and see whether it comes back.", report],
      who: "Apple",
      score: 62,
      missing: [whole],
    }),
  ],
  [
    "processor hardware",
    /x86 CPU CATERR|machine check|Machine Check|x86 global reset|CATERR|ECC error|MCA:/i,
    () => ({
      claim:
        "The processor reported an error of the hardware: of itself, of memory, or of a device on its buses.",
      why: "Such a report comes from the hardware, not from software. Memory, the processor's own power, and PCI or Thunderbolt devices are what it may mean.",
      fix: [
        "Take external devices and added memory out; run Apple Diagnostics.",
        "Have the machine looked at when it comes back.",
      ],
      who: "Apple",
      score: 70,
      missing: [],
    }),
  ],
  [
    "firmware",
    /\b(?:SMC|SOCD|DCP|AOP|ANS2?|SEP|SIO|PMP|ISP|GFX|AVE|ASC|RTKit|RTBuddy|AppleANS\w*|AppleDCP\w*|macefi|EFI|BAD MAGIC|bridgeOS|T2)\b[\s\S]{0,60}\b(?:PANIC|panic|Panic|assert|ASSERT|failure|timeout|flag set|crash)/,
    (match) => ({
      claim: `A co-processor of the machine gave up (${cutText(match[0].split("\n")[0], 80)}), and took the machine down with it.`,
      why: "Apple's machines hold processors of their own for power, storage, display and sleep, each with firmware from Apple. Its panic is passed on as one of the kernel.",
      fix: ["Update macOS, which brings that firmware; start without external devices once.", report],
      who: "Apple",
      score: 68,
      missing: [],
    }),
  ],
];

/** Panics that have rules of their own, which say more. */
export const otherRules =
  /LLC Bus error|DART_INVALID_ERR_MASK|setPowerState\([^)]{0,80}\) timed out|busy timeout\[|transition timed out after/i;

/** The class of a panic; null for a first line that no class knows. */
export function classOf(panic: PanicReport): PanicClass | null {
  // Many callers of panic() quote what they say.
  const message = panic.message.replace(/^["'\s]+/, "");
  for (const [name, pattern, make] of classes) {
    const match = pattern.exec(message);
    if (match !== null) return { name, ...make(match, panic) };
  }
  return null;
}

/** The report goes on behind its backtrace, so what does not stand there is not there. */
export function isBacktraceWhole(panic: PanicReport): boolean {
  return /(?:, backtrace:|\bBacktrace \()[\s\S]*?^\W*(?:Kernel Extensions in backtrace|(?:BSD )?process name corresponding|last (?:started|loaded) kext|loaded kexts)/im.test(
    panic.text,
  );
}

/** The first third-party kernel extension whose code is on the stack, or that the report lists there. */
export function kextOf(
  panic: PanicReport,
): { bundle: string; version: string; address: string | null } | null {
  const own = panic.backtraceRanges.filter(({ bundle }) => !/^com\.apple\./.test(bundle));
  for (const address of panic.returnAddresses) {
    const kext = own.find(({ start, end }) => address >= start && address <= end);
    if (kext !== undefined) return { ...kext, address: `0x${address}` };
  }
  const [listed] = own;
  return listed === undefined ? null : { ...listed, address: null };
}

/** What an access to this address means; "" when nobody can tell. */
export function accessWords(panic: PanicReport): string {
  const address = panic.faultAddress === "" ? Number.NaN : Number(panic.faultAddress);
  if (!/page fault|data abort|trap|fault/i.test(panic.message) || Number.isNaN(address)) return "";
  const name = /CR2/.test(panic.text) ? "CR2" : "far";
  if (address < 0x1000) return `a null pointer with an offset (${name} ${address.toString(16)})`;
  return `an access to ${panic.faultAddress}`;
}

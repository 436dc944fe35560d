// What a guest's kernel complains about, without the lines that every good attachment brings.

import type { LinuxGuest } from "./linux-guest.ts";

/** Of 4, "warning", and worse (syslog(2)). */
const worstHarmlessLevel = 4;

/** Whole lines; nothing of a class driver's is among them. */
const knownNoise = [
  // The virtual host controller's own, twice for each attachment of a full-speed device (linux-guest.md §3).
  /^vhci_hcd: vhci_device speed not set$/,
  // The guest's clock, when this machine was too busy to run QEMU in time.
  /^hrtimer: interrupt took \d+ ns$/,
  /^clocksource: Long readout interval, skipping watchdog check/,
];

/** Kernel messages of level warning and worse since the last `clearDmesg`, without their times. */
export async function complaints(guest: LinuxGuest): Promise<string[]> {
  const found: string[] = [];
  for (const line of (await guest.run("dmesg -r")).split("\n")) {
    const match = /^<(\d+)>\[ *\d+\.\d+\] (.*)$/.exec(line);
    if (match === null || (Number(match[1]) & 7) > worstHarmlessLevel) continue;
    if (!knownNoise.some((noise) => noise.test(match[2]))) found.push(match[2]);
  }
  return found;
}

// PCI's match keys: hexadecimal values with masks against the registers of a function (driverkit-core.md §11.3).

import { hex } from "../base/text.ts";
import { type MatchSubject, type MatchVerdict, refusal, verdict } from "./match-verdict.ts";
import type { Properties, PropertyValue } from "./properties.ts";

const pciKeys = ["IOPCIMatch", "IOPCIPrimaryMatch", "IOPCISecondaryMatch", "IOPCIClassMatch"] as const;
type PciKey = (typeof pciKeys)[number];

/** What a hit of IOPCIMatch on the primary id adds to the score (not on Intel, which no profile here models). */
const primaryHitScore = 1000;

export function isPciKey(key: string): key is PciKey {
  return (pciKeys as readonly string[]).includes(key);
}

/** Registers 0x00, 0x2C and 0x08 from a nub's properties, which hold them as little-endian data. */
function registerOf(subject: MatchSubject, high: string, low: string): number {
  return ((word(subject.properties[high]) & 0xffff) * 65536 + (word(subject.properties[low]) & 0xffff)) >>> 0;
}

function word(value: PropertyValue | undefined): number {
  if (!(value instanceof Uint8Array)) return 0;
  return (value[0] | (value[1] << 8) | (value[2] << 16) | ((value[3] ?? 0) << 24)) >>> 0;
}

function classRegister(subject: MatchSubject): number {
  const code = word(subject.properties["class-code"]);
  return ((code << 8) | (word(subject.properties["revision-id"]) & 0xff)) >>> 0;
}

/** `text` is one or more of `value` or `value&mask`, separated by blanks: one that fits is enough. */
function fits(text: string, register: number, defaultMask: number): boolean {
  return text
    .split(/\s+/)
    .filter((part) => part !== "")
    .some((part) => {
      const [value, mask] = part.split("&");
      const wanted = Number.parseInt(value, 16);
      const bits = mask === undefined ? defaultMask : Number.parseInt(mask, 16);
      if (Number.isNaN(wanted) || Number.isNaN(bits)) return false;
      return (register & bits) >>> 0 === (wanted & bits) >>> 0;
    });
}

/** Null: it fits. */
export function comparePciKey(key: string, table: Properties, subject: MatchSubject): MatchVerdict | null {
  const wanted = table[key];
  if (typeof wanted !== "string") return refusal(`${key} is not a string`, key, wanted);
  const primary = registerOf(subject, "device-id", "vendor-id");
  const secondary = registerOf(subject, "subsystem-id", "subsystem-vendor-id");
  const register =
    key === "IOPCIClassMatch" ? classRegister(subject) : key === "IOPCISecondaryMatch" ? secondary : primary;
  const mask = key === "IOPCIClassMatch" ? 0xffffff00 : 0xffffffff;
  if (fits(wanted, register, mask)) return null;
  if (key === "IOPCIMatch" && fits(wanted, secondary, mask)) return null;
  return refusal(
    `the register is 0x${hex(register, 8)}, ${key} wants "${wanted}" (read as hexadecimal)`,
    key,
    wanted,
    `0x${hex(register, 8)}`,
  );
}

/** All keys given must fit; a tunnelled device also needs IOPCITunnelCompatible. Null: no PCI nub, or no PCI key. */
export function matchPci(table: Properties, subject: MatchSubject): MatchVerdict | null {
  if (!subject.classChain.includes("IOPCIDevice")) return null;
  const given = pciKeys.filter((key) => table[key] !== undefined);
  if (given.length === 0) return null;
  for (const key of given) {
    const refused = comparePciKey(key, table, subject);
    if (refused !== null) return refused;
  }
  if (subject.properties.IOPCITunnelled === true && table.IOPCITunnelCompatible !== true) {
    return refusal(
      "the device hangs behind a Thunderbolt tunnel, and the personality lacks IOPCITunnelCompatible = true",
      "IOPCITunnelCompatible",
      true,
      table.IOPCITunnelCompatible,
    );
  }
  const primary = registerOf(subject, "device-id", "vendor-id");
  const isPrimaryHit = typeof table.IOPCIMatch === "string" && fits(table.IOPCIMatch, primary, 0xffffffff);
  const score = isPrimaryHit ? primaryHitScore : 0;
  return verdict(score, `${given.join(" + ")} fit${isPrimaryHit ? `: ${score} for the primary id` : ""}`);
}

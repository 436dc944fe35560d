// A registry as `ioreg -l` prints it, and as `ioreg -a` does (an XML property list).

import { shown } from "../../base/shown-text.ts";
import { hex } from "../../base/text.ts";
import { isDictionary, type Properties, type PropertyValue } from "../properties.ts";
import { formatPlist } from "./plist-text.ts";

/** One entry and what stands on it. */
export interface RegistrySnapshot {
  readonly name: string;
  readonly location: string;
  readonly className: string;
  readonly id: number;
  readonly registered: boolean;
  readonly matched: boolean;
  readonly active: boolean;
  readonly busy: number;
  readonly busyMs: number;
  readonly retain: number;
  readonly properties: Properties;
  readonly children: readonly RegistrySnapshot[];
}

/** A device names itself as it likes: what would command a terminal is shown as such. */
const longestString = 4096;

/** `ioreg -l -w0` (posts.md §4.4). */
export function formatRegistryTree(root: RegistrySnapshot): string {
  const lines: string[] = [];
  writeEntry(lines, root, "");
  return `${lines.join("\n")}\n`;
}

function writeEntry(lines: string[], entry: RegistrySnapshot, bars: string): void {
  const place = entry.location === "" ? "" : `@${entry.location}`;
  const states = [
    `class ${entry.className}`,
    `id 0x${hex(entry.id)}`,
    entry.registered ? "registered" : "!registered",
    entry.matched ? "matched" : "!matched",
    entry.active ? "active" : "inactive",
    `busy ${entry.busy} (${entry.busyMs} ms)`,
    `retain ${entry.retain}`,
  ];
  lines.push(`${bars}+-o ${shown(entry.name)}${place}  <${states.join(", ")}>`);
  const below = `${bars}${entry.children.length > 0 ? "| " : "  "}`;
  lines.push(`${below}{`);
  for (const [key, value] of Object.entries(entry.properties))
    lines.push(`${below}  "${shown(key)}" = ${formatTreeValue(value)}`);
  lines.push(`${below}}`, below.trimEnd());
  entry.children.forEach((child, index) => {
    const isLast = index === entry.children.length - 1;
    writeEntry(lines, child, isLast ? `${bars}  ` : `${bars}| `);
  });
}

/** `(a,b)`, `{"k"=v}`, `<hex>`, Yes/No, as ioreg writes them. */
export function formatTreeValue(value: PropertyValue): string {
  if (typeof value === "string") return `"${shown(value, longestString)}"`;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (value instanceof Uint8Array) return `<${[...value].map((byte) => hex(byte, 2)).join("")}>`;
  if (isDictionary(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `"${shown(key)}"=${formatTreeValue(item)}`)
      .join(",")}}`;
  }
  return `(${value.map(formatTreeValue).join(",")})`;
}

/** IOServiceState: registered 2, matched 4, first publish 8, first match 16; inactive 1. */
function stateBits(entry: RegistrySnapshot): number {
  return (entry.active ? 0 : 1) | (entry.registered ? 2 | 8 : 0) | (entry.matched ? 4 | 16 : 0);
}

/** `ioreg -a`. */
export function formatRegistryPlist(root: RegistrySnapshot): string {
  return formatPlist(asDictionary(root));
}

function asDictionary(entry: RegistrySnapshot): Properties {
  return {
    ...entry.properties,
    ...(entry.children.length > 0 ? { IORegistryEntryChildren: entry.children.map(asDictionary) } : {}),
    IOObjectClass: entry.className,
    IOObjectRetainCount: entry.retain,
    IORegistryEntryID: entry.id,
    ...(entry.location === "" ? {} : { IORegistryEntryLocation: entry.location }),
    IORegistryEntryName: entry.name,
    IOServiceBusyState: entry.busy,
    IOServiceBusyTime: entry.busyMs * 1_000_000,
    IOServiceState: stateBits(entry),
  };
}

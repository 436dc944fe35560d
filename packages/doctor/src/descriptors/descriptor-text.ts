// The doctor's answer about descriptors as text: each fault with its place, cause, and what each host makes of it.

import { shown } from "@drydock/core/base/shown-text";
import type { PlacedFault } from "./descriptor-set.ts";
import { faultKnowledge, type HostVerdict } from "./hosts.ts";

const longest = 600;

export function verdictText({ does, mark, source }: HostVerdict): string {
  return mark === "unknown" ? "unknown" : `${does} (${mark}; ${source})`;
}

export function formatFaults(faults: readonly PlacedFault[], name: string): string {
  const lines = name === "" ? [] : [`${shown(name, longest)}:`];
  for (const { bytes, kind, line, offset, text, where } of faults) {
    const { cause, linux, macos, windows } = faultKnowledge[kind];
    lines.push(
      `${where}, byte ${offset} (0x${offset.toString(16)})${line === null ? "" : `, line ${line}`}: ${shown(text, longest)}`,
      `  bytes:   ${bytes}`,
      `  cause:   ${cause}`,
      `  Linux:   ${verdictText(linux)}`,
      `  Windows: ${verdictText(windows)}`,
      `  macOS:   ${verdictText(macos)}`,
    );
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

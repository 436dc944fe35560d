// FX-DESCRIPTORS: a device's descriptors contradict themselves, its speed, or its class.

import { capturedDescriptors } from "../../descriptors/captured-descriptors.ts";
import { judgeDescriptors, type PlacedFault } from "../../descriptors/descriptor-set.ts";
import { verdictText } from "../../descriptors/descriptor-text.ts";
import type { FaultKind } from "../../descriptors/fault.ts";
import { faultKnowledge } from "../../descriptors/hosts.ts";
import type { Place } from "../../facts/evidence-source.ts";
import type { Finding, Rule } from "../rule.ts";

/** Faults that no host is known to trip over: worth a word, and no answer to why something does not work. */
const harmless: ReadonlySet<FaultKind> = new Set([
  "bcd-digits",
  "association-not-announced",
  "attributes-reserved",
  "power-too-much",
  "interface-number",
  "endpoint-attributes-reserved",
  "interval-out-of-range",
  "companion-at-usb2",
  "companion-values",
  "packet-size-reserved",
  "isochronous-in-setting-zero",
  "device-length",
  "hid-boot-protocol",
  "cdc-header-missing",
  "cdc-functional-length",
  "cdc-notification-missing",
  "audio-total",
  "report-usage-missing",
  "report-value-too-large",
]);
/** Of a listing that is wrong everywhere the first ones say enough. */
const mostFindings = 12;

export const descriptorsWrong: Rule = {
  id: "FX-DESCRIPTORS",
  title: "A USB device's descriptors contradict themselves, its speed or its class",
  severity: "error",
  certainty: "established",
  source: "USB 2.0 chapter 9, USB 3.2 §9.6, and the class specification that the sentence names",
  needs: ["USB descriptors"],
  why: "Descriptors are all that a host knows of a device. Hosts forgive different faults: what one repairs silently another refuses.",
  fix: ["Correct the byte in the firmware.", "Give the new descriptors to drydock explain --descriptors."],
  who: "the device's maker",
  judge(evidence) {
    const listed = evidence
      .facts("descriptors")
      .flatMap(({ place, value }) =>
        judgeDescriptors(value).map((fault) => findingOf(fault, place, value.name)),
      );
    const files = Map.groupBy(evidence.facts("transfer"), ({ place }) => place.file);
    const captured = [...files.values()].flatMap((facts) => {
      const places = new Map(facts.map(({ place, value }) => [value, place]));
      return capturedDescriptors(facts.map(({ value }) => value)).flatMap(({ first, set }) =>
        judgeDescriptors(set).map((fault) => findingOf(fault, places.get(first) as Place, set.name)),
      );
    });
    return [...listed, ...captured].sort((left, right) => right.score - left.score).slice(0, mostFindings);
  },
};

function findingOf(fault: PlacedFault, place: Place, name: string): Finding {
  const { cause, linux, macos, windows } = faultKnowledge[fault.kind];
  const at = fault.line === null ? place : { ...place, line: fault.line, text: fault.bytes };
  return {
    score: harmless.has(fault.kind) ? 40 : 66,
    claim: `${name === "" ? "" : `${name}: `}${fault.where}, byte ${fault.offset}: ${fault.text}.`,
    because: [{ ...at, text: `${fault.bytes} (byte ${fault.offset} of ${fault.where})` }],
    why: `Linux: ${verdictText(linux)}. Windows: ${verdictText(windows)}. macOS: ${verdictText(macos)}.`,
    fix: [
      `${cause[0].toUpperCase()}${cause.slice(1)}.`,
      "Give the new descriptors to drydock explain --descriptors.",
    ],
  };
}

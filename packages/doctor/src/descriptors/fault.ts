// A fault of a descriptor: which, where, and what was found there.

import type { DescriptorFaultKind } from "@drydock/core/codec/usb/configuration-view";

/** Faults of the kinds that the lenient reader names, and those that only a judge of rules looks for. */
export type FaultKind =
  | DescriptorFaultKind
  | "device-length"
  | "device-type"
  | "bcd-digits"
  | "control-packet-size"
  | "no-configuration"
  | "association-not-announced"
  | "attributes-reserved"
  | "power-too-much"
  | "configuration-value-zero"
  | "interface-number"
  | "endpoint-address-reserved"
  | "endpoint-attributes-reserved"
  | "interval-out-of-range"
  | "companion-missing"
  | "companion-at-usb2"
  | "companion-values"
  | "packet-size-not-of-speed"
  | "packet-size-reserved"
  | "isochronous-in-setting-zero"
  | "association-range"
  | "hid-descriptor-missing"
  | "hid-descriptor-length"
  | "hid-no-report"
  | "hid-no-interrupt-in"
  | "hid-boot-protocol"
  | "hid-report-length"
  | "storage-endpoints"
  | "uas-pipe-usage"
  | "cdc-header-missing"
  | "cdc-union-missing"
  | "cdc-union-wrong"
  | "cdc-functional-length"
  | "cdc-functional-missing"
  | "cdc-mac-string"
  | "cdc-data-interface"
  | "cdc-notification-missing"
  | "audio-total"
  | "audio-collection"
  | "audio-format-missing"
  | "audio-association-missing"
  | "report-broken"
  | "report-maximum-sign"
  | "report-no-application"
  | "report-not-byte-aligned"
  | "report-usage-missing"
  | "report-value-too-large";

export interface DescriptorFault {
  readonly kind: FaultKind;
  /** In the bytes of the descriptor that was judged. */
  readonly offset: number;
  /** What was found there, one sentence without a full stop. */
  readonly text: string;
}

export function hex8(value: number): string {
  return `0x${value.toString(16).padStart(2, "0")}`;
}

// What each host makes of a fault, with how well that is known, and why the fault is there at all.

import type { FaultKind } from "./fault.ts";

export type HostMark = "known" | "likely" | "unknown";

export interface HostVerdict {
  readonly mark: HostMark;
  /** A sentence without a full stop; "" where it is unknown. */
  readonly does: string;
}

export interface FaultKnowledge {
  /** How it comes about, and what to change. */
  readonly cause: string;
  readonly linux: HostVerdict;
  readonly windows: HostVerdict;
  readonly macos: HostVerdict;
}

const unknown: HostVerdict = { mark: "unknown", does: "" };
const known = (does: string): HostVerdict => ({ mark: "known", does });
const likely = (does: string): HostVerdict => ({ mark: "likely", does });
const row = (
  cause: string,
  linux: HostVerdict,
  windows: HostVerdict = unknown,
  macos: HostVerdict = unknown,
): FaultKnowledge => ({ cause, linux, windows, macos });
const notStarted = likely(
  "does not start the device: its validation of configuration descriptors compares this",
);
const classDriver = (does: string): HostVerdict => likely(does);
const takenAsIs = known("takes it without a word");

/**
 * Linux: its public source (drivers/usb/core/config.c, hid-core.c, and the class drivers that are named). Windows: its public
 * documentation of descriptor validation. macOS documents none of it.
 */
export const faultKnowledge: Readonly<Record<FaultKind, FaultKnowledge>> = {
  "total-too-large": row(
    "wTotalLength was typed, or the array lost a descriptor: count the bytes that follow (sizeof)",
    known('takes what came ("config index 0 descriptor too short")'),
    notStarted,
  ),
  "total-too-small": row("wTotalLength was typed: it counts the header too", unknown, notStarted),
  "broken-length": row(
    "a bLength does not count its own descriptor, so everything behind it is read shifted",
    known('leaves the rest out ("skipping remainder of the config")'),
    notStarted,
  ),
  "interface-count": row(
    "an interface was added or taken away and bNumInterfaces was not changed",
    known("takes what follows, with a warning"),
  ),
  "endpoint-count": row(
    "an endpoint was added or taken away and bNumEndpoints was not changed, or wTotalLength cuts the last ones off",
    known("takes what follows, with a warning"),
  ),
  "duplicate-endpoint": row(
    "two endpoints of one setting have the same address: number and direction together are the address",
    known('leaves the second out ("duplicate endpoint ... skipping")'),
  ),
  "endpoint-zero": row("endpoint 0 is the control endpoint and has no descriptor", known("leaves it out")),
  "short-endpoint": row(
    "bLength of an endpoint descriptor is 7 (9 in audio 1.0)",
    known("skips it with a warning"),
  ),
  "short-interface": row("bLength of an interface descriptor is 9", known("skips it with a warning")),
  "packet-size-zero": row(
    "wMaxPacketSize is little-endian: 40 00 are 64 bytes, and a 0 carries nothing",
    known("keeps the endpoint with a warning; transfers on it are refused"),
  ),
  "packet-size-too-large": row(
    "the packet size is another speed's: full speed 64, high speed 512, SuperSpeed 1024 for bulk",
    known("takes the largest that the speed has, with a warning"),
    likely("does not start the device"),
  ),
  "endpoint-before-interface": row("endpoints follow their interface descriptor", known("skips it")),
  "duplicate-setting": row(
    "two settings of an interface have one bAlternateSetting",
    known("leaves the second out"),
  ),
  "no-setting-zero": row("bAlternateSetting begins with 0", known("warns and goes on")),
  "unexpected-descriptor": row(
    "a device or configuration descriptor has no place inside a configuration",
    known("skips it"),
  ),
  "device-length": row(
    "the device descriptor has 18 bytes",
    likely("does not look at bLength, and reads 18 bytes"),
    notStarted,
  ),
  "device-type": row("these bytes begin with another descriptor", known("refuses the device"), notStarted),
  "bcd-digits": row("versions are binary-coded decimals: 2.1 is 0210h", takenAsIs),
  "control-packet-size": row(
    "bMaxPacketSize0 follows the speed: 8 at low speed, 64 at high speed, the exponent 9 at SuperSpeed",
    known('at full speed reads again with what it says; other values are refused ("Invalid ep0 maxpacket")'),
  ),
  "no-configuration": row(
    "bNumConfigurations counts configurations, at least 1",
    known('refuses the device ("no configurations")'),
  ),
  "association-not-announced": row(
    "a device with interface associations says so by class EFh, subclass 02h, protocol 01h in its device descriptor",
    known("groups the interfaces all the same"),
    likely("an older one may split the function into single interfaces, each of which asks for a driver"),
  ),
  "attributes-reserved": row(
    "bmAttributes begins with 80h; 40h is self-powered, 20h is remote wake-up",
    takenAsIs,
  ),
  "power-too-much": row(
    "bMaxPower counts in 2 mA (8 mA at SuperSpeed), not in mA",
    likely("does not choose the configuration on a port that has less power"),
  ),
  "configuration-value-zero": row(
    "bConfigurationValue begins with 1",
    known('chooses it and warns ("config 0 descriptor??")'),
  ),
  "interface-number": row(
    "bInterfaceNumber counts from 0",
    known('warns ("has an invalid interface number")'),
  ),
  "endpoint-address-reserved": row(
    "an address is the number in bits 3 to 0 and the direction in bit 7",
    known("leaves the endpoint out"),
  ),
  "endpoint-attributes-reserved": row(
    "bmAttributes is the transfer type in bits 1 and 0; synchronisation and usage are for isochronous endpoints",
    takenAsIs,
  ),
  "interval-out-of-range": row(
    "at high speed and for isochronous endpoints bInterval is an exponent, 1 to 16; at full speed interrupt endpoints count milliseconds",
    known("changes it to one that exists, with a warning"),
  ),
  "companion-missing": row(
    "at SuperSpeed each endpoint descriptor is followed by its companion (30h)",
    known('takes the least values ("No SuperSpeed endpoint companion")'),
  ),
  "companion-at-usb2": row(
    "companions belong into the configuration of SuperSpeed alone",
    known("does not look at it"),
  ),
  "companion-values": row(
    "bMaxBurst counts from 0 (15 are 16 packets); wBytesPerInterval is for interrupt and isochronous endpoints",
    likely("takes the most or the least that exists, with a warning"),
  ),
  "packet-size-not-of-speed": row(
    "bulk packets have fixed sizes: 8, 16, 32 or 64 at full speed, 512 at high speed, 1024 at SuperSpeed",
    known('warns at high speed ("invalid maxpacket") and goes on'),
  ),
  "packet-size-reserved": row(
    "bits 10 to 0 are the size, bits 12 and 11 further packets of a high-speed microframe",
    unknown,
  ),
  "isochronous-in-setting-zero": row(
    "an isochronous endpoint begins in a setting without it: the host chooses another one when it wants to stream",
    takenAsIs,
  ),
  "association-range": row(
    "an association names the first interface of a function and how many follow; each interface is in one at most",
    likely("warns about an interface in two, and takes the first"),
  ),
  "hid-descriptor-missing": row(
    "the order is interface, HID descriptor, endpoints",
    known('its HID driver does not bind ("class descriptor not found")'),
  ),
  "hid-descriptor-length": row(
    "a HID descriptor has 6 bytes and 3 for each descriptor that it names",
    likely("takes it, and reads what its count and length leave"),
  ),
  "hid-no-report": row(
    "a HID descriptor names its report descriptor: 22h and the length",
    known("its HID driver does not bind: the length of the report descriptor is 0"),
  ),
  "hid-no-interrupt-in": row(
    "each HID interface has an interrupt IN endpoint",
    known('its HID driver does not bind ("couldn\'t find an input interrupt endpoint")'),
  ),
  "hid-boot-protocol": row(
    "boot subclass 1 with protocol 1 (keyboard) or 2 (mouse); else both are 0",
    takenAsIs,
  ),
  "hid-report-length": row(
    "wDescriptorLength of the HID descriptor and the size of the report descriptor differ: use sizeof for both",
    likely("asks for as many bytes as were promised, and reads what comes"),
  ),
  "storage-endpoints": row(
    "Bulk-Only has one bulk endpoint in each direction, UAS two",
    known("its storage driver does not bind"),
  ),
  "uas-pipe-usage": row(
    "each UAS endpoint is followed by a Pipe Usage descriptor (24h) that says which pipe it is",
    known("does not use UAS for it; Bulk-Only, where the interface has it"),
  ),
  "cdc-header-missing": row(
    "the first functional descriptor is the Header (24h 00h)",
    likely("its ACM driver does not miss it, its Ethernet drivers do not bind"),
  ),
  "cdc-union-missing": row(
    "the Union (24h 06h) ties the control interface to its data interface",
    known("its ACM driver looks for the data interface by itself; Ethernet drivers do not bind"),
  ),
  "cdc-union-wrong": row(
    "interface numbers changed and the Union still has the old ones",
    classDriver("its driver does not bind, or swaps the two"),
  ),
  "cdc-functional-length": row(
    "bFunctionLength is fixed by each subtype",
    likely("leaves the descriptor out with a remark"),
  ),
  "cdc-functional-missing": row(
    "the subclass of the interface asks for this functional descriptor",
    classDriver("an Ethernet driver does not bind; the ACM driver does without line states"),
  ),
  "cdc-mac-string": row(
    "iMACAddress is the index of a string of twelve hexadecimal digits",
    likely("its driver does not bind"),
  ),
  "cdc-data-interface": row(
    "the data interface carries two bulk endpoints; NCM's only in setting 1",
    classDriver("its driver does not bind"),
  ),
  "cdc-notification-missing": row(
    "notifications of link and speed come by an interrupt IN endpoint of the control interface",
    likely("its Ethernet driver takes the link for up"),
    unknown,
    likely("its ECM driver needs it"),
  ),
  "audio-total": row(
    "wTotalLength counts the header and every unit and terminal behind it",
    likely("reads as far as the smaller of both goes"),
  ),
  "audio-collection": row(
    "bInCollection and baInterfaceNr name the streaming interfaces of the function",
    likely("leaves the stream out"),
  ),
  "audio-format-missing": row(
    "a streaming setting says by its General and Format descriptors what it carries",
    known("leaves the setting out"),
  ),
  "audio-association-missing": row(
    "an audio 2.0 function is an interface association, class 01h",
    likely("does not bind its driver to the streams"),
  ),
  "report-broken": row(
    "an item was lost, or its size bits do not fit the bytes behind it",
    likely("its HID driver does not bind, or reads less than the author meant"),
    likely("does not start the device (code 10)"),
  ),
  "report-maximum-sign": row(
    "data of items are signed: 255 in one byte is -1, write it in two (26 FF 00)",
    known("takes a maximum for unsigned when the minimum is not negative"),
    likely("does not start the device (code 10)"),
  ),
  "report-no-application": row(
    "the outermost collection is an application (A1 01)",
    likely("makes no input device of it"),
    likely("shows nothing of it: each top-level collection is a device there"),
  ),
  "report-not-byte-aligned": row(
    "reports are filled up to whole bytes by constant fields",
    known("rounds up"),
    likely("does not start the device (code 10)"),
  ),
  "report-usage-missing": row(
    "usages tell what a value is; local items are gone after each main item",
    known("makes nothing of the values"),
  ),
  "report-value-too-large": row(
    "Logical Maximum does not fit Report Size",
    likely("never sees the values above"),
  ),
};

// What each host makes of a fault, with how well that is known, and why the fault is there at all.

import type { FaultKind } from "./fault.ts";

export type HostMark = "known" | "likely" | "unknown";

export interface HostVerdict {
  readonly mark: HostMark;
  /** A sentence without a full stop; "" where it is unknown. Words in quotes stand in the host's log so; dots are anything. */
  readonly does: string;
  /** What it rests on; "" where it is unknown. */
  readonly source: string;
}

export interface FaultKnowledge {
  /** How it comes about, and what to change. */
  readonly cause: string;
  readonly linux: HostVerdict;
  readonly windows: HostVerdict;
  readonly macos: HostVerdict;
}

const linuxSource = "Linux, drivers/usb/core/config.c and hub.c";
const guestSource = "seen on Linux 6.1 in a guest";
const validation = "Microsoft, USBD_ValidateConfigurationDescriptor";
const hidSource = "Microsoft, HID minidrivers and top-level collections; reports";

const unknown: HostVerdict = { mark: "unknown", does: "", source: "" };
/** Of Linux's public source; the guest cannot be brought to it. */
const known = (does: string): HostVerdict => ({ mark: "known", does, source: linuxSource });
/** A Linux guest did so with this very fault; the test compares the sentence with what it says. */
const seen = (does: string): HostVerdict => ({ mark: "known", does, source: guestSource });
const likely = (does: string, source = "reports"): HostVerdict => ({ mark: "likely", does, source });
const row = (
  cause: string,
  linux: HostVerdict,
  windows: HostVerdict = unknown,
  macos: HostVerdict = unknown,
): FaultKnowledge => ({ cause, linux, windows, macos });
/** Its routine for it checks this; that the system's own drivers ask it is what reports say. */
const notStarted = likely(
  "does not start the device: its validation of configuration descriptors compares this",
  validation,
);
const notTaken = likely("a driver that validates at the strictest level refuses it", validation);
const takenAsIs = seen("takes it without a word");

/**
 * Linux: a guest of version 6.1 was shown each fault that can be planted in the classes' own examples, and said so; else its
 * public source. Windows: its public documentation, and reports. macOS documents none of it.
 */
export const faultKnowledge: Readonly<Record<FaultKind, FaultKnowledge>> = {
  "total-too-large": row(
    "wTotalLength was typed, or the array lost a descriptor: count the bytes that follow (sizeof)",
    seen('takes what came ("config index 0 descriptor too short")'),
    notStarted,
  ),
  "total-too-small": row(
    "wTotalLength was typed: it counts the header too",
    known("asks for no more than wTotalLength, and takes what lies whole within it"),
    notStarted,
  ),
  "broken-length": row(
    "a bLength does not count its own descriptor, so everything behind it is read shifted",
    seen('leaves the rest out ("skipping remainder of the config")'),
    notStarted,
  ),
  "interface-count": row(
    "an interface was added or taken away and bNumInterfaces was not changed",
    seen('takes what follows, with a warning ("different from the descriptor\'s value")'),
    notStarted,
  ),
  "endpoint-count": row(
    "an endpoint was added or taken away and bNumEndpoints was not changed, or wTotalLength cuts the last ones off",
    seen('takes what follows, with a warning ("different from the interface descriptor\'s value")'),
    notTaken,
  ),
  "duplicate-endpoint": row(
    "two endpoints of one setting have the same address: number and direction together are the address",
    seen('leaves the second out ("duplicate endpoint with address ... skipping")'),
  ),
  "endpoint-zero": row(
    "endpoint 0 is the control endpoint and has no descriptor",
    seen('leaves it out ("has an invalid endpoint with address ... skipping")'),
    notStarted,
  ),
  "short-endpoint": row(
    "bLength of an endpoint descriptor is 7 (9 in audio 1.0)",
    known("skips it with a warning"),
    notTaken,
  ),
  "short-interface": row(
    "bLength of an interface descriptor is 9",
    known("skips it with a warning"),
    notTaken,
  ),
  "packet-size-zero": row(
    "wMaxPacketSize is little-endian: 40 00 are 64 bytes, and a 0 carries nothing",
    seen('keeps the endpoint with a warning ("has invalid wMaxPacketSize 0"); transfers on it are refused'),
  ),
  "packet-size-too-large": row(
    "the packet size is another speed's: full speed 64, high speed 512, SuperSpeed 1024 for bulk",
    seen('takes the largest that the speed has, with a warning ("has invalid maxpacket ... setting to")'),
    likely("does not start the device"),
  ),
  "endpoint-before-interface": row("endpoints follow their interface descriptor", known("skips it")),
  "duplicate-setting": row(
    "two settings of an interface have one bAlternateSetting",
    seen('leaves the second out ("Duplicate descriptor for config ... skipping")'),
    notStarted,
  ),
  "no-setting-zero": row("bAlternateSetting begins with 0", known("warns and goes on"), notStarted),
  "unexpected-descriptor": row(
    "a device or configuration descriptor has no place inside a configuration",
    known("skips it"),
  ),
  "device-length": row(
    "the device descriptor has 18 bytes",
    seen("does not look at bLength, and reads 18 bytes without a word"),
    notStarted,
  ),
  "device-type": row("these bytes begin with another descriptor", known("refuses the device"), notStarted),
  "bcd-digits": row("versions are binary-coded decimals: 2.1 is 0210h", takenAsIs),
  "control-packet-size": row(
    "bMaxPacketSize0 follows the speed: 8 at low speed, 64 at high speed, the exponent 9 at SuperSpeed",
    seen(
      'refuses the device ("device descriptor read/64, error -71", "device descriptor read/8, error -71"); a size that exists at another speed is refused at high speed and SuperSpeed ("Invalid ep0 maxpacket"), and at full speed read again with what it says',
    ),
  ),
  "no-configuration": row(
    "bNumConfigurations counts configurations, at least 1",
    seen('refuses the device ("no configurations")'),
  ),
  "association-not-announced": row(
    "a device with interface associations says so by class EFh, subclass 02h, protocol 01h in its device descriptor",
    seen("groups the interfaces all the same, without a word"),
    likely("an older one may split the function into single interfaces, each of which asks for a driver"),
  ),
  "attributes-reserved": row(
    "bmAttributes begins with 80h; 40h is self-powered, 20h is remote wake-up",
    takenAsIs,
  ),
  "power-too-much": row(
    "bMaxPower counts in 2 mA (8 mA at SuperSpeed), not in mA",
    seen(
      'does not choose the configuration on a port that has less power ("rejected 1 configuration due to insufficient available bus power")',
    ),
  ),
  "configuration-value-zero": row(
    "bConfigurationValue begins with 1",
    seen('chooses it and warns ("config 0 descriptor??")'),
  ),
  "interface-number": row(
    "bInterfaceNumber counts from 0",
    seen('warns ("has an invalid interface number") and keeps the number'),
    notTaken,
  ),
  "endpoint-address-reserved": row(
    "an address is the number in bits 3 to 0 and the direction in bit 7",
    seen('leaves the endpoint out ("has an invalid endpoint with address ... skipping")'),
    notStarted,
  ),
  "endpoint-attributes-reserved": row(
    "bmAttributes is the transfer type in bits 1 and 0; synchronisation and usage are for isochronous endpoints",
    takenAsIs,
  ),
  "interval-out-of-range": row(
    "at high speed and for isochronous endpoints bInterval is an exponent, 1 to 16; at full speed interrupt endpoints count milliseconds",
    seen('changes it to one that exists, with a warning ("has an invalid bInterval ... changing to")'),
  ),
  "companion-missing": row(
    "at SuperSpeed each endpoint descriptor is followed by its companion (30h)",
    seen('takes the least values ("No SuperSpeed endpoint companion")'),
  ),
  "companion-at-usb2": row(
    "companions belong into the configuration of SuperSpeed alone",
    known("does not look at it"),
  ),
  "companion-values": row(
    "bMaxBurst counts from 0 (15 are 16 packets); wBytesPerInterval is for interrupt and isochronous endpoints",
    seen(
      'takes the most or the least that exists, with a warning ("with bMaxBurst = ... setting to"); bytes per interval of a bulk endpoint without a word',
    ),
  ),
  "packet-size-not-of-speed": row(
    "bulk packets have fixed sizes: 8, 16, 32 or 64 at full speed, 512 at high speed, 1024 at SuperSpeed",
    seen(
      'warns at high speed ("bulk endpoint ... has invalid maxpacket") and goes on; at other speeds without a word',
    ),
  ),
  "packet-size-reserved": row(
    "bits 10 to 0 are the size, bits 12 and 11 further packets of a high-speed microframe",
    seen(
      'takes the bits of a bulk endpoint for a part of its size, and then the largest that exists ("has invalid maxpacket ... setting to")',
    ),
  ),
  "isochronous-in-setting-zero": row(
    "an isochronous endpoint begins in a setting without it: the host chooses another one when it wants to stream",
    takenAsIs,
  ),
  "association-range": row(
    "an association names the first interface of a function and how many follow; each interface is in one at most",
    seen(
      "does not look for interfaces that are not there, without a word; of one in two associations it takes the first",
    ),
  ),
  "hid-descriptor-missing": row(
    "the order is interface, HID descriptor, endpoints",
    seen("its HID driver does not bind, without a word"),
  ),
  "hid-descriptor-length": row(
    "a HID descriptor has 6 bytes and 3 for each descriptor that it names",
    seen(
      'takes it, and reads what its count and length leave ("fixing wrong optional hid class descriptors count")',
    ),
  ),
  "hid-no-report": row(
    "a HID descriptor names its report descriptor: 22h and the length",
    seen('its HID driver does not bind: the report descriptor has no length ("can\'t add hid device: -22")'),
  ),
  "hid-no-interrupt-in": row(
    "each HID interface has an interrupt IN endpoint",
    seen('its HID driver does not bind ("couldn\'t find an input interrupt endpoint")'),
  ),
  "hid-boot-protocol": row(
    "boot subclass 1 with protocol 1 (keyboard) or 2 (mouse); else both are 0",
    takenAsIs,
  ),
  "hid-report-length": row(
    "wDescriptorLength of the HID descriptor and the size of the report descriptor differ: use sizeof for both",
    seen(
      'reads as many bytes as were promised, with zeros for those that do not come ("unknown main item tag 0x0")',
    ),
  ),
  "storage-endpoints": row(
    "Bulk-Only has one bulk endpoint in each direction, UAS two",
    seen("its storage driver does not bind, without a word"),
  ),
  "uas-pipe-usage": row(
    "each UAS endpoint is followed by a Pipe Usage descriptor (24h) that says which pipe it is",
    seen("does not use UAS for it, without a word; Bulk-Only, where the interface has it"),
  ),
  "cdc-header-missing": row(
    "the first functional descriptor is the Header (24h 00h)",
    seen('its ACM and NCM drivers bind without a word; its ECM driver does not bind ("bad CDC descriptors")'),
  ),
  "cdc-union-missing": row(
    "the Union (24h 06h) ties the control interface to its data interface",
    seen(
      "its ACM driver looks for the data interface by itself, without a word; Ethernet drivers do not bind (likely)",
    ),
  ),
  "cdc-union-wrong": row(
    "interface numbers changed and the Union still has the old ones",
    seen(
      'its ACM driver does not bind, without a word; its ECM driver does not bind ("bad CDC descriptors"); its NCM driver binds without a word',
    ),
  ),
  "cdc-functional-length": row(
    "bFunctionLength is fixed by each subtype",
    likely("leaves the descriptor out with a remark"),
  ),
  "cdc-functional-missing": row(
    "the subclass of the interface asks for this functional descriptor",
    seen(
      'its ECM driver does not bind ("bad CDC descriptors"); its NCM driver does not bind ("NCM or ECM functional descriptors missing"); its ACM driver does without line states, without a word',
    ),
  ),
  "cdc-mac-string": row(
    "iMACAddress is the index of a string of twelve hexadecimal digits",
    seen('its ECM driver does not bind ("probe of ... failed with error -22")'),
  ),
  "cdc-data-interface": row(
    "the data interface carries two bulk endpoints; NCM's only in setting 1",
    likely("its driver does not bind"),
  ),
  "cdc-notification-missing": row(
    "notifications of link and speed come by an interrupt IN endpoint of the control interface",
    likely("its Ethernet driver takes the link for up"),
    unknown,
    likely("its ECM driver needs it"),
  ),
  "audio-total": row(
    "wTotalLength counts the header and every unit and terminal behind it",
    seen("reads as far as the smaller of both goes, without a word"),
  ),
  "audio-collection": row(
    "bInCollection and baInterfaceNr name the streaming interfaces of the function",
    seen('leaves the stream out ("does not exist")'),
  ),
  "audio-format-missing": row(
    "a streaming setting says by its General and Format descriptors what it carries",
    seen('leaves the setting out ("UAC_AS_GENERAL descriptor not found")'),
  ),
  "audio-association-missing": row(
    "an audio 2.0 function is an interface association, class 01h",
    likely("does not bind its driver to the streams"),
  ),
  "report-broken": row(
    "an item was lost, or its size bits do not fit the bytes behind it",
    seen(
      'makes no input device of it ("unbalanced collection at end of report description"); of other faults it may read less than the author meant',
    ),
    likely("does not start the device (code 10)", hidSource),
  ),
  "report-maximum-sign": row(
    "data of items are signed: 255 in one byte is -1, write it in two (26 FF 00)",
    seen("takes a maximum for unsigned when the minimum is not negative, without a word"),
    likely("does not start the device (code 10)", hidSource),
  ),
  "report-no-application": row(
    "the outermost collection is an application (A1 01)",
    seen(
      "makes an input device of a physical collection too, when its usage is one of input, without a word; of another type of collection none",
    ),
    likely("shows nothing of it: each top-level collection is a device there", hidSource),
  ),
  "report-not-byte-aligned": row(
    "reports are filled up to whole bytes by constant fields",
    seen("rounds up, without a word"),
    likely("does not start the device (code 10)", hidSource),
  ),
  "report-usage-missing": row(
    "usages tell what a value is; local items are gone after each main item",
    seen("makes nothing of the values, without a word"),
  ),
  "report-value-too-large": row(
    "Logical Maximum does not fit Report Size",
    seen("never sees the values above, without a word"),
  ),
};

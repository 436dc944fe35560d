// Rules of USB classes about their interfaces: HID 1.11, BOT 1.0, UAS 1.0, CDC 1.2, Audio 1.0 and 2.0.

import { getU16le } from "@drydock/core/base/bytes";
import { DescriptorType, type RawDescriptor, walkDescriptors } from "@drydock/core/codec/usb/descriptors";
import { type FaultKind, hex8 } from "./fault.ts";
import { pipesOf, type WalkedSetting } from "./walked-settings.ts";

type Sink = (kind: FaultKind, offset: number, text: string) => void;

const classSpecificInterface = 0x24;
const hidType = 0x21;
const hidReportType = 0x22;

const interfaceClasses = { audio: 1, cdc: 2, hid: 3, storage: 8, cdcData: 10 } as const;

export function judgeClasses(
  configuration: Uint8Array,
  settings: readonly WalkedSetting[],
  opaque: ReadonlySet<number>,
  fault: Sink,
): void {
  for (const setting of settings) {
    const { interfaceClass } = setting;
    if (interfaceClass === interfaceClasses.hid) judgeHid(setting, opaque, fault);
    else if (interfaceClass === interfaceClasses.storage) judgeStorage(setting, fault);
    else if (interfaceClass === interfaceClasses.cdc) judgeCdc(setting, settings, opaque, fault);
    else if (interfaceClass === interfaceClasses.audio)
      judgeAudio(configuration, setting, settings, opaque, fault);
  }
}

/** HID 1.11 §4.3, §4.4, §6.2.1, §7.1. */
function judgeHid(setting: WalkedSetting, opaque: ReadonlySet<number>, fault: Sink): void {
  const { extra, endpoints, number, offset, protocol, subclass } = setting;
  const hid = [...extra, ...endpoints.flatMap((endpoint) => endpoint.extra)].find(
    ({ type }) => type === hidType,
  );
  if (hid === undefined)
    fault(
      "hid-descriptor-missing",
      offset,
      `interface ${number} is HID and has no HID descriptor (type 21h)`,
    );
  else if (!opaque.has(hid.offset)) judgeHidDescriptor(hid, fault);
  if (!pipesOf(setting).includes("interrupt in"))
    fault("hid-no-interrupt-in", offset, `interface ${number} is HID and has no interrupt IN endpoint`);
  if (subclass > 1)
    fault("hid-boot-protocol", offset + 6, `bInterfaceSubClass is ${subclass}; HID has 0 and 1 (boot)`);
  else if ((subclass === 0 && protocol !== 0) || protocol > 2)
    fault(
      "hid-boot-protocol",
      offset + 7,
      `bInterfaceProtocol is ${protocol}; ${subclass === 0 ? "without the boot subclass it is 0" : "1 is a keyboard, 2 a mouse"}`,
    );
}

function judgeHidDescriptor({ bytes, offset }: RawDescriptor, fault: Sink): void {
  const count = bytes[5] ?? 0;
  if (bytes.length < 9 || bytes.length !== 6 + 3 * count) {
    fault(
      "hid-descriptor-length",
      offset,
      `a HID descriptor of ${bytes.length} bytes; with bNumDescriptors ${count} it has ${6 + 3 * count}`,
    );
    return;
  }
  for (let at = 6; at + 3 <= bytes.length; at += 3)
    if (bytes[at] === hidReportType) {
      if (getU16le(bytes, at + 1) === 0)
        fault("hid-no-report", offset + at + 1, "the report descriptor has a length of 0");
      return;
    }
  fault("hid-no-report", offset + 6, "the HID descriptor names no report descriptor (type 22h)");
}

/** BOT 1.0 §4.3, §4.4; UAS 1.0 §5.3. */
function judgeStorage(setting: WalkedSetting, fault: Sink): void {
  const { endpoints, offset, protocol, number } = setting;
  const pipes = pipesOf(setting);
  if (protocol === 0x50) {
    for (const pipe of ["bulk in", "bulk out"])
      if (!pipes.includes(pipe))
        fault(
          "storage-endpoints",
          offset + 4,
          `interface ${number} is Bulk-Only and has no ${pipe} endpoint`,
        );
  } else if (protocol === 0x62) {
    for (const { bytes, extra, offset: at } of endpoints)
      if (!extra.some(({ type, bytes: own }) => type === 0x24 && own.length >= 4))
        fault("uas-pipe-usage", at, `endpoint ${hex8(bytes[2] ?? 0)} of UAS has no Pipe Usage descriptor`);
    if (
      pipes.filter((pipe) => pipe === "bulk in").length < 2 ||
      pipes.filter((pipe) => pipe === "bulk out").length < 2
    )
      fault(
        "storage-endpoints",
        offset + 4,
        `interface ${number} is UAS: two bulk endpoints in and two out, not ${pipes.join(", ") || "none"}`,
      );
  }
}

/** Subtype -> name and least length (CDC 1.2 §5.2.3; PSTN 1.2 §5.3; ECM 1.2 §5.4; NCM 1.0 §5.2.1). */
const functional: Readonly<Record<number, readonly [string, number]>> = {
  0: ["Header", 5],
  1: ["Call Management", 5],
  2: ["Abstract Control Management", 4],
  6: ["Union", 5],
  15: ["Ethernet Networking", 13],
  26: ["NCM", 6],
};

const cdcSubclasses: Readonly<Record<number, { readonly name: string; readonly needs: readonly number[] }>> =
  {
    2: { name: "ACM", needs: [0x02] },
    6: { name: "ECM", needs: [0x0f] },
    13: { name: "NCM", needs: [0x0f, 0x1a] },
  };

function judgeCdc(
  setting: WalkedSetting,
  settings: readonly WalkedSetting[],
  opaque: ReadonlySet<number>,
  fault: Sink,
): void {
  const { alternate, extra, number, offset, subclass, protocol } = setting;
  const known = cdcSubclasses[subclass];
  // RNDIS calls itself ACM with protocol FFh, and keeps none of these rules reliably.
  if (known === undefined || alternate !== 0 || protocol === 0xff) return;
  const own = extra.filter(({ type }) => type === classSpecificInterface);
  const find = (subtype: number): RawDescriptor | undefined => own.find(({ bytes }) => bytes[2] === subtype);
  // Where the source does not show even the subtypes, nothing is missing for all that is known.
  if (own.some(({ bytes, offset: at }) => opaque.has(at) && bytes[2] === undefined)) return;
  if (find(0) === undefined)
    fault(
      "cdc-header-missing",
      offset,
      `interface ${number} (${known.name}) has no Header functional descriptor`,
    );
  const union = find(6);
  if (union === undefined)
    fault(
      "cdc-union-missing",
      offset,
      `interface ${number} (${known.name}) has no Union functional descriptor: which data interface is its own is not said`,
    );
  for (const need of known.needs)
    if (find(need) === undefined)
      fault(
        "cdc-functional-missing",
        offset,
        `interface ${number} (${known.name}) has no ${functional[need][0]} functional descriptor`,
      );
  for (const { bytes, offset: at } of own) {
    const [name, least] = functional[bytes[2]] ?? ["", 0];
    if (bytes.length < least)
      fault(
        "cdc-functional-length",
        at,
        `a ${name} functional descriptor of ${bytes.length} bytes; it has ${least}`,
      );
  }
  if (union !== undefined && !opaque.has(union.offset) && union.bytes.length >= 5)
    judgeUnion(union, setting, settings, fault);
  const ethernet = find(0x0f);
  if (
    ethernet !== undefined &&
    !opaque.has(ethernet.offset) &&
    ethernet.bytes.length >= 13 &&
    ethernet.bytes[3] === 0
  )
    fault(
      "cdc-mac-string",
      ethernet.offset + 3,
      "iMACAddress is 0: the address of the host's interface is a string that must be there",
    );
  if (subclass !== 2 && !pipesOf(setting).includes("interrupt in"))
    fault(
      "cdc-notification-missing",
      offset,
      `interface ${number} (${known.name}) has no interrupt IN endpoint: link and speed cannot be told`,
    );
}

function judgeUnion(
  { bytes, offset }: RawDescriptor,
  { number, subclass }: WalkedSetting,
  settings: readonly WalkedSetting[],
  fault: Sink,
): void {
  if (bytes[3] !== number)
    fault(
      "cdc-union-wrong",
      offset + 3,
      `the union's control interface is ${bytes[3]}, and it stands in interface ${number}`,
    );
  for (let at = 4; at < bytes.length; at++) {
    const data = settings.filter((each) => each.number === bytes[at]);
    if (data.length === 0) {
      fault("cdc-union-wrong", offset + at, `the union names interface ${bytes[at]}, which is not there`);
      continue;
    }
    if (data[0].interfaceClass !== interfaceClasses.cdcData) continue;
    const hasPair = data.some((each) => {
      const pipes = pipesOf(each);
      return pipes.includes("bulk in") && pipes.includes("bulk out");
    });
    if (!hasPair)
      fault(
        "cdc-data-interface",
        data[0].offset + 4,
        `data interface ${bytes[at]} has no bulk endpoints in both directions in any setting`,
      );
    else if (
      subclass === 0x0d &&
      data.some(({ alternate, endpoints }) => alternate === 0 && endpoints.length > 0)
    )
      fault(
        "cdc-data-interface",
        data[0].offset + 4,
        `setting 0 of NCM's data interface ${bytes[at]} has endpoints; it has none, setting 1 has two (NCM 1.0 §5.3)`,
      );
  }
}

/** Sum of the class-specific descriptors of an interface setting: what its header promises. */
function ownBytes({ extra }: WalkedSetting): number {
  return extra
    .filter(({ type }) => type === classSpecificInterface)
    .reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Audio 1.0 §4.3.2, §4.5; Audio 2.0 §4.6, §4.7.2, §4.9. */
function judgeAudio(
  configuration: Uint8Array,
  setting: WalkedSetting,
  settings: readonly WalkedSetting[],
  opaque: ReadonlySet<number>,
  fault: Sink,
): void {
  const { endpoints, extra, number, offset, protocol, subclass, alternate } = setting;
  const isTwo = protocol === 0x20;
  if (subclass === 1) {
    const header = extra.find(({ type, bytes }) => type === classSpecificInterface && bytes[2] === 1);
    if (header !== undefined && !opaque.has(header.offset) && header.bytes.length >= (isTwo ? 9 : 8)) {
      const at = isTwo ? 6 : 5;
      const total = getU16le(header.bytes, at);
      const found = ownBytes(setting);
      if (total !== found)
        fault(
          "audio-total",
          header.offset + at,
          `wTotalLength of the audio control interface is ${total}; its descriptors have ${found} bytes`,
        );
      const streams = isTwo ? [] : [...header.bytes.subarray(8, 8 + header.bytes[7])];
      for (const [index, stream] of streams.entries())
        if (!settings.some((each) => each.number === stream))
          fault(
            "audio-collection",
            header.offset + 8 + index,
            `baInterfaceNr names interface ${stream}, which is not there`,
          );
    }
    if (isTwo && !isAssociated(configuration, number))
      fault(
        "audio-association-missing",
        offset,
        `interface ${number} is audio 2.0 and in no interface association (Audio 2.0 §4.6)`,
      );
  }
  if (subclass === 2 && endpoints.length > 0 && alternate > 0) {
    const subtypes = extra.filter(({ type }) => type === classSpecificInterface).map(({ bytes }) => bytes[2]);
    if (!subtypes.includes(1) && !subtypes.includes(undefined as unknown as number))
      fault(
        "audio-format-missing",
        offset,
        `streaming interface ${number} setting ${alternate} has no General descriptor, so nothing says what it carries`,
      );
  }
}

function isAssociated(configuration: Uint8Array, number: number): boolean {
  for (const { bytes, type } of walkDescriptors(configuration))
    if (
      type === DescriptorType.interfaceAssociation &&
      bytes.length >= 8 &&
      number >= bytes[2] &&
      number < bytes[2] + bytes[3]
    )
      return true;
  return false;
}

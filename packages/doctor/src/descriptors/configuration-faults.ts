// Faults of a configuration with everything in it: lengths, numbers, endpoints against speed, companions, associations.
// USB 2.0 §9.6.3 to §9.6.6, §5.5 to §5.8; USB 3.2 §9.6.4 to §9.6.7.

import { getU16le } from "@drydock/core/base/bytes";
import { viewConfiguration } from "@drydock/core/codec/usb/configuration-view";
import { DescriptorType, TransferType, walkDescriptors } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { judgeClasses } from "./class-faults.ts";
import { type DescriptorFault, type FaultKind, hex8 } from "./fault.ts";
import { settingsOf, type WalkedSetting } from "./walked-settings.ts";

/** In mA, by USB 2.0 §7.2.1.3 and USB 3.2 §11.4.5. */
const mostPower = { usb2: 250, super: 112 } as const;
const powerUnit = { usb2: 2, super: 8 } as const;

/**
 * `speed` null: nobody says it, and only what is wrong at every speed is a fault. `opaque`: offsets of descriptors whose
 * content the source does not show. Never throws.
 */
export function judgeConfiguration(
  bytes: Uint8Array,
  speed: UsbSpeed | null,
  opaque: ReadonlySet<number> = new Set(),
): DescriptorFault[] {
  if (bytes.length < 9 || bytes[1] !== DescriptorType.configuration || bytes[0] < 9)
    return [
      {
        kind: "broken-length",
        offset: 0,
        text: `type ${bytes[1] ?? 0}, bLength ${bytes[0] ?? 0} and ${bytes.length} bytes are no configuration's`,
      },
    ];
  const { faults: seen } = viewConfiguration(bytes, speed);
  const faults: DescriptorFault[] = [...seen];
  const fault = (kind: FaultKind, offset: number, text: string): void =>
    void faults.push({ kind, offset, text });
  const end = Math.min(bytes.length, Math.max(getU16le(bytes, 2), bytes[0]));
  const whole = bytes.subarray(0, end);
  const settings = settingsOf(whole);
  const isSuper = speed !== null && speed >= UsbSpeed.super;
  judgeHeader(bytes, isSuper, fault);
  judgeNumbers(bytes[4], settings, fault);
  for (const setting of settings) judgeEndpoints(setting, speed, fault);
  judgeAssociations(whole, settings, fault);
  // What lies behind a broken length is unknown: rules about what is missing would say what nobody can see.
  if (
    !seen.some(
      ({ kind }) => kind === "broken-length" || kind === "total-too-large" || kind === "total-too-small",
    )
  )
    judgeClasses(whole, settings, opaque, fault);
  return unique(faults).sort((left, right) => left.offset - right.offset);
}

function unique(faults: readonly DescriptorFault[]): DescriptorFault[] {
  const found = new Map<string, DescriptorFault>();
  for (const fault of faults) {
    const key = `${fault.kind} ${fault.offset}`;
    if (!found.has(key)) found.set(key, fault);
  }
  return [...found.values()];
}

type Sink = (kind: FaultKind, offset: number, text: string) => void;

function judgeHeader(bytes: Uint8Array, isSuper: boolean, fault: Sink): void {
  if (bytes[5] === 0)
    fault(
      "configuration-value-zero",
      5,
      "bConfigurationValue is 0, which means to choose none (USB 2.0 §9.4.7)",
    );
  const attributes = bytes[7];
  if ((attributes & 0x80) === 0 || (attributes & 0x1f) !== 0)
    fault("attributes-reserved", 7, `bmAttributes is ${hex8(attributes)}: bit 7 is 1, bits 4 to 0 are 0`);
  const kind = isSuper ? "super" : "usb2";
  if (bytes[8] > mostPower[kind])
    fault(
      "power-too-much",
      8,
      `bMaxPower is ${bytes[8]}, ${bytes[8] * powerUnit[kind]} mA; the most there is are ${mostPower[kind] * powerUnit[kind]} mA`,
    );
}

function judgeNumbers(count: number, settings: readonly WalkedSetting[], fault: Sink): void {
  const numbers = new Set(settings.map(({ number }) => number));
  for (const { number, offset } of settings)
    if (number >= numbers.size && count === numbers.size)
      fault(
        "interface-number",
        offset + 2,
        `interface ${number} of ${numbers.size}: numbers begin with 0 and leave none out`,
      );
}

function judgeEndpoints(setting: WalkedSetting, speed: UsbSpeed | null, fault: Sink): void {
  for (const { bytes, companion, offset } of setting.endpoints) {
    if (bytes.length < 7) continue;
    const [, , address, attributes] = bytes;
    const name = `endpoint ${hex8(address)}`;
    const type = attributes & 3;
    const isSuper = speed !== null && speed >= UsbSpeed.super;
    if ((address & 0x70) !== 0)
      fault("endpoint-address-reserved", offset + 2, `${name}: bits 6 to 4 of the address are reserved`);
    const reserved =
      type === TransferType.isochronous ? 0xc0 : type === TransferType.interrupt && isSuper ? 0xcc : 0xfc;
    if ((attributes & reserved) !== 0)
      fault(
        "endpoint-attributes-reserved",
        offset + 3,
        `${name}: bmAttributes is ${hex8(attributes)}, with reserved bits`,
      );
    judgePackets(setting, bytes, offset, speed, fault);
    judgeInterval(bytes, offset, speed, fault);
    if (companion === null) {
      if (isSuper)
        fault("companion-missing", offset, `${name} has no SuperSpeed companion after it (USB 3.2 §9.6.7)`);
    } else if (speed !== null && !isSuper)
      fault(
        "companion-at-usb2",
        companion.offset,
        `${name} has a SuperSpeed companion, and the speed has none`,
      );
    else judgeCompanion(name, type, getU16le(bytes, 4), companion, fault);
  }
}

function judgePackets(
  setting: WalkedSetting,
  bytes: Uint8Array,
  offset: number,
  speed: UsbSpeed | null,
  fault: Sink,
): void {
  const name = `endpoint ${hex8(bytes[2])}`;
  const type = bytes[3] & 3;
  const field = getU16le(bytes, 4);
  const size = field & 0x7ff;
  const isPeriodic = type === TransferType.interrupt || type === TransferType.isochronous;
  if ((field & 0xe000) !== 0)
    fault("packet-size-reserved", offset + 4, `${name}: bits 15 to 13 of wMaxPacketSize are reserved`);
  const extra = (field >> 11) & 3;
  if (extra !== 0 && (!isPeriodic || (speed !== null && speed !== UsbSpeed.high)))
    fault(
      "packet-size-reserved",
      offset + 4,
      `${name}: bits 12 and 11 of wMaxPacketSize belong to high-speed interrupt and isochronous endpoints`,
    );
  else if (extra === 3)
    fault(
      "packet-size-reserved",
      offset + 4,
      `${name}: bits 12 and 11 of wMaxPacketSize are 3, which is reserved`,
    );
  if (type === TransferType.bulk && size !== 0) {
    const legal =
      speed === null
        ? [8, 16, 32, 64, 512, 1024]
        : speed >= UsbSpeed.super
          ? [1024]
          : speed === UsbSpeed.high
            ? [512]
            : [8, 16, 32, 64];
    const isTooLarge = speed !== null && size > Math.max(...legal);
    if (!legal.includes(size) && !isTooLarge)
      fault(
        "packet-size-not-of-speed",
        offset + 4,
        `${name}: bulk packets of ${size} bytes; ${speed === null ? "at any speed only" : "at this speed only"} ${legal.join(", ")} exist`,
      );
  }
  if (type === TransferType.isochronous && size > 0 && setting.alternate === 0)
    fault(
      "isochronous-in-setting-zero",
      offset + 4,
      `${name} carries ${size} bytes in setting 0: bandwidth is taken without being asked for (USB 2.0 §5.6.3)`,
    );
}

function judgeInterval(bytes: Uint8Array, offset: number, speed: UsbSpeed | null, fault: Sink): void {
  const type = bytes[3] & 3;
  const interval = bytes[6];
  const isExponent = type === TransferType.isochronous || (speed !== null && speed >= UsbSpeed.high);
  if (type !== TransferType.isochronous && type !== TransferType.interrupt) return;
  const most = isExponent ? 16 : 255;
  if (interval >= 1 && interval <= most) return;
  fault(
    "interval-out-of-range",
    offset + 6,
    `endpoint ${hex8(bytes[2])}: bInterval is ${interval}; 1 to ${most} exist (USB 2.0 table 9-13)`,
  );
}

function judgeCompanion(
  name: string,
  type: number,
  packetBytes: number,
  companion: { readonly bytes: Uint8Array; readonly offset: number },
  fault: Sink,
): void {
  const { bytes, offset } = companion;
  if (bytes.length < 6) {
    fault("companion-values", offset, `${name}: a companion of ${bytes.length} bytes; it has 6`);
    return;
  }
  const burst = bytes[2];
  if (burst > 15) fault("companion-values", offset + 2, `${name}: bMaxBurst is ${burst}; 0 to 15 exist`);
  if (type === TransferType.bulk && (bytes[3] & 0x1f) > 16)
    fault("companion-values", offset + 3, `${name}: 2^${bytes[3] & 0x1f} streams; 2^16 is the most`);
  const perInterval = getU16le(bytes, 4);
  const mult = type === TransferType.isochronous ? (bytes[3] & 3) + 1 : 1;
  const most = packetBytes * (burst + 1) * mult;
  if (type === TransferType.interrupt && perInterval > most)
    fault(
      "companion-values",
      offset + 4,
      `${name}: wBytesPerInterval is ${perInterval}; packets and burst allow ${most}`,
    );
  if (type === TransferType.bulk && perInterval !== 0)
    fault(
      "companion-values",
      offset + 4,
      `${name}: wBytesPerInterval is ${perInterval}; a bulk endpoint has 0`,
    );
}

function judgeAssociations(bytes: Uint8Array, settings: readonly WalkedSetting[], fault: Sink): void {
  const numbers = new Set(settings.map(({ number }) => number));
  const taken = new Set<number>();
  for (const { bytes: own, offset, type } of walkDescriptors(bytes)) {
    if (type !== DescriptorType.interfaceAssociation) continue;
    if (own.length < 8) {
      fault("association-range", offset, `an interface association of ${own.length} bytes; it has 8`);
      continue;
    }
    const [, , first, count] = own;
    if (count === 0) fault("association-range", offset + 3, "an interface association of no interface");
    for (let number = first; number < first + count; number++) {
      if (!numbers.has(number)) {
        fault(
          "association-range",
          offset + 2,
          `an association of interfaces ${first} to ${first + count - 1}; there is no ${number}`,
        );
        break;
      }
      if (taken.has(number)) {
        fault("association-range", offset + 2, `interface ${number} is in two associations`);
        break;
      }
      taken.add(number);
    }
  }
}

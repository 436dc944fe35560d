// Interface settings of a configuration as they lie in its bytes: nothing left out, every descriptor with its offset.

import { DescriptorType, type RawDescriptor, walkDescriptors } from "@drydock/core/codec/usb/descriptors";

export interface WalkedEndpoint {
  readonly bytes: Uint8Array;
  readonly offset: number;
  companion: RawDescriptor | null;
  readonly extra: RawDescriptor[];
}

export interface WalkedSetting {
  readonly offset: number;
  readonly number: number;
  readonly alternate: number;
  readonly interfaceClass: number;
  readonly subclass: number;
  readonly protocol: number;
  readonly endpoints: WalkedEndpoint[];
  /** Class-specific descriptors before the first endpoint. */
  readonly extra: RawDescriptor[];
}

export function settingsOf(configuration: Uint8Array): WalkedSetting[] {
  const settings: WalkedSetting[] = [];
  for (const raw of walkDescriptors(configuration)) {
    const { bytes, offset, type } = raw;
    const setting = settings.at(-1);
    const endpoint = setting?.endpoints.at(-1);
    if (type === DescriptorType.interface && bytes.length >= 9)
      settings.push({
        offset,
        number: bytes[2],
        alternate: bytes[3],
        interfaceClass: bytes[5],
        subclass: bytes[6],
        protocol: bytes[7],
        endpoints: [],
        extra: [],
      });
    else if (type === DescriptorType.endpoint)
      setting?.endpoints.push({ bytes, offset, companion: null, extra: [] });
    else if (type === DescriptorType.superSpeedCompanion && endpoint !== undefined)
      endpoint.companion ??= raw;
    else if (type !== DescriptorType.interfaceAssociation) (endpoint?.extra ?? setting?.extra)?.push(raw);
  }
  return settings;
}

/** Transfer type and direction: "bulk in". */
export function pipesOf({ endpoints }: WalkedSetting): string[] {
  const names = ["control", "isochronous", "bulk", "interrupt"];
  return endpoints
    .filter(({ bytes }) => bytes.length >= 7)
    .map(({ bytes }) => `${names[bytes[3] & 3]} ${(bytes[2] & 0x80) === 0 ? "out" : "in"}`);
}

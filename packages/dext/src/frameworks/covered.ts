// Which frameworks are described here, and which classes of DriverKit's other frameworks are known by name only.

/** In the order in which one stands on the other; each has a text NAME.iig beside this file. */
export const frameworkNames = [
  "DriverKit",
  "USBDriverKit",
  "SerialDriverKit",
  "USBSerialDriverKit",
  "HIDDriverKit",
  "PCIDriverKit",
  "SCSIControllerDriverKit",
  "SCSIPeripheralsDriverKit",
  "BlockStorageDeviceDriverKit",
] as const;

export type FrameworkName = (typeof frameworkNames)[number];

/** Framework to its classes, a blank between them. */
export const uncoveredByFramework: Readonly<Record<string, string>> = {
  DriverKit:
    "IOCommandPool IOCommand IOExtensiblePaniclog IOUserServer OSOrderedSet IOReporter IOStateReporter IOSimpleReporter",
  HIDDriverKit: "IOHIDDigitizerCollection",
  NetworkingDriverKit:
    "IOUserNetworkEthernet IOUserNetworkPacket IOUserNetworkPacketBufferPool IOUserNetworkPacketQueue IOUserNetworkRxCompletionQueue IOUserNetworkRxSubmissionQueue IOUserNetworkTxCompletionQueue IOUserNetworkTxSubmissionQueue",
  SCSIPeripheralsDriverKit: "IOUserSCSIPeripheralDeviceType05 IOUserSCSIPeripheralDeviceType07",
  AudioDriverKit:
    "IOUserAudioDriver IOUserAudioDevice IOUserAudioClockDevice IOUserAudioObject IOUserAudioStream IOUserAudioControl IOUserAudioBooleanControl IOUserAudioLevelControl IOUserAudioSelectorControl IOUserAudioSliderControl IOUserAudioStereoPanControl IOUserAudioBox IOUserAudioCustomProperty",
  MIDIDriverKit: "IOUserMIDIDriver IOUserMIDIDriverUserClient",
};

/** Class to framework: what a message says when a driver uses one. */
export const uncoveredClasses: ReadonlyMap<string, string> = new Map(
  Object.entries(uncoveredByFramework).flatMap(([framework, names]) =>
    names.split(" ").map((name): [string, string] => [name, framework]),
  ),
);

/** Frameworks without a description. */
export const uncoveredFrameworks: readonly string[] = Object.keys(uncoveredByFramework).filter(
  (name) => !(frameworkNames as readonly string[]).includes(name),
);

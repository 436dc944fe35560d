// Names that source rules need: which framework methods a class overrides, what kexts have and DriverKit has instead.

/** Methods that a driver overrides, by the class that introduces them (DriverKit's interface files). */
const introduced: Readonly<Record<string, readonly string[]>> = {
  OSObject: ["init", "free"],
  IOService: ["Start", "Stop", "NewUserClient", "SetPowerState", "ClientCrashed"],
  IOUserClient: ["ExternalMethod", "CopyClientMemoryForType"],
  IOUserHIDDevice: [
    "handleStart",
    "newDeviceDescription",
    "newReportDescriptor",
    "getReport",
    "setReport",
    "completeReport",
  ],
  IOUserHIDEventService: ["handleStart", "handleReport"],
  IOUserSerial: [
    "HwActivate",
    "HwDeactivate",
    "HwResetFIFO",
    "HwSendBreak",
    "HwProgramUART",
    "HwProgramBaudRate",
    "HwProgramMCR",
    "HwGetModemStatus",
    "HwProgramLatencyTimer",
    "HwProgramFlowControl",
    "ConnectQueues",
    "DisconnectQueues",
    "TxDataAvailable",
    "RxFreeSpaceAvailable",
  ],
  IOUserSCSIParallelInterfaceController: [
    "UserReportHBAHighestLogicalUnitNumber",
    "UserDoesHBASupportSCSIParallelFeature",
    "UserInitializeTargetForID",
    "UserDoesHBAPerformAutoSense",
    "UserDoesHBASupportMultiPathing",
    "UserAbortTaskRequest",
    "UserTargetResetRequest",
    "UserReportInitiatorIdentifier",
    "UserReportHighestSupportedDeviceID",
    "UserReportMaximumTaskCount",
    "UserDoesHBAPerformDeviceManagement",
    "UserInitializeController",
    "UserStartController",
    "UserProcessParallelTask",
    "UserGetDMASpecification",
    "UserMapHBAData",
  ],
  IOUserSCSIPeripheralDeviceType00: ["UserDetermineDeviceCharacteristics"],
};

/** Methods that a class with this base inherits and may override. */
export function overridable(base: string): ReadonlySet<string> {
  const names = new Set(introduced.OSObject);
  if (base === "OSObject") return names;
  for (const name of introduced.IOService) names.add(name);
  for (const [owner, methods] of Object.entries(introduced)) {
    if (base === owner || (owner === "IOUserHIDDevice" && base === "IOUserUSBHostHIDDevice"))
      for (const name of methods) names.add(name);
  }
  return names;
}

/** Names that Apple's frameworks keep for themselves. */
export function isFrameworkName(name: string): boolean {
  return /^(?:IO|OS)[A-Z]\w*$/.test(name);
}

export function isDriverKitBase(name: string): boolean {
  return /^(?:IO[A-Z]\w+|OSObject|OSAction)$/.test(name);
}

/** Name in a kext -> what a dext has for it. */
export const kextNames: Readonly<Record<string, string>> = {
  OSDeclareDefaultStructors: "nothing: the interface compiler generates it for a class in an .iig file",
  OSDeclareAbstractStructors: "nothing: the interface compiler generates it for a class in an .iig file",
  OSDeclareFinalStructors: "nothing: the interface compiler generates it for a class in an .iig file",
  OSDefineMetaClassAndStructors: "nothing: the interface compiler generates it for a class in an .iig file",
  OSDefineMetaClassAndAbstractStructors:
    "nothing: the interface compiler generates it for a class in an .iig file",
  IOWorkLoop: "IODispatchQueue",
  IOCommandGate: "IODispatchQueue::DispatchSync, or RunAction for a status",
  IOTimerEventSource: "IOTimerDispatchSource",
  IOInterruptEventSource: "IOInterruptDispatchSource",
  IOFilterInterruptEventSource: "IOInterruptDispatchSource",
  IOSimpleLock: "IOLock",
  getProvider: "the provider that Start is given: keep it in ivars",
};

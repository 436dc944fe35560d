// What a code means when one certain call gave it: the calls of apps and drivers, from the fact files.

import type { IOReturnName } from "@drydock/core/base/io-return";

export interface ReturnContext {
  /** The calls, as a log line writes them: function or method names without their class. */
  readonly calls: readonly string[];
  readonly name: IOReturnName | "MIG_SERVER_DIED";
  /** What it means there, as the end of a sentence: "...: the app's entitlements do not name this driver". */
  readonly means: string;
  /** What to do first. */
  readonly fix: string;
}

const open = ["IOServiceOpen"];
const anyUsb = ["DeviceRequest", "AsyncDeviceRequest", "IO", "AsyncIO", "AsyncIOBundled"];
const request = ["DeviceRequest", "AsyncDeviceRequest", "ControlRequest"];
const pipe = ["AsyncIO", "AsyncIOBundled"];
const isoch = ["IsochIO", "AsyncIsochIO"];
const session = "Open this service with `Open(this, 0, nullptr)` and keep the session until Stop.";

/** The first entry that fits a call and a code counts. */
export const returnContexts: readonly ReturnContext[] = [
  // Apps: IOUserServer::serviceNewUserClient, IOUserUserClient.
  {
    calls: open,
    name: "kIOReturnNotPermitted",
    means: "the kernel refused the app by its entitlements, after the driver's NewUserClient had run",
    fix: "Look for the line DK: ...:UC entitlements check failed in the log; on macOS the app needs userclient-access with the driver's bundle id, on iPadOS communicates-with-drivers.",
  },
  {
    calls: open,
    name: "kIOReturnUnsupported",
    means: "the driver's NewUserClient gave an object whose kernel class is not IOUserUserClient",
    fix: "Name IOUserUserClient as IOClass and your class as IOUserClass in the dictionary that Create reads (UserClientProperties).",
  },
  {
    calls: open,
    name: "kIOReturnError",
    means: "the driver has no NewUserClient of its own, or that one answered the same",
    fix: "Override NewUserClient in the service that the app opens, and check that the app opens that service.",
  },
  {
    calls: open,
    name: "kIOReturnNotReady",
    means: "the service has stopped, or its process is not ready",
    fix: "Find the service again by a matching notification, and open the new one.",
  },
  {
    calls: open,
    name: "kIOReturnNoDevice",
    means: "the service is gone",
    fix: "Treat it as an unplug: release the connection and wait for the next match.",
  },
  {
    calls: open,
    name: "kIOReturnExclusiveAccess",
    means: "another program holds this service open, and it allows one only",
    fix: "Look for IOUserClientCreator below the service in ioreg -l -w0: it names the program.",
  },
  {
    calls: open,
    name: "kIOReturnNotPrivileged",
    means: "the service admits administrators only, or the app's sandbox lacks it",
    fix: "Run as the right user, or add the user client's class to the sandbox's iokit-user-client-class list.",
  },
  {
    calls: ["Create"],
    name: "kIOReturnBadArgument",
    means:
      "an argument does not fit: an option that is no direction bit, a properties key that is missing or no dictionary, or a byte count that is no multiple of 4",
    fix: "For IOBufferMemoryDescriptor pass direction bits only; for a user client have the named dictionary in the personality.",
  },
  {
    calls: ["Create"],
    name: "kIOReturnNoResources",
    means: "this interrupt index is registered already",
    fix: "Create one source for each index, and cancel and release it before you create it again.",
  },
  {
    calls: [
      "ExternalMethod",
      "IOConnectCallMethod",
      "IOConnectCallStructMethod",
      "IOConnectCallScalarMethod",
      "IOConnectCallAsyncMethod",
    ],
    name: "kIOReturnBadArgument",
    means:
      "counts or sizes of the arguments differ from the dispatch table, or the answer is longer than the caller's buffer",
    fix: "Compare scalar counts and structure sizes on both sides; give the output buffer the size of what the driver returns.",
  },
  {
    calls: [
      "ExternalMethod",
      "IOConnectCallMethod",
      "IOConnectCallStructMethod",
      "IOConnectCallScalarMethod",
      "IOConnectCallAsyncMethod",
    ],
    name: "kIOReturnNoCompletion",
    means: "the dispatch entry has no function, which asks the override to handle the call by itself",
    fix: "Fill in the function, or handle the selector before you call super.",
  },
  {
    calls: [
      "ExternalMethod",
      "IOConnectCallMethod",
      "IOConnectCallStructMethod",
      "IOConnectCallScalarMethod",
      "IOConnectCallAsyncMethod",
    ],
    name: "MIG_SERVER_DIED",
    means: "the driver's process ended while the call was outstanding",
    fix: "Look for its crash report; open the service again when it has been restarted.",
  },
  {
    calls: ["CreateMemoryDescriptorFromClient"],
    name: "kIOReturnNotReady",
    means: "the user client has not been started yet",
    fix: "Call it from Start on, not in init.",
  },
  // Services.
  {
    calls: ["Terminate"],
    name: "kIOReturnUnsupported",
    means: "options have to be 0",
    fix: "Call Terminate(0).",
  },
  {
    calls: ["Terminate"],
    name: "kIOReturnNotPermitted",
    means: "a driver may terminate services of its own process only",
    fix: "Release what you hold of the foreign service instead.",
  },
  {
    calls: ["SetProperties"],
    name: "kIOReturnUnsupported",
    means: "the service belongs to the kernel or to another process, and takes no properties",
    fix: "Set properties on your own service.",
  },
  {
    calls: ["SetProperties"],
    name: "kIOReturnNotWritable",
    means: "this property cannot be set",
    fix: "Publish it under a key of your own.",
  },
  {
    calls: ["RemoveProperty", "SearchProperty", "CopyProperties"],
    name: "kIOReturnNotFound",
    means: "there is no such property here, nor (with the search option) at the providers above",
    fix: "Check spelling and the place in ioreg -l -w0; properties that the driver set are in IOUserServiceProperties.",
  },
  {
    calls: ["CopyDispatchQueue"],
    name: "kIOReturnNotFound",
    means: "the class knows this queue's name, and nobody has set the queue",
    fix: "Create the queue and call SetDispatchQueue in Start, before the first call that needs it.",
  },
  {
    calls: ["SetDispatchQueue"],
    name: "kIOReturnBadArgument",
    means: 'only "Default" and names that stand in a QUEUENAME of the class or its superclasses are accepted',
    fix: "Add QUEUENAME(name) to the method in the .iig, or use its exact name.",
  },
  {
    calls: ["ChangePowerState"],
    name: "kIOReturnBadArgument",
    means: "the state is none of off, low and on",
    fix: "Use kIOServicePowerCapabilityOff, Low or On.",
  },
  {
    calls: ["ClientCrashed"],
    name: "kIOReturnUnsupported",
    means: "the provider does not handle a client's crash; that is the default",
    fix: "Nothing: look at the crash itself.",
  },
  // Queues, interrupts, actions.
  {
    calls: ["Sleep", "SleepWithDeadline", "Wakeup"],
    name: "kIOReturnNotReady",
    means: "the queue was created without kIODispatchQueueReentrant, so it never sleeps",
    fix: "Create the queue with kIODispatchQueueReentrant, or continue by a completion instead of waiting.",
  },
  {
    calls: ["Sleep", "SleepWithDeadline"],
    name: "kIOReturnNoSpace",
    means: "64 events sleep on this queue already",
    fix: "Wake what is asleep, or use fewer distinct events.",
  },
  {
    calls: ["Wakeup"],
    name: "kIOReturnNotFound",
    means: "nobody sleeps on this event",
    fix: "Call Wakeup on the same queue and with the same event pointer as Sleep.",
  },
  {
    calls: ["SleepWithDeadline", "Wait"],
    name: "kIOReturnTimeout",
    means: "nobody woke it before the deadline",
    fix: "Check the clock of the deadline (kIOTimerClock...), and that the waker runs on another thread.",
  },
  {
    calls: ["ConfigureInterrupts"],
    name: "kIOReturnBadArgument",
    means: "required is 0, requested is 0, or required is more than requested",
    fix: "Ask for at least 1, and for required <= requested.",
  },
  {
    calls: ["SetEnable", "SetEnableWithCompletion"],
    name: "kIOReturnUnsupported",
    means: "the source has been cancelled",
    fix: "Create a new source; a cancelled one stays so.",
  },
  {
    calls: ["Enqueue"],
    name: "kIOReturnOverrun",
    means: "the data queue is full: its reader is behind",
    fix: "Make room on the reader's side and let DataServiced tell the writer; do not drop silently.",
  },
  {
    calls: ["Dequeue"],
    name: "kIOReturnUnderrun",
    means: "the data queue is empty, which ends the reader's loop",
    fix: "Stop draining, and wait for DataAvailable.",
  },
  // Memory and DMA.
  {
    calls: ["PrepareForDMA"],
    name: "kIOReturnBusy",
    means: "the command is prepared with another descriptor already",
    fix: "CompleteDMA first, or use a second IODMACommand.",
  },
  {
    calls: ["PrepareForDMA"],
    name: "kIOReturnBadArgument",
    means: "an option, the range or the number of segments does not fit",
    fix: "Options 0, a range inside the descriptor, segmentsCount set to 1..32 before the call.",
  },
  {
    calls: ["CompleteDMA", "GetPreparation", "PerformOperation"],
    name: "kIOReturnNotReady",
    means: "the command is not prepared",
    fix: "Call PrepareForDMA first, and complete once.",
  },
  {
    calls: ["PerformOperation"],
    name: "kIOReturnUnderrun",
    means: "the mapping is shorter than the length asked for",
    fix: "Stay inside what PrepareForDMA covered.",
  },
  // USB.
  {
    calls: request,
    name: "kUSBHostReturnPipeStalled",
    means: "the device refused this request (STALL on endpoint 0), and needs no reset",
    fix: "Look at the eight SETUP bytes and the data.",
  },
  {
    calls: pipe,
    name: "kUSBHostReturnPipeStalled",
    means: "the endpoint is halted",
    fix: "Call ClearStall on the pipe, then do what the class asks for (for mass storage: read the status).",
  },
  {
    calls: [...anyUsb, ...isoch, "ControlRequest", "SelectAlternateSetting", "CopyPipe", "SetConfiguration"],
    name: "kIOReturnNotOpen",
    means: "this client has no open session",
    fix: session,
  },
  {
    calls: [...pipe, ...isoch, ...request, "IO"],
    name: "kIOReturnAborted",
    means: "it was cancelled: Abort, Close, a change of the setting, or the unplug",
    fix: "Treat it as the end of this transfer; do not submit again in Stop.",
  },
  {
    calls: [...pipe, ...isoch, ...request, "IO"],
    name: "kIOReturnNotResponding",
    means: "the device does not answer any more: pulled, hung, or without power",
    fix: "Stop submitting, and wait for Stop or for the device to come back.",
  },
  {
    calls: [...pipe, ...isoch, ...request, "IO", "SetConfiguration", "SelectAlternateSetting"],
    name: "kIOReturnNoDevice",
    means: "the device is gone",
    fix: "Stop submitting, and let the termination run.",
  },
  {
    calls: [...pipe, ...request, "IO"],
    name: "kIOReturnTimeout",
    means: "the device did not finish in the time that the call allowed",
    fix: "Check the timeout (0 means none), and in a capture whether the device answers with NAK.",
  },
  {
    calls: isoch,
    name: "kIOReturnIsoTooOld",
    means: "the first frame is in the past",
    fix: "Take GetFrameNumber, add a few frames, and submit ahead.",
  },
  {
    calls: isoch,
    name: "kIOReturnIsoTooNew",
    means: "the first frame is too far ahead",
    fix: "Submit closer to the current frame.",
  },
  {
    calls: ["SelectAlternateSetting"],
    name: "kUSBHostReturnRedundant",
    means: "this setting is active already",
    fix: "Take it for success.",
  },
  {
    calls: ["SetConfiguration"],
    name: "kUSBHostReturnNoPower",
    means: "every configuration wants more bus power than there is",
    fix: "Use a powered hub or another port, or lower bMaxPower.",
  },
  {
    calls: ["Open", "USBInterfaceOpen", "USBDeviceOpen", "IOUSBHostInterface", "IOUSBHostDevice"],
    name: "kIOReturnExclusiveAccess",
    means: "somebody else has it open: another driver matched, or another program uses it",
    fix: "ioreg -l -w0 shows the client below it; a driver has to out-match that one, a program has to close it.",
  },
  {
    calls: ["Open"],
    name: "kIOReturnBadArgument",
    means: "the client is terminating or stopped",
    fix: "Open in Start, never after Stop has begun.",
  },
  // PCI.
  {
    calls: ["Open"],
    name: "kIOReturnNotOpen",
    means: "another client has this PCI device open",
    fix: "Look below the nub in ioreg -l -w0 for who holds it.",
  },
  {
    calls: ["Open"],
    name: "kIOReturnNoMemory",
    means: "one of the device's memory ranges could not be mapped; the session stays open",
    fix: "Close it again; look at IODeviceMemory of the nub.",
  },
  {
    calls: [
      "MemoryRead32",
      "MemoryRead16",
      "MemoryRead8",
      "MemoryRead64",
      "ConfigurationRead32",
      "ConfigurationRead16",
    ],
    name: "kIOReturnNotOpen",
    means: "there is no open session, so the value is all ones",
    fix: session,
  },
  {
    calls: ["MemoryRead32", "MemoryRead16", "MemoryRead8", "MemoryRead64", "MemoryWrite32"],
    name: "kIOReturnOverrun",
    means: "the offset is past the end of the BAR",
    fix: "Check the memory index (position among the ranges, not the BAR number) and the offset.",
  },
  // SCSI and block storage.
  {
    calls: ["UserSendCDB"],
    name: "kIOReturnNotPrivileged",
    means: "the driver has no exclusive access",
    fix: "Unmount, call UserSuspendServices, and send the command then.",
  },
  {
    calls: ["UserSendCDB"],
    name: "kIOReturnBadArgument",
    means: "direction, length or address of the request contradict each other",
    fix: "Set transfer direction, buffer direction, byte count and address together.",
  },
  {
    calls: ["CompleteIO"],
    name: "kIOReturnIOError",
    means: "the driver reported more bytes than were asked for, which counts as an error with 0 bytes",
    fix: "Report what was moved, never more than the request.",
  },
];

/** Names that are looked for in lines, longest first so that one is not found inside another. */
export const knownCalls: readonly string[] = [...new Set(returnContexts.flatMap(({ calls }) => calls))].sort(
  (left, right) => right.length - left.length,
);

export function contextOf(call: string, name: string): ReturnContext | null {
  return returnContexts.find((entry) => entry.name === name && entry.calls.includes(call)) ?? null;
}

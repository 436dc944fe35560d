// libusb's words for IOReturns on macOS: its backend prints them instead of the code (libusb 1.0, darwin_error_str).

import { type OtherCode, one } from "./other-code.ts";

const domain = "libusb on macOS";
const before = "The function in brackets, or the call before the colon, is the one that failed.";

export const libusbWords: readonly OtherCode[] = [
  one(
    domain,
    null,
    ["device not opened for exclusive access"],
    "kIOReturnNotOpen (0xe00002cd): the program itself has not opened the device, or not any more; nobody else is in the way",
    "Open the device before a reset, a new enumeration or a change of its configuration, and look whether the open before it failed.",
  ),
  one(
    domain,
    null,
    ["no connection to an IOService"],
    "kIOReturnNoDevice (0xe00002c0): the device is not there any more: unplugged, or it reset itself",
    "Open it again when it comes back.",
  ),
  one(
    domain,
    null,
    ["no async port has been opened for interface"],
    "kIOUSBNoAsyncPortErr (0xe000405f): the interface was not claimed before a transfer was asked for",
    "Claim the interface first; look whether the claim failed.",
  ),
  one(
    domain,
    null,
    ["pipe is stalled"],
    "the endpoint answered STALL (kIOUSBPipeStalled): the device does not do this request, or the pipe is halted",
    "On endpoint 0 look at the request; on a pipe libusb_clear_halt, and what the device refused before.",
  ),
  one(
    domain,
    null,
    ["could not establish a connection to the Darwin kernel"],
    "kIOReturnError (0xe00002bc): the call failed, and the system does not say why",
    before,
  ),
  one(
    domain,
    null,
    ["transaction timed out"],
    "kIOUSBTransactionTimeout (0xe0004051): the device did not finish in the time given",
    "A capture shows whether it answers with NAK or not at all.",
  ),
  one(
    domain,
    null,
    ["transaction aborted"],
    "kIOReturnAborted (0xe00002eb): somebody cancelled it: the pipe was reset, the program closed, or the device went away",
    before,
  ),
  one(
    domain,
    null,
    ["device not responding"],
    "kIOReturnNotResponding (0xe00002ed): the device gave no answer on the bus at all",
    "Cable, hub and power first; then what the device did just before.",
  ),
  one(
    domain,
    null,
    ["data overrun"],
    "kIOReturnOverrun (0xe00002e8): the device sent more than was asked for",
    "Ask for whole packets: a multiple of wMaxPacketSize.",
  ),
  one(
    domain,
    null,
    ["physical memory can not be wired down"],
    "kIOReturnCannotWire (0xe00002de): the buffer's memory could not be held for the transfer",
    "Make the buffer smaller, and look whether it is still there.",
  ),
  one(
    domain,
    null,
    ["out of resources"],
    "kIOReturnNoResources (0xe00002be): the controller has no bandwidth or no structures left for it",
    "Fewer transfers at a time, another alternate setting, or another controller.",
  ),
  one(
    domain,
    null,
    ["high speed split error"],
    "kIOUSBHighSpeedSplitError (0xe000404b): the hub between a fast bus and a slow device failed",
    "Another hub, or a port of the computer.",
  ),
  one(
    domain,
    null,
    ["pipe ref not recognized", "no pipeRef found with endpoint address"],
    "kIOUSBUnknownPipeErr (0xe0004061): the interface that was claimed has no such endpoint",
    "Compare the address with the descriptors: the alternate setting, the direction bit, the interface that was claimed.",
  ),
];

// Isochronous transfers of a pipe: Apple's frame list, and what becomes of each of its frames.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { newUsbPackets, UsbPacketStatus, type UsbPackets } from "../../ports/usb-host.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import type { UsbReceiver } from "./usb-requests.ts";

/** One frame at full speed, one microframe above (driverkit-families.md §1). */
export interface IOUSBIsochronousFrame {
  /** kIOReturnInvalid until it is over. */
  status: IOReturn;
  readonly requestCount: number;
  completeCount: number;
  /** Of the completion, nanoseconds of the machine. */
  timeStamp: number;
}

/** A frame that waits for its interval. */
export function newIsochronousFrame(requestCount: number): IOUSBIsochronousFrame {
  return { status: IOReturns.kIOReturnInvalid, requestCount, completeCount: 0, timeStamp: 0 };
}

/** Frames that may lie ahead. */
export const isochronousFramesAhead = 1024;

/** Which codes Apple gives for each is not documented: likely. */
const returnOfPacket: Readonly<Record<UsbPacketStatus, IOReturn>> = {
  [UsbPacketStatus.ok]: IOReturns.kIOReturnSuccess,
  [UsbPacketStatus.missed]: IOReturns.kIOReturnNotResponding,
  [UsbPacketStatus.overflow]: IOReturns.kIOReturnOverrun,
  [UsbPacketStatus.damaged]: IOReturns.kIOReturnIOError,
};

/** Fills the frame list, then tells the action. One for each transfer. */
export class IsochronousReceiver implements UsbReceiver {
  readonly packets: UsbPackets;
  readonly #scheduler: Scheduler;
  readonly #frames: readonly IOUSBIsochronousFrame[];
  readonly #completion: OSAction;
  readonly #onOver: () => void;

  /** `onOver` is told before the action. */
  constructor(
    scheduler: Scheduler,
    frames: readonly IOUSBIsochronousFrame[],
    completion: OSAction,
    onOver: () => void,
  ) {
    this.#onOver = onOver;
    this.#scheduler = scheduler;
    this.#frames = frames;
    this.#completion = completion;
    this.packets = newUsbPackets(frames.map(({ requestCount }) => requestCount));
  }

  usbCompleted(_tag: number, status: IOReturn): void {
    const timeStamp = this.#scheduler.nowNs();
    for (const [index, frame] of this.#frames.entries()) {
      frame.status = returnOfPacket[this.packets.statuses[index] as UsbPacketStatus];
      frame.completeCount = this.packets.actualBytes[index];
      frame.timeStamp = timeStamp;
    }
    this.#onOver();
    this.#completion.invoke(status, timeStamp, 0);
  }
}

// How MegaRAID firmware is brought to READY: what each of its states wants to be told.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import { decodeState, MfiDoorbell, MfiState } from "../../codec/mfi/mfi.ts";

/** The state register, the doorbell, and time. */
export interface FirmwareDoor {
  read(): Promise<number>;
  tell(value: number): void;
  now(): number;
  sleep(ns: number): Promise<void>;
}

const pollNs = 1 * millisecond;
const readyTimeoutNs = 30 * second;

export interface FirmwareState {
  readonly maximumCommands: number;
  /** Null: it is ready. */
  readonly problem: { readonly code: IOReturn; readonly why: string } | null;
}

/** Step by step, each state told once what it waits for; public MFI drivers agree on this order (likely). */
export async function bringFirmwareUp(door: FirmwareDoor): Promise<FirmwareState> {
  const deadline = door.now() + readyTimeoutNs;
  const failed = (code: IOReturn, why: string): FirmwareState => ({
    maximumCommands: 0,
    problem: { code, why },
  });
  for (let last = -1; ; ) {
    const word = await door.read();
    if (word === 0xffffffff) return failed(IOReturns.kIOReturnNoDevice, "nobody answers");
    const { state, maximumCommands } = decodeState(word);
    if (state === MfiState.ready) return { maximumCommands, problem: null };
    if (state === MfiState.fault) return failed(IOReturns.kIOReturnIOError, "fault");
    if (state !== last) {
      if (state === MfiState.waitHandshake) door.tell(MfiDoorbell.clearHandshake);
      if (state === MfiState.bootMessage) door.tell(MfiDoorbell.hotPlug);
      if (state === MfiState.operational)
        door.tell(MfiDoorbell.abortAll | MfiDoorbell.ready | MfiDoorbell.mfiMode);
      last = state;
    }
    if (door.now() >= deadline) return failed(IOReturns.kIOReturnTimeout, `still in state ${hex(state)}`);
    await door.sleep(pollNs);
  }
}

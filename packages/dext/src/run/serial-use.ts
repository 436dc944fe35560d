// A program at the serial ports that a dext brought up: it opens each, sends bytes, and counts what comes back.

import { millisecond, second } from "@drydock/core/base/units";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import type { DextRig } from "./dext-rig-promise.ts";

export interface PortUse {
  readonly name: string;
  /** Whether the driver was activated and took its settings. */
  readonly isReady: boolean;
  /** What the driver refused first: "HwProgramUART failed with 0xe00002c7"; empty: nothing. */
  readonly refused: string;
  readonly sent: number;
  /** Sent and gone from the driver's ring. */
  readonly taken: number;
  readonly received: number;
  /** All that was sent came back, byte for byte: a loop-back plug. */
  readonly isEcho: boolean;
}

const sentBytes = 1000;
const patienceNs = 2 * second;
const closingNs = 100 * millisecond;

/** Never rejects for what the driver does. Virtual time goes on until everything came back, or two seconds a port. */
export async function useSerialPorts({ machine, ports }: DextRig): Promise<PortUse[]> {
  const uses: PortUse[] = [];
  const { scheduler } = machine;
  for (const port of [...ports]) {
    if (port.isGone || port.isOpen || machine.failure !== null) continue;
    const session = new SerialSession(port);
    session.configure({ baudRate: 115200 });
    await scheduler.run(scheduler.nowNs() + patienceNs, () => port.isReady || port.isGone);
    const isReady = port.isReady;
    const bytes = new Uint8Array(sentBytes).map((_, index) => (index * 7 + (index >> 8)) & 0xff);
    session.send(bytes);
    await scheduler.run(
      scheduler.nowNs() + patienceNs,
      () => session.received.length >= sentBytes || port.isGone,
    );
    const { lastFailure } = port;
    const { received, sent } = session;
    uses.push({
      name: port.name,
      isReady,
      refused:
        lastFailure === null ? "" : `${lastFailure.call} failed with 0x${lastFailure.status.toString(16)}`,
      sent,
      taken: port.isGone ? 0 : sent - port.transmitPending,
      received: received.length,
      isEcho: received.length === sentBytes && received.every((byte, index) => byte === bytes[index]),
    });
    port.close();
    await scheduler.run(scheduler.nowNs() + closingNs);
  }
  return uses;
}

/** One line for people. */
export function portUseText({ isEcho, isReady, name, received, refused, sent, taken }: PortUse): string {
  const answer = isEcho ? "all of it came back" : `${received} bytes came back`;
  const state = isReady ? "" : ", not ready";
  return `port ${name}${state}: ${taken} of ${sent} bytes sent, ${answer}${refused === "" ? "" : `; ${refused}`}`;
}

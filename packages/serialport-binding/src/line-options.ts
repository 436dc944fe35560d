// Options of `serialport` as line settings of a rig's port; what a port cannot do is refused with a sentence.

import { defaultLineSettings, type LineSettings, type Parity } from "@drydock/core/ports/serial";
import type { OpenOptions } from "@serialport/bindings-interface";

const parities: readonly Parity[] = ["none", "odd", "even", "mark", "space"];
const halfStopBits: Readonly<Record<number, LineSettings["halfStopBits"]>> = { 1: 2, 1.5: 3, 2: 4 };

/** All that `serialport` knows, with its defaults. Throws TypeError or Error with what to do. */
export function withDefaults(options: OpenOptions): Required<OpenOptions> {
  if (typeof options !== "object" || options === null) throw new TypeError('"options" is not an object');
  if (typeof options.path !== "string" || options.path === "") throw new TypeError('"path" is not a string');
  const all: Required<OpenOptions> = {
    dataBits: 8,
    lock: true,
    stopBits: 1,
    parity: "none",
    rtscts: false,
    xon: false,
    xoff: false,
    xany: false,
    hupcl: true,
    ...options,
  };
  checkBaudRate(all.baudRate);
  if (![5, 6, 7, 8].includes(all.dataBits))
    throw new Error(`dataBits ${all.dataBits} is not possible; there are 5, 6, 7 and 8`);
  if (halfStopBits[all.stopBits] === undefined)
    throw new Error(`stopBits ${all.stopBits} is not possible; there are 1, 1.5 and 2`);
  if (!parities.includes(all.parity as Parity))
    throw new Error(`parity "${all.parity}" is not possible; there are ${parities.join(", ")}`);
  if (all.xon !== all.xoff)
    throw new Error("a rig's port has XON/XOFF both ways or not at all: set xon and xoff alike");
  if (all.xany) throw new Error("xany is not modelled: leave it out");
  if (!all.hupcl) throw new Error("a rig's port always drops DTR on close: leave hupcl out");
  return all;
}

/** Bits per second. Throws as above. */
export function checkBaudRate(baudRate: unknown): asserts baudRate is number {
  if (typeof baudRate !== "number") throw new TypeError('"baudRate" is not a number');
  if (!Number.isInteger(baudRate) || baudRate < 1)
    throw new Error(`baudRate ${baudRate} is not possible; it is a whole number of bits per second`);
}

export function lineSettingsOf(options: Required<OpenOptions>): LineSettings {
  return {
    ...defaultLineSettings,
    baudRate: options.baudRate,
    dataBits: options.dataBits,
    parity: options.parity as Parity,
    halfStopBits: halfStopBits[options.stopBits],
    rtsCts: options.rtscts,
    xonXoff: options.xon,
  };
}

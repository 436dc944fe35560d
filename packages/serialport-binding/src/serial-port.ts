// `SerialPort` of the npm package serialport, over a rig: what a program imports in place of the real one.

import type { OpenOptions, PortInfo } from "@serialport/bindings-interface";
import { type ErrorCallback, SerialPortStream, type StreamOptions } from "@serialport/stream";
import type { RigBinding } from "./rig-binding.ts";

export type RigSerialPortOptions = Omit<StreamOptions<RigBinding>, "binding"> & OpenOptions;

/** The class that programs use: the same constructor, the same static `list` and `binding`. */
export interface SerialPortClass {
  new (options: RigSerialPortOptions, openCallback?: ErrorCallback): SerialPortStream<RigBinding>;
  readonly binding: RigBinding;
  list(): Promise<PortInfo[]>;
}

export function serialPortOver(binding: RigBinding): SerialPortClass {
  return class SerialPort extends SerialPortStream<RigBinding> {
    static readonly binding = binding;

    static list(): Promise<PortInfo[]> {
      return binding.list();
    }

    constructor(options: RigSerialPortOptions, openCallback?: ErrorCallback) {
      super({ binding, ...options }, openCallback);
    }
  };
}

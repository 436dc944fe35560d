// Records when a SuperSpeed device asks for a stream (ERDY): what a hardware analyser sees and a host does not.

import type { Clock } from "../base/clock.ts";
import { erdyText } from "../dissect/storage-wire.ts";
import type { UsbDevicePort, UsbUpstream } from "../ports/usb-device.ts";
import type { UsbTraceLog } from "./usb-trace-log.ts";

export interface StreamTraceOptions {
  readonly clock: Clock;
  readonly log: UsbTraceLog;
}

/** Same type in, same type out: a device whose wish for a stream leaves a mark. Endpoints without streams leave none. */
export function withStreamTrace(device: UsbDevicePort, options: StreamTraceOptions): UsbDevicePort {
  const { clock, log } = options;
  return {
    speed: device.speed,
    plug: (upstream: UsbUpstream) =>
      device.plug({
        ready: (endpoint, stream) => {
          if (stream !== undefined && stream > 0)
            log.mark(clock.nowNs(), erdyText(endpoint, stream), clock.cause);
          upstream.ready(endpoint, stream);
        },
        reconnect: () => upstream.reconnect(),
      }),
    unplug: () => device.unplug(),
    reset: () => device.reset(),
    setup: (packet) => device.setup(packet),
    in: (endpoint, buffer, offset, length, stream) => device.in(endpoint, buffer, offset, length, stream),
    out: (endpoint, buffer, offset, length, stream) => device.out(endpoint, buffer, offset, length, stream),
  };
}

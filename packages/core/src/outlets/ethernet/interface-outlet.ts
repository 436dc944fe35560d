// An interface joined to whatever takes and gives frames: a TAP device, a socket, a switch.

import { type EthernetLink, type EthernetPort, EthernetSend, type FrameTaker } from "../../ports/ethernet.ts";

export interface InterfaceOutletOptions {
  /** Takes what the interface receives. */
  readonly to: FrameTaker;
  readonly onLink?: (link: EthernetLink) => void;
  /** The interface has gone: the adapter was pulled, or its driver stopped. */
  readonly onGone?: () => void;
}

/**
 * Opens an interface for the world outside and asks for all groups, as what is out there is not known. Frames given to
 * `frame` are sent, or counted as lost where the interface has no room: a wire waits for nobody.
 */
export class InterfaceOutlet implements FrameTaker {
  lostFrames = 0;
  readonly #port: EthernetPort;

  /** Throws RangeError with the port's reason when it cannot be opened. */
  constructor(port: EthernetPort, options: InterfaceOutletOptions) {
    this.#port = port;
    const refused = port.open({
      enabled: () => options.onLink?.(port.link),
      writable: () => {},
      linkChanged: (link) => options.onLink?.(link),
      hungUp: () => options.onGone?.(),
      frame: (bytes, offset, length) => options.to.frame(bytes, offset, length),
    });
    if (refused !== null) throw new RangeError(refused);
    port.setFilter({ promiscuous: false, allMulticast: true, multicast: [] });
  }

  /** From outside, towards the adapter. */
  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#port.send(bytes, offset, length) !== EthernetSend.accepted) this.lostFrames++;
  }

  close(): void {
    this.#port.close();
  }
}

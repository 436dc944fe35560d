// An Ethernet interface as programs see it: frames both ways, filters, a link that comes and goes. And the cable's end.

/** Takes frames: the end of a cable, a port of a switch, a socket. It never refuses: what it has no room for is lost, as on a wire. */
export interface FrameTaker {
  /** One frame from its destination address on, without FCS. The bytes are valid during the call. */
  frame(bytes: Uint8Array, offset: number, length: number): void;
}

/** What the interface is connected to. */
export interface EthernetLink {
  readonly isUp: boolean;
  /** Bits per second; 0 while it is down or not known. */
  readonly bitsPerSecond: number;
  readonly isFullDuplex: boolean;
}

export const linkDown: EthernetLink = { isUp: false, bitsPerSecond: 0, isFullDuplex: false };

/** What became of a frame given to `send`. */
export const EthernetSend = {
  /** It was copied. It leaves in the order of the calls, or is counted in `lostFrames` when interface or link go first. */
  accepted: 0,
  /** No room: nothing was taken, and `writable` comes when there is room again. */
  full: 1,
  /** Shorter than a header of 14 bytes, or longer than the interface's MTU and header allow: it will never be taken. */
  badFrame: 2,
  /** Not open, not enabled yet, or gone. */
  closed: 3,
} as const;
export type EthernetSend = (typeof EthernetSend)[keyof typeof EthernetSend];

/** Who has the interface. Never called from inside a call of the port. */
export interface EthernetClient extends FrameTaker {
  /** The interface was enabled: frames are taken and given from here on. Once per `open`, unless it is closed or gone before. */
  enabled(): void;
  /** Room to send again after `send` answered `full`. */
  writable(): void;
  /** The link changed, or was learnt: what it is now. */
  linkChanged(link: EthernetLink): void;
  /** The interface is gone (cable out, driver stopped). Comes once; nothing comes after it. */
  hungUp(): void;
}

/** What the interface hands up besides its own frames and broadcasts. */
export interface EthernetFilter {
  readonly promiscuous: boolean;
  readonly allMulticast: boolean;
  /** Group addresses, six bytes each. */
  readonly multicast: readonly Uint8Array[];
}

/** What passed since the interface came up. Frames; bytes without FCS. */
export interface EthernetCounts {
  readonly sentFrames: number;
  readonly sentBytes: number;
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  /** Accepted and not sent: the device refused them, or link or interface went. */
  readonly lostFrames: number;
  /** Received and not handed on: nobody had the interface open, or the driver gave what is no frame. */
  readonly droppedFrames: number;
}

/**
 * One interface. A program opens it, gives frames with `send` and is told of frames; one program at a time. Data calls
 * neither block nor wait; what a filter change asks of the driver happens later, in order.
 */
export interface EthernetPort {
  /** BSD name: "en0". */
  readonly name: string;
  /** Six bytes; valid as long as the port is. */
  readonly macAddress: Uint8Array;
  /** Bytes of payload that a frame may carry: 1500. */
  readonly mtu: number;
  readonly link: EthernetLink;
  readonly isOpen: boolean;
  readonly isGone: boolean;
  readonly counts: EthernetCounts;
  /** Null, or why not: gone, or open already. The driver is asked to enable the interface; `enabled` follows. */
  open(client: EthernetClient): string | null;
  /** The driver is asked to disable the interface. Frames that wait are lost and counted. Ignored when not open. */
  close(): void;
  /** A frame from its destination address on, without FCS; copied before the call returns. */
  send(bytes: Uint8Array, offset: number, length: number): EthernetSend;
  /** Kept for as long as it is open; ignored when it is not. */
  setFilter(filter: EthernetFilter): void;
}

// QEMU's dgram netdev: one Ethernet frame in each UDP datagram, between two ports of loopback.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "@drydock/core/codec/ethernet/ethernet";
import type { FrameTaker } from "@drydock/core/ports/ethernet";
import type { StepTaker } from "../host/ordered-steps.ts";

const loopback = "127.0.0.1";
/** Datagrams that the kernel may hold for a reader that is busy; beyond them frames are lost, as on a wire. */
const waitingMaximum = 512;

export interface DgramNetdevOptions {
  /** Takes what the virtual machine sends. */
  readonly to: FrameTaker;
  readonly steps: StepTaker;
}

/** Both ports are of loopback: nobody else's datagrams are taken. */
export class DgramNetdev implements FrameTaker {
  /** Our port: QEMU's `remote.port`. */
  readonly port: number;
  /** QEMU's `local.port`. */
  readonly peerPort: number;
  lostFrames = 0;
  badFrames = 0;
  readonly #socket: Socket;
  #waiting = 0;

  private constructor(socket: Socket, peerPort: number, { steps, to }: DgramNetdevOptions) {
    this.#socket = socket;
    this.port = socket.address().port;
    this.peerPort = peerPort;
    socket.on("error", () => {});
    socket.on("message", (bytes, from) => {
      const isFrame = bytes.length >= ethernetHeaderBytes && bytes.length <= maximumTaggedFrameBytes;
      if (from.port !== peerPort || !isFrame) this.badFrames++;
      else steps.ready(() => to.frame(bytes, 0, bytes.length), undefined);
    });
  }

  /** Takes two free ports, the second for QEMU to bind. */
  static async open(options: DgramNetdevOptions): Promise<DgramNetdev> {
    const socket = await bound();
    const peer = await bound();
    const { port } = peer.address();
    await new Promise<void>((resolve) => peer.close(() => resolve()));
    return new DgramNetdev(socket, port, options);
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#waiting >= waitingMaximum) {
      this.lostFrames++;
      return;
    }
    this.#waiting++;
    this.#socket.send(bytes.slice(offset, offset + length), this.peerPort, loopback, (error) => {
      this.#waiting--;
      if (error !== null) this.lostFrames++;
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, loopback);
  await once(socket, "listening");
  return socket;
}

// USB/IP between our client and our server over real sockets of this machine, under virtual time: for contract checks.

import type { VirtualClock } from "@drydock/core/base/virtual-clock";
import type { UsbipServer } from "@drydock/core/outlets/usbip/usbip-server";
import type { ByteOwner, ByteStream, ByteStreamClient } from "@drydock/core/ports/byte-stream";
import { type ContractResult, runContract } from "@drydock/core/ports/contract";
import { usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { type UsbipWire, usbipBench } from "@drydock/core/trials/transport-benches";
import { hostTurn } from "../host/host-turn.ts";
import { connectSocket, listen, type SocketStream } from "../host/socket-stream.ts";

/** A socket that loses bytes would never be quiet: said after so long. */
const patienceMs = 30_000;

/** Counts what has been said at one end and not been heard at the other yet. */
class Wire {
  bytesUnderWay = 0;
  isEnding = false;
  /** Of the two ends. */
  ended = 0;

  get isBusy(): boolean {
    return this.isEnding ? this.ended < 2 : this.bytesUnderWay > 0;
  }
}

/** One end of a counted connection: a stream that passes everything on. */
class CountedStream implements ByteStream {
  readonly #stream: SocketStream;
  readonly #wire: Wire;

  constructor(stream: SocketStream, wire: Wire) {
    this.#stream = stream;
    this.#wire = wire;
  }

  connect(client: ByteStreamClient): void {
    this.#stream.connect({
      received: (bytes) => {
        this.#wire.bytesUnderWay -= bytes.length;
        client.received(bytes);
      },
      drained: () => client.drained(),
      closed: () => {
        this.#wire.isEnding = true;
        this.#wire.ended++;
        client.closed();
      },
    });
  }

  write(bytes: Uint8Array, owner?: ByteOwner): boolean {
    this.#wire.bytesUnderWay += bytes.length;
    return this.#stream.write(bytes, owner);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#wire.isEnding = true;
    this.#stream.close();
  }
}

/**
 * The whole USB host contract, each check over a connection of its own through 127.0.0.1. Virtual time stands still
 * while bytes are under way, so results do not depend on the machine's speed. Rejects when this machine has no loopback.
 */
export async function checkUsbipLoopback(seed: number): Promise<ContractResult[]> {
  let accept: (stream: SocketStream) => void = (stream) => stream.close();
  const listener = await listen({ port: 0 }, (stream) => accept(stream));
  try {
    return await runContract(usbHostContract, () => {
      const wire = new Wire();
      return usbipBench(seed, {
        connect: (server: UsbipServer) => {
          accept = (stream) => server.accept(new CountedStream(stream, wire));
          return new CountedStream(connectSocket(listener.host, listener.port), wire);
        },
        settle: (clock) => settle(wire, clock),
      } satisfies UsbipWire);
    });
  } finally {
    await listener.close();
  }
}

async function settle(wire: Wire, clock: VirtualClock): Promise<void> {
  const end = performance.now() + patienceMs;
  do {
    while (wire.isBusy) {
      if (performance.now() > end)
        throw new Error(`${wire.bytesUnderWay} bytes never came through the socket`);
      await hostTurn();
    }
  } while (clock.step());
}

// A bare Node socket as a yardstick: answers each request with as many bytes, and knows no protocol.

import { createServer } from "node:net";

export interface BareRequest {
  /** Bytes of data behind the request's header, to be taken. */
  readonly taken: number;
  /** Bytes of data behind the answer's header. */
  readonly given: number;
}

/** Says its port on stdout, then serves until it is killed. */
export function serveBare(headerBytes: number, read: (bytes: Buffer) => BareRequest): void {
  const data = new Uint8Array(1 << 20);
  const server = createServer({ noDelay: true }, (socket) => {
    let pending = Buffer.alloc(0);
    let skip = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      socket.cork();
      for (;;) {
        const passed = Math.min(skip, bytes.length);
        skip -= passed;
        bytes = bytes.subarray(passed);
        if (skip > 0 || bytes.length < headerBytes) break;
        const { taken, given } = read(bytes);
        bytes = bytes.subarray(headerBytes);
        skip = taken;
        socket.write(data.subarray(0, headerBytes));
        if (given > 0) socket.write(data.subarray(0, given));
      }
      pending = Buffer.from(bytes);
      process.nextTick(() => socket.uncork());
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
  });
}

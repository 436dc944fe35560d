// The device's side of Android's debug bridge over USB, as far as a session needs: connect, streams, a legacy shell.

import { OneInterfaceDevice } from "./one-interface-device.ts";

const inEndpoint = 0x81;
const bulk = (bEndpointAddress: number) => ({
  bEndpointAddress,
  bmAttributes: 2,
  wMaxPacketSize: 64,
  bInterval: 0,
});
const headerBytes = 24;
const command = (name: string): number => Buffer.from(name).readUInt32LE(0);
/** No checksums from this version on. */
const version = 0x01000001;
const payloadMaximum = 256 << 10;

/** The services `shell` and `exec` answer what `run` says; every other service is refused. */
export class AdbDaemon extends OneInterfaceDevice {
  readonly #run: (line: string) => Uint8Array;
  #waiting = Buffer.alloc(0);
  /** By our number: the host's, and what is still to be sent to it, a part for each OKAY. */
  readonly #streams = new Map<number, { readonly host: number; rest: Uint8Array }>();
  #count = 0;

  constructor(run: (line: string) => Uint8Array) {
    super({
      idVendor: 0x18d1,
      idProduct: 0x4ee7,
      manufacturer: "Drydock",
      product: "ADB daemon",
      serialNumber: "ADB-1",
      interfaceClass: [0xff, 0x42, 1],
      endpoints: [bulk(inEndpoint), bulk(0x01)],
    });
    this.#run = run;
  }

  protected override powerOn(): void {
    super.powerOn();
    this.#waiting = Buffer.alloc(0);
    this.#streams?.clear();
  }

  protected override heard(_endpoint: number, bytes: Uint8Array): void {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    for (;;) {
      if (this.#waiting.length < headerBytes) return;
      const length = this.#waiting.readUInt32LE(12);
      if (this.#waiting.length < headerBytes + length) return;
      const packet = this.#waiting.subarray(0, headerBytes + length);
      this.#waiting = this.#waiting.subarray(headerBytes + length);
      this.#take(
        packet.toString("latin1", 0, 4),
        packet.readUInt32LE(4),
        packet.readUInt32LE(8),
        packet.subarray(headerBytes),
      );
    }
  }

  #take(name: string, first: number, second: number, payload: Buffer): void {
    if (name === "CNXN") {
      this.#send("CNXN", version, payloadMaximum, Buffer.from("device::ro.product.name=drydock;features="));
    } else if (name === "OPEN") this.#open(first, payload.toString().replace(/\0$/, ""));
    else if (name === "OKAY") this.#next(second);
    else if (name === "WRTE") this.#send("OKAY", second, first);
    else if (name === "CLSE") this.#streams.delete(second);
  }

  #open(host: number, service: string): void {
    const line = /^(?:shell|exec):(.*)$/s.exec(service)?.[1];
    if (line === undefined) {
      this.#send("CLSE", 0, host);
      return;
    }
    const own = ++this.#count;
    this.#streams.set(own, { host, rest: this.#run(line) });
    this.#send("OKAY", own, host);
    this.#next(own);
  }

  #next(own: number): void {
    const stream = this.#streams.get(own);
    if (stream === undefined) return;
    if (stream.rest.length === 0) {
      this.#streams.delete(own);
      this.#send("CLSE", own, stream.host);
      return;
    }
    const part = stream.rest.subarray(0, payloadMaximum >> 4);
    stream.rest = stream.rest.subarray(part.length);
    this.#send("WRTE", own, stream.host, part);
  }

  /** Header and payload are two transfers, as Android's daemon sends them. */
  #send(name: string, first: number, second: number, payload: Uint8Array = new Uint8Array(0)): void {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(command(name), 0);
    header.writeUInt32LE(first, 4);
    header.writeUInt32LE(second, 8);
    header.writeUInt32LE(payload.length, 12);
    header.writeUInt32LE((command(name) ^ 0xffffffff) >>> 0, 20);
    this.say(inEndpoint, header);
    if (payload.length > 0) this.say(inEndpoint, payload);
  }
}

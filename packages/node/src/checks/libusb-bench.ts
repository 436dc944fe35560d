// The USB host contract over libusb: a real kernel between the port and Drydock's loopback device.

import { type ContractResult, runContract } from "@drydock/core/ports/contract";
import { UsbStatus } from "@drydock/core/ports/usb-host";
import { RecordingClient, type UsbHostBench, usbHostContract } from "@drydock/core/ports/usb-host.contract";
import type { LibusbDevice } from "@drydock/core/transports/libusb/libusb-device";
import { LibusbImporter } from "@drydock/core/transports/libusb/libusb-importer";
import { type LibusbPort, libusbLimits } from "@drydock/core/transports/libusb/libusb-port";
import { HostClock } from "../host/host-clock.ts";
import { hostTurn } from "../host/host-turn.ts";
import { Libusb } from "../transports/libusb.ts";

/** The loopback device of devices/loopback, against which the contract list is written. */
export const loopbackIds = { idVendor: 0x1209, idProduct: 0x0002 } as const;

const patienceMs = 30_000;
/** Round trips in a row that brought nothing new. */
const quietRounds = 2;

export interface LibusbBenchOptions {
  /** Waits until the loopback device is there. */
  find(): Promise<LibusbDevice>;
  /** Pulls the cable, for good. Null where nobody can. */
  readonly unplug: (() => void) | null;
}

/** A path that this machine does not have; the message says what is missing. */
export class TransportMissing extends Error {
  override readonly name = "TransportMissing";
}

/**
 * The contract over the first loopback device that libusb sees, each check on an attachment of its own. Rejects with
 * TransportMissing when there is none.
 */
export async function checkLibusb(): Promise<ContractResult[]> {
  const libusb = await Libusb.load().catch((error: Error) => {
    throw new TransportMissing(error.message);
  });
  const device = (): LibusbDevice | undefined => libusb.devices().find(isLoopback);
  if (device() === undefined) {
    const wanted = "no device 1209:0002, Drydock's loopback device, on which the contract is checked";
    throw new TransportMissing(libusb.devices().length === 0 ? libusb.whyNone : wanted);
  }
  return checkLibusbDevice({ find: () => waitFor("the loopback device", device), unplug: null });
}

export const isLoopback = ({ idVendor, idProduct }: LibusbDevice): boolean =>
  idVendor === loopbackIds.idVendor && idProduct === loopbackIds.idProduct;

/** The whole list; where the cable can be pulled, that comes last. */
export async function checkLibusbDevice(options: LibusbBenchOptions): Promise<ContractResult[]> {
  let last: LibusbBench | null = null;
  const isLast = ({ limit }: { readonly limit?: string }): boolean => limit === "unplug";
  const checks = [
    ...usbHostContract.filter((check) => !isLast(check)),
    ...usbHostContract.filter((check) => isLast(check)),
  ];
  const results = await runContract(checks, async () => {
    await last?.end();
    last = await LibusbBench.begin(options);
    return last;
  });
  await (last as LibusbBench | null)?.end();
  return results;
}

/** What `find` answers, as soon as it is something. */
export async function waitFor<T>(what: string, find: () => T | undefined): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

class LibusbBench implements UsbHostBench {
  readonly client = new RecordingClient();
  readonly unplug: (() => void) | null;
  readonly limits: Record<string, string>;
  readonly #clock = new HostClock();
  readonly #importer: LibusbImporter;
  readonly #ports: LibusbPort[] = [];
  readonly #problems: string[] = [];
  #isUnplugged = false;
  #hasEnded = false;

  private constructor(device: LibusbDevice, unplug: (() => void) | null) {
    this.#importer = new LibusbImporter({
      clock: this.#clock,
      device,
      onAttach: (port) => {
        // A port that comes back after a reset is not this bench's.
        if (this.#ports.length === 0) port.connect(this.client);
        this.#ports.push(port as LibusbPort);
      },
      onProblem: (reason) => this.#problems.push(reason),
      onEnd: () => {
        this.#hasEnded = true;
      },
    });
    this.limits = {
      ...libusbLimits,
      ...(unplug === null ? { unplug: "nobody here can pull the cable" } : {}),
    };
    const pull = (): void => {
      this.#isUnplugged = true;
      unplug?.();
    };
    this.unplug = unplug === null ? null : pull;
  }

  /** An unconfigured device with nothing left in it from before. */
  static async begin({ find, unplug }: LibusbBenchOptions): Promise<LibusbBench> {
    const bench = new LibusbBench(await find(), unplug);
    if (bench.#ports.length === 0) throw new Error(bench.#problems.join("; "));
    await bench.#empty();
    return bench;
  }

  get port(): LibusbPort {
    return this.#ports[0];
  }

  /**
   * Until round trips to the device bring nothing new: everything goes the same way in order, so what was to come has
   * come. A port that is going is waited for.
   */
  async settle(): Promise<void> {
    const end = performance.now() + patienceMs;
    const { port, client } = this;
    let told = -1;
    for (let quiet = 0; quiet < quietRounds; ) {
      if (performance.now() > end) throw new Error("the device never came to rest");
      const isGoing = this.#isUnplugged && !port.isOver;
      const isAtRest = !isGoing && !port.isBusy && (port.isOver || (await port.roundTrip()));
      await hostTurn();
      const now = client.completions.length + client.detachments;
      quiet = isAtRest && !port.isBusy && now === told ? quiet + 1 : 0;
      told = now;
    }
  }

  /** Gives the device back. */
  async end(): Promise<void> {
    this.#importer.stop();
    await waitFor("the end of an attachment", () => (this.#hasEnded ? true : undefined));
    this.#clock.stop();
  }

  /** Reads away what earlier checks have left in the device's pipes, and unconfigures it. */
  async #empty(): Promise<void> {
    const { port, client } = this;
    await this.#configure(1);
    for (const endpoint of [0x81, 0x82]) {
      for (let isEmpty = false; !isEmpty; ) {
        client.completions.length = 0;
        port.transfer(1, endpoint, new Uint8Array(4096), 0, 4096);
        await this.settle();
        isEmpty = client.completions.length === 0;
        port.cancel(1);
        await this.settle();
      }
    }
    await this.#configure(0);
    client.completions.length = 0;
  }

  async #configure(value: number): Promise<void> {
    this.port.control(0, Uint8Array.of(0, 9, value, 0, 0, 0, 0, 0), null, 0);
    await this.settle();
    const [{ status }] = this.client.of(0).slice(-1);
    if (status !== UsbStatus.ok)
      throw new Error(`configuration ${value} cannot be chosen: ${this.#problems.join("; ")}`);
  }
}

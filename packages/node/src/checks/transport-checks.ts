// Contract lists of transports that need this machine: the names beside core's own for `drydock check-transport`.

import type { ContractResult } from "@drydock/core/ports/contract";
import { checkTransport, transportNames } from "@drydock/core/trials/transport-benches";
import { hostTurn } from "../host/host-turn.ts";
import { checkLibusb } from "./libusb-bench.ts";
import { checkUsbipLoopback } from "./usbip-loopback.ts";
import { checkXhciQemu } from "./xhci-qemu-bench.ts";

const checks: Readonly<Record<string, (seed: number) => Promise<readonly ContractResult[]>>> = {
  ...Object.fromEntries(
    transportNames.map((name) => [name, (seed: number) => checkTransport(name, seed, hostTurn)]),
  ),
  "usbip-loopback": checkUsbipLoopback,
  libusb: checkLibusb,
  "xhci-qemu": async (seed) => (await checkXhciQemu(seed)).results,
};

/** Every transport that has a bench. */
export const checkedTransports: readonly string[] = Object.keys(checks);

/**
 * Runs the USB host contract on a transport. RangeError for an unknown name; TransportMissing, with the reason, for one
 * that this machine does not have.
 */
export async function checkTransportHere(name: string, seed: number): Promise<readonly ContractResult[]> {
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (check === undefined)
    throw new RangeError(`no transport "${name}"; there are: ${checkedTransports.join(", ")}`);
  return check(seed);
}

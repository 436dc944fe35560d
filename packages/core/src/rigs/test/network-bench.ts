// One adapter on a machine with a frame exchange at the end of its cable: what the network drivers' tests share.

import { hostTurn } from "@drydock/node/host-turn";
import type { Clock } from "../../base/clock.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { FrameExchange } from "../../trials/frame-exchange.ts";
import { type NetworkAdapter, NetworkRig, type NetworkRigOptions } from "../network-rig.ts";

export interface NetworkBench<T> {
  readonly rig: NetworkRig;
  readonly device: T;
  readonly exchange: FrameExchange;
}

/** Brings the adapter up and waits for its link; the exchange is made and not started. */
export async function networkBench<T extends NetworkAdapter>(
  make: (clock: Clock) => T,
  frames: number,
  options: Partial<NetworkRigOptions> & { readonly window?: number } = {},
): Promise<NetworkBench<T>> {
  const made: { device?: T; exchange?: FrameExchange } = {};
  const { window = 4, ...rest } = options;
  const seed = options.seed ?? 3;
  const rig = new NetworkRig({
    ...{ seed, turn: hostTurn, profile: platformProfile("macos15"), trace: false, timing: "none" },
    ...rest,
    adapters: (clock) => {
      made.device = make(clock);
      made.exchange = new FrameExchange({ clock, frames, seed, intoCable: made.device.jack, window });
      return [made.device];
    },
    farEnd: () => (made.exchange as FrameExchange).station,
  });
  const { scheduler } = rig.machine;
  await scheduler.run(5e9, () => rig.interfaces[0]?.link.isUp === true);
  return { rig, device: made.device as T, exchange: made.exchange as FrameExchange };
}

/** As `networkBench`, with all frames exchanged, or nothing moving any more. */
export async function exchanged<T extends NetworkAdapter>(
  make: (clock: Clock) => T,
  frames: number,
  options: Partial<NetworkRigOptions> & { readonly window?: number } = {},
): Promise<NetworkBench<T>> {
  const bench = await networkBench(make, frames, options);
  const { scheduler } = bench.rig.machine;
  bench.exchange.start(bench.rig.interfaces[0]);
  await scheduler.run(scheduler.nowNs() + 1000e9, () => bench.exchange.isDone);
  return bench;
}

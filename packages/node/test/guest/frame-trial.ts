// Random frames both ways between a rig's interface and the QEMU netdev behind the foreign adapter that it drives.

import assert from "node:assert/strict";
import { StreamNetdev } from "@drydock/core/outlets/ethernet/stream-netdev";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { NetworkRig } from "@drydock/core/rigs/network-rig";
import { FrameExchange } from "@drydock/core/trials/frame-exchange";
import { hostTurn } from "@drydock/node/host-turn";
import { connectSocket } from "@drydock/node/socket-stream";
import type { StepTaker } from "../../src/host/ordered-steps.ts";
import { until } from "./until.ts";

/** QEMU's socket is read in the time of an emulated machine. */
const quietNs = 20e9;
/** Frames of the program under way. */
const outWindow = 64;

/** Drivers, and no adapter of ours. */
export const driversAlone = () =>
  new NetworkRig({
    ...{ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), timing: "none", trace: false },
    devices: [],
  });

/** `-netdev stream` that waits for us at a port of loopback. */
export const waitingNetdev = (id: string, port: number): readonly string[] => [
  "-netdev",
  `stream,id=${id},server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=${port}`,
];

export interface FrameTrialOptions {
  /** The adapter's name, to tell. */
  readonly what: string;
  readonly rig: NetworkRig;
  /** Of {@link waitingNetdev}. */
  readonly netPort: number;
  /** Who runs the rig. */
  readonly steps: StepTaker;
  /** Each way. */
  readonly frames: number;
  /** Frames of the station under way. */
  readonly window: number;
  /** What must be so beside the interface's link before the first frame. */
  readonly isReady?: () => Promise<unknown>;
  /** Is told what it came to. */
  readonly tell: (text: string) => void;
}

/** Rejects unless each frame arrived, in order and as it was. The interface stays open at its end. */
export async function exchangeFrames(options: FrameTrialOptions): Promise<FrameExchange> {
  const { frames, isReady, netPort, rig, steps, tell, what, window } = options;
  const clock = rig.machine.scheduler;
  const exchange: FrameExchange = new FrameExchange({
    ...{ clock, seed: 19, frames, window, outWindow, patienceNs: quietNs },
    intoCable: { frame: (bytes, offset, length) => wire.frame(bytes, offset, length) },
  });
  const wire = new StreamNetdev({ clock, to: exchange.station });
  wire.accept(connectSocket("127.0.0.1", netPort, steps));
  try {
    await until("an interface comes up", () => rig.interfaces.length > 0 && rig.interfaces[0].link.isUp);
    await isReady?.();
    const beganMs = performance.now();
    steps.ready(() => exchange.start(rig.interfaces[0]), undefined);
    await until("the exchange is over", () => exchange.isDone, 30_000 + frames * 10);
    const seconds = (performance.now() - beganMs) / 1000;
    const result = exchange.result();
    assert.equal(result.isWhole, true, JSON.stringify(result));
    const { droppedFrames, lostFrames } = rig.interfaces[0].counts;
    assert.deepEqual([droppedFrames, lostFrames, wire.lostFrames, wire.badFrames], [0, 0, 0, 0]);
    tell(
      `${frames} frames each way on ${what} in ${seconds.toFixed(1)} s: ${Math.round(frames / seconds)} a second`,
    );
  } finally {
    wire.close();
  }
  return exchange;
}

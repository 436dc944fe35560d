// P08: the drive behind its bridge on a rig, and what an app can see and do from outside.

import { second } from "@drydock/core/base/units";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import type { RelinkBehaviour } from "@drydock/core/devices/relink-bridge/bridge-security";
import { RelinkBridgeDevice } from "@drydock/core/devices/relink-bridge/relink-bridge-device";
import {
  massStorageBundle,
  type TransportPolicy,
} from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { IOUSBHostDevice } from "@drydock/core/families/usb/io-usb-host-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { BlockStatus, BlockSubmit } from "@drydock/core/ports/block";
import { StorageRig } from "@drydock/core/rigs/storage-rig";
import { IOError } from "@drydock/core/runtime/io-error";
import type { Process } from "@drydock/core/runtime/process";
import type { CaseOptions } from "../driver-case.ts";
import { UnlockConnection } from "./unlock-client.ts";
import { UnlockDriver, unlockBundle, unlockIdentifier } from "./unlock-driver.ts";

export const bridgePaths = ["Bulk-Only", "UAS at high speed", "UAS at SuperSpeed"] as const;
export type BridgePath = (typeof bridgePaths)[number];

export const unlockCode = Uint8Array.from({ length: 16 }, (_, index) => 0x30 + index);

/** How long an app waits for a drive to leave or to come, virtual time; more than the bridge's relink takes. */
const patienceNs = 15 * second;
const monitorNs = second / 2;
const lookNs = second / 20;

/** The app's view of the machine: drives that come and go, one command at a time. Methods run on a thread. */
export class BridgeBench {
  readonly rig: StorageRig;
  readonly bridge: RelinkBridgeDevice;
  readonly #app: Process;

  /** `trace` false: the bridge's remarks only, for many runs. */
  constructor(behaviour: RelinkBehaviour, path: BridgePath, options: CaseOptions, trace = true) {
    const { seed, turn } = options;
    let made: RelinkBridgeDevice | null = null;
    const policy: TransportPolicy = path === "UAS at high speed" ? "uas" : "by-speed";
    this.rig = new StorageRig({
      seed,
      turn,
      trace,
      profile: platformProfile("macos15"),
      units: [{ blockCount: 65_536 }],
      device: { speed: path === "UAS at SuperSpeed" ? UsbSpeed.super : UsbSpeed.high },
      bundles: [massStorageBundle(policy), unlockBundle],
      makeDevice: (plan, { machine, usb }) => {
        const clock = machine.scheduler;
        const onNote = (text: string) => usb.trace.mark(clock.nowNs(), text);
        made = new RelinkBridgeDevice({ ...plan, clock, behaviour, unlockCode, onNote });
        return made;
      },
    });
    if (made === null) throw new Error("the rig made no bridge");
    this.bridge = made;
    this.#app = this.#launch("Unlocker");
  }

  /** A program of the vendor's team that may open the dext (posts.md T1). */
  #launch(name: string): Process {
    return this.rig.machine.launchApplication({
      name,
      bundleIdentifier: `${unlockIdentifier}.${name.toLowerCase()}`,
      teamIdentifier: unlockBundle.teamIdentifier,
      entitlements: { "com.apple.developer.driverkit.userclient-access": [unlockIdentifier] },
    });
  }

  /** Runs an app's thread to its end. */
  run<T>(body: () => Promise<T>): Promise<T> {
    return this.rig.machine.perform(body, this.#app);
  }

  /** Somebody else's program that asks the drive how it is, again and again. */
  startMonitor(): void {
    const monitor = this.#launch("Monitor");
    monitor.spawn("monitor", async () => {
      let drive: UnlockConnection | null = null;
      for (;;) {
        await this.sleep(monitorNs);
        if (drive === null || drive.isGone) drive = await this.connect(monitor);
        await drive?.testUnitReady(1_000);
      }
    });
  }

  get #scheduler() {
    return this.rig.machine.scheduler;
  }

  /** The dext on the drive that is there now. */
  get driver(): UnlockDriver | null {
    const found = this.rig.machine.registry.byClass("P08Driver").find((entry) => !entry.isInactive);
    return found instanceof UnlockDriver && found.unit !== null && found.unit.state !== "gone" ? found : null;
  }

  /** IOServiceOpen on the drive that is there now, from a thread of `app`; null: there is none, or it leaves just now. */
  async connect(app = this.#app): Promise<UnlockConnection | null> {
    const { driver } = this;
    if (driver === null) return null;
    try {
      return new UnlockConnection(await this.rig.machine.openUserClient(app, driver));
    } catch (error) {
      if (error instanceof IOError && driver.isInactive) return null;
      throw error;
    }
  }

  async sleep(ns: number): Promise<void> {
    await this.#scheduler.sleep(ns);
  }

  /** True when it came to be within `limitNs`. */
  async wait(condition: () => boolean, limitNs = patienceNs): Promise<boolean> {
    const deadline = this.#scheduler.nowNs() + limitNs;
    while (!condition()) {
      if (this.#scheduler.nowNs() >= deadline) return false;
      await this.#scheduler.sleep(lookNs);
    }
    return true;
  }

  /** The drive, opened, when it comes within the patience and its unit has been looked at. */
  async waitForDrive(): Promise<UnlockConnection | null> {
    const isSettled = (state: string | undefined) => state !== undefined && state !== "starting";
    await this.wait(() => isSettled(this.driver?.unit?.state), 2 * patienceNs);
    return this.connect();
  }

  /** Resets the port of the drive's USB device, as an app can through IOUSBHost. False: there is none. */
  resetPort(): boolean {
    const device = [...this.rig.machine.registry.entries()].find(
      (entry): entry is IOUSBHostDevice => entry instanceof IOUSBHostDevice && !entry.isInactive,
    );
    device?.reset();
    return device !== undefined;
  }

  /** Writes a block of the medium and reads it back. False without a medium. */
  async isReadable(): Promise<boolean> {
    const media = this.rig.media[0];
    if (media === undefined) return false;
    let status: BlockStatus | null = null;
    media.connect({
      completed: (_slot, ended) => {
        status = ended;
      },
      detached: () => {},
    });
    const done = async (submitted: BlockSubmit) => {
      status = null;
      if (submitted === BlockSubmit.accepted) await this.wait(() => status !== null, 60 * second);
      return status === BlockStatus.ok;
    };
    const bytes = new Uint8Array(512).fill(0x5a);
    const back = new Uint8Array(512);
    const isWritten = await done(media.write(0, 7, 1, bytes, 0, false));
    const isRead = await done(media.read(0, 7, 1, back, 0));
    return isWritten && isRead && back.every((byte) => byte === 0x5a);
  }
}

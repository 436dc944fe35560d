// P20: the sample app gets 0xe00002e2 after one key was removed from the driver's entitlements.

import { formatReturn, returnName } from "@drydock/core/base/io-return";
import type { LogRow } from "@drydock/core/platform/log-row";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOError } from "@drydock/core/runtime/io-error";
import { Machine } from "@drydock/core/runtime/machine";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { badNullDriverBundle } from "./bad-driver.ts";
import { goodNullDriverBundle } from "./good-driver.ts";

/** Who opens the driver, where. */
export interface OpenAttempt {
  readonly bundle: DriverBundle;
  readonly platform?: string;
  readonly appEntitlements?: Properties;
  readonly appTeam?: string;
  readonly isAdministrator?: boolean;
  readonly bootArgDk?: number;
  /** iPadOS: the switch in Settings. */
  readonly isDriverEnabled?: boolean;
}

export interface OpenResult {
  /** kern_return_t of IOServiceOpen; 0 when it opened. */
  readonly status: number;
  readonly reason: string;
  /** What the ping answered, when it could be sent. */
  readonly answer: number | null;
  readonly log: readonly LogRow[];
  readonly machine: Machine;
}

/** Installs the sample, lets the app open it, ping it and close it. */
export async function openNullDriver(attempt: OpenAttempt, options: CaseOptions): Promise<OpenResult> {
  const machine = new Machine({
    ...options,
    profile: platformProfile(attempt.platform ?? "macos15"),
    bootArgDk: attempt.bootArgDk ?? 0,
  });
  machine.install(attempt.bundle, { enabled: attempt.isDriverEnabled ?? true });
  const app = machine.launchApplication({
    name: "SampleApp",
    bundleIdentifier: "org.drydock.sample.app",
    teamIdentifier: attempt.appTeam ?? "DRIVERTEAM",
    entitlements: attempt.appEntitlements ?? {},
    isAdministrator: attempt.isAdministrator ?? false,
  });
  await machine.run();
  const service = machine.registry.byClass("NullDriver")[0];
  if (service === undefined) {
    const reason = machine.matchReports.at(-1)?.outcome ?? "nothing matched";
    return { status: 0xe00002c0, reason, answer: null, log: machine.log.show(), machine };
  }
  let status = 0;
  let reason = "opened";
  let answer: number | null = null;
  await machine.perform(async () => {
    try {
      const connection = await machine.openUserClient(app, service);
      const pong = await connection.call(0, { scalarInput: [41], scalarOutputCount: 1 });
      answer = pong.scalarOutput[0] ?? null;
      connection.close();
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      status = error.code;
      reason = error.message;
    }
  }, app);
  await machine.run();
  return { status, reason, answer, log: machine.log.show(), machine };
}

/** What an attempt came to, whatever language its driver is written in. */
export function judgeOpening({ status, answer, log }: OpenResult): CaseRun {
  const lines = log.filter((row) => row.message.startsWith("DK:")).map((row) => row.message);
  return {
    succeeded: status === 0 && answer === 42,
    result: `IOServiceOpen: ${returnName(status)} (${formatReturn(status)})${lines.map((line) => `; ${line}`).join("")}`,
    trace: null,
    log,
  };
}

async function run(side: Side, options: CaseOptions): Promise<CaseRun> {
  const bundle = side === "bad" ? badNullDriverBundle : goodNullDriverBundle;
  return judgeOpening(await openNullDriver({ bundle }, options));
}

export const userClientSampleCase: DriverCase = {
  id: "P20",
  title: "The user client sample refuses its own app",
  symptom: "IOServiceOpen answers 0xe00002e2 and the log needs a bundle ID that is plainly the driver's.",
  cause:
    "Without allow-any-userclient-access on the driver the app itself must carry userclient-access; it has no such key.",
  describeRequests: [],
  run,
};

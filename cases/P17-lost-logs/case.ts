// P17: a driver's log lines appear once and never again, although it works.

import type { LogRow } from "@drydock/core/platform/log-row";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { Machine } from "@drydock/core/runtime/machine";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { BadPing } from "./bad-driver.ts";
import { GoodPing } from "./good-driver.ts";
import { pingBundle, pingIdentifier, pingSelector } from "./ping-driver.ts";

/** `log show ... | grep BUNDLE`: what the person typed. */
export function grepForSender(rows: readonly LogRow[]): LogRow[] {
  return rows.filter((row) => row.sender.includes(pingIdentifier));
}

/** What should have been typed. */
export const textPredicate = 'eventMessage CONTAINS "StaticPingPong"';

export interface PingBench {
  readonly machine: Machine;
  /** Pings `count` times through the user client; answers what the driver's own trace holds. */
  ping(count: number): Promise<number>;
  /** Replaces the driver by its next version, as a developer does all day. */
  upgrade(): Promise<void>;
}

export function pingBench(side: Side, options: CaseOptions): Promise<PingBench> {
  return pingBenchOf((version) => pingBundle(side === "bad" ? BadPing : GoodPing, version), options);
}

/** `bundleOf`: the driver, and its upgrade, by version. */
export async function pingBenchOf(
  bundleOf: (version: string) => DriverBundle,
  options: CaseOptions,
): Promise<PingBench> {
  const machine = new Machine({ ...options, profile: platformProfile("macos15") });
  machine.install(bundleOf("1"));
  const app = machine.launchApplication({ name: "PingApp" });
  await machine.run();
  const service = () => machine.registry.byClass("Ping")[0];
  return {
    machine,
    ping: async (count) => {
      let traced = 0;
      await machine.perform(async () => {
        const connection = await machine.openUserClient(app, service());
        await connection.call(pingSelector.ping, { scalarInput: [count] });
        traced = (await connection.call(pingSelector.traced, { scalarOutputCount: 1 })).scalarOutput[0];
        connection.close();
      }, app);
      await machine.run();
      return traced;
    },
    upgrade: async () => {
      machine.terminate(service());
      await machine.run();
      machine.install(bundleOf("2"));
      await machine.run();
    },
  };
}

/** Three pings, an upgrade, three more: what is found of them. */
export async function judgePings(bench: PingBench): Promise<CaseRun> {
  await bench.ping(3);
  await bench.upgrade();
  const traced = await bench.ping(3);
  const rows = bench.machine.log.show();
  const bySender = grepForSender(rows).length;
  const byText = bench.machine.log.show({ predicate: textPredicate }).length;
  return {
    succeeded: traced > 0,
    result: `six pings: the grep for the bundle id finds ${bySender} lines, the text predicate ${byText}, the driver's own trace has ${traced} of the last three`,
    trace: null,
    log: rows,
  };
}

const run = async (side: Side, options: CaseOptions): Promise<CaseRun> =>
  judgePings(await pingBench(side, options));

export const lostLogsCase: DriverCase = {
  id: "P17",
  title: "Driver logs appear once and are lost afterwards",
  symptom:
    "Only the first load of a driver leaves lines in `log show | grep BUNDLE`; later calls work but leave none.",
  cause:
    "A dext's lines are the kernel's; their sender is resolved by load tag, which goes stale, and the queue may drop them.",
  describeRequests: [],
  run,
};

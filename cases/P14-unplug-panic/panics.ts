// P14 AC1: how many seeds' bad drivers panic within a hundred unplugs, each with a report that says where.

import assert from "node:assert/strict";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { badHbaDriver } from "./bad-driver.ts";
import { HbaBench } from "./hba-bench.ts";
import { newLedger } from "./hba-driver.ts";

export async function panicsOf(seeds: number, turn: HostTurn): Promise<number> {
  let panics = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const bench = new HbaBench({ seed, turn, driver: badHbaDriver(newLedger()), name: "bad" });
    await bench.cycles(100);
    const { failure } = bench.rig.machine;
    if (failure?.kind !== "panic") continue;
    panics++;
    const text =
      /^LLC Bus error \(Unavailable\) from cpu[0-7]: FAR=0x(\w+) .* addr=0x(\w+) cmd=0x18\(ACC_CIFL2C_CMD_RD_LD/.exec(
        failure.text,
      );
    assert.ok(text !== null, failure.text);
    const load = bench.rig.family.deadLinkLoads.at(-1);
    assert.ok(load?.isPanic);
    assert.equal(load.barIndex, 0);
    assert.ok(load.offset === 8 || load.offset === 0);
    if (load.offset === 8) assert.equal(text[1], "a40100008");
    assert.match(
      load.stack.join(" ") + load.thread,
      /P14Driver::|TimerOccurred|InterruptOccurred|Stop|Start/,
    );
  }
  return panics;
}

// P17, right: a numbered trace in the driver, readable through the user client; the log is a courtesy.

import { EventRing } from "@drydock/core/runtime/event-ring";
import { PingDriver } from "./ping-driver.ts";

export class GoodPing extends PingDriver {
  readonly trace = new EventRing(
    { nowNs: () => this.nowNs, after: () => 0, cause: 0, cancel: () => {} },
    1 << 17,
  );

  override ping(): void {
    const sequence = this.trace.total;
    this.trace.record("ping", sequence);
    this.log(`[DDPING] StaticPingPong #${sequence}`);
  }

  override traced(): number {
    return this.trace.total;
  }
}

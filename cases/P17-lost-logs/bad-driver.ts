// P17, wrong: the system's log is the only trace, and the lines have neither number nor tag.

import { PingDriver } from "./ping-driver.ts";

export class BadPing extends PingDriver {
  override ping(): void {
    this.log("[StaticPingPong] begin");
  }

  override traced(): number {
    return 0;
  }
}

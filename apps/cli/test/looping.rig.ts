// A rig whose device goes round in a loop a third of a second after it came up: for those who must end it.

import { findRig, rigEntry } from "@drydock/core/rigs/catalogue";

const serial = findRig("serial");
if (serial === null) throw new Error("the catalogue has no serial rig");

const loopAtNs = 300_000_000;

export default rigEntry({
  ...serial,
  name: "looping",
  summary: "a device that loops",
  build: (options) => {
    const rig = serial.build(options);
    rig.machine.scheduler.after(
      loopAtNs,
      () => {
        for (;;);
      },
      undefined,
    );
    return rig;
  },
});

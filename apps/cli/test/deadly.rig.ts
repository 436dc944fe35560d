// A rig that ends its process as soon as a fault may strike it: for those who must outlive it.

import { CountedRun } from "@drydock/core/faults/counted-run";
import { findRig, rigEntry } from "@drydock/core/rigs/catalogue";

const serial = findRig("serial");
if (serial === null) throw new Error("the catalogue has no serial rig");

export default rigEntry({
  ...serial,
  name: "deadly",
  summary: "a rig that ends its process",
  build: (options) => {
    const { access } = options;
    if (access instanceof CountedRun && access.faults.length > 0) process.exit(7);
    return serial.build(options);
  },
});

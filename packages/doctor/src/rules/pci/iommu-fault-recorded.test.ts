// DR18-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { iommuFaultRecorded } from "./iommu-fault-recorded.ts";

test("DR18-6 fires: recorded 1 fault(s) of hba", async () => {
  await assertFires(
    iommuFaultRecorded,
    {
      i: '+-o hba@0  <class IOPCIDevice, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "pci-dart-error-data" = <0100000002000000030000000400000005000000>\n  }\n',
    },
    /recorded 1 fault\(s\) of hba/,
  );
});

test("DR18-6 is silent on: +-o hba@0  <class IOPCIDevice, id 0x1, registered, matched, active, busy 0 (0 ms", async () => {
  await assertSilent(iommuFaultRecorded, {
    i: '+-o hba@0  <class IOPCIDevice, id 0x1, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "vendor-id" = <00100000>\n  }\n',
  });
});

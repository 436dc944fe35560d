// NT-806670: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { ntx806670 } from "./nt-806670.ts";

const source = (queue: string) =>
  `#include <SCSIControllerDriverKit/IOUserSCSIParallelInterfaceController.iig>\nclass Hba : public IOUserSCSIParallelInterfaceController\n{\n    virtual void UserProcessParallelTask(SCSIUserParallelTask task, uint32_t *response, OSAction *completion TYPE(X)) override${queue};\n};\n`;

test("NT-806670 fires", async () => {
  await assertFires(
    ntx806670,
    { s: source(" QUEUENAME(IOQueue)"), p: panicOf("Kernel data abort. at pc 0x1") },
    /on the queue IOQueue.*and the machine panicked/,
  );
});

test("NT-806670 is silent on a near miss", async () => {
  await assertSilent(ntx806670, { s: source(""), p: panicOf("Kernel data abort. at pc 0x1") });
});

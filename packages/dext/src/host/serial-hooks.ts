// SerialDriverKit: what the system calls on a serial driver of a dext.

import type { Hook } from "./hook.ts";

export const serialHooks: readonly Hook[] = [];

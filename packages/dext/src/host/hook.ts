// A method of the runtime's classes that the system calls, and how the dext's implementation of it is called.

import type { IOService } from "@drydock/core/runtime/service";
import type { CxxMethod } from "./class-records.ts";
import type { CxxProcess } from "./cxx-process.ts";

/** How a method of the runtime's class calls the dext's. */
export interface Hook {
  /** "IOService.Start". */
  readonly cxx: string;
  /** "start". */
  readonly method: string;
  readonly run: (cxx: CxxProcess, method: CxxMethod, service: IOService, ...values: never[]) => unknown;
}

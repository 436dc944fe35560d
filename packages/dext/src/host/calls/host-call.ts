// How host calls are written down: by class and method, and what a refusal becomes for the dext.

import { IOReturns } from "@drydock/core/base/io-return";
import { type CxxProcess, type HostCall, type HostCalls, statusOf } from "../cxx-process.ts";
import type { HostAnswer, WasmValue } from "../engine.ts";

type Run<R> = (cxx: CxxProcess, ...values: never[]) => R;

interface Row {
  readonly blocks: boolean;
  readonly isSilent?: boolean;
  readonly make: (name: string) => HostCall["run"];
}

/** What the runtime tells and nobody here asks for. */
export const silent: Row = { blocks: false, isSilent: true, make: () => () => undefined };

/** Answers a value; never waits, and never fails. */
export function plain(run: Run<WasmValue | undefined>): Row {
  return { blocks: false, make: () => run as HostCall["run"] };
}

export function plainWaiting(run: Run<Promise<WasmValue | undefined>>): Row {
  return { blocks: true, make: () => run as HostCall["run"] };
}

/** Answers a kern_return_t: success when `run` answers nothing, the code of an IOError, or the number it answers. */
export function status(
  run: Run<number | undefined>,
  onPurpose: number = IOReturns.kIOReturnNoResources,
): Row {
  return {
    blocks: false,
    make:
      (name) =>
      (cxx, ...values) => {
        if (cxx.mustFail(name)) return onPurpose | 0;
        try {
          return (run(cxx, ...values) ?? 0) | 0;
        } catch (error) {
          return statusOf(error);
        }
      },
  };
}

/** As `status`, for a call that may wait. */
export function statusWaiting(
  run: Run<Promise<number | undefined>>,
  onPurpose: number = IOReturns.kIOReturnNoResources,
): Row {
  return {
    blocks: true,
    make:
      (name) =>
      async (cxx: CxxProcess, ...values: never[]) => {
        if (cxx.mustFail(name)) return onPurpose | 0;
        try {
          return ((await run(cxx, ...values)) ?? 0) | 0;
        } catch (error) {
          return statusOf(error);
        }
      },
  };
}

/** As `statusWaiting`, but never made to fail: what must come through whatever happens, as Stop's way to its superclass. */
export function surely(run: Run<Promise<number | undefined>>): Row {
  return {
    blocks: true,
    make:
      () =>
      async (cxx: CxxProcess, ...values: never[]) => {
        try {
          return ((await run(cxx, ...values)) ?? 0) | 0;
        } catch (error) {
          return statusOf(error);
        }
      },
  };
}

/** The calls of one class, by method. */
export function callsOf(className: string, rows: Readonly<Record<string, Row>>): HostCalls {
  return Object.fromEntries(
    Object.entries(rows).map(([method, { blocks, isSilent = false, make }]) => {
      const name = `${className}.${method}`;
      return [
        name,
        { blocks, isSilent, run: make(name) as (cxx: CxxProcess, ...values: never[]) => HostAnswer },
      ];
    }),
  );
}

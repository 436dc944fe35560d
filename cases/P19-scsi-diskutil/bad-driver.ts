// P19, wrong: the byte count of MODE SENSE is one short, so nobody ever asks for a flush.

import { withShortModeSense } from "@drydock/core/trials/durability-benches";
import { type Controller, controllerBefore } from "./controller.ts";

/** The post's fault: fBytesTransferred is one byte less than what moved. */
export const shortCountController: Controller = (target, log) =>
  withShortModeSense(controllerBefore(target, log, false));

/** Counts rightly, but has no CDBs of 16 bytes. */
export const shortCommandController: Controller = (target, log) => controllerBefore(target, log, true);

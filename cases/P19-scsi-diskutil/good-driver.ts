// P19, right: exact byte counts and every CDB length.

import { type Controller, controllerBefore } from "./controller.ts";

export const exactController: Controller = (target, log) => controllerBefore(target, log, false);

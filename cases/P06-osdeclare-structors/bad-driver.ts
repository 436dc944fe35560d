// P06, wrong: the class stands in a header with a kext's macro, so the extension has no description of it.

import { gamepadHeader } from "@drydock/doctor/source/post-samples";
import { gamepadBundle } from "./gamepad-driver.ts";

/** What the person showed. */
export const badSources = [{ name: "VirtualGamepad.h", text: gamepadHeader }];

/** Nothing was compiled for the class: an extension without code. */
export const badGamepadBundle = gamepadBundle({});

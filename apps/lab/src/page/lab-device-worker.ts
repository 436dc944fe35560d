// The lab's worker for devices of the visitor's own: loaded when somebody brings one.

import type { USB } from "@drydock/core/ports/web-usb";
import { deviceEntry } from "../session/device-entry.ts";
import { deviceName } from "../session/opened-names.ts";
import { makeHands } from "../session/rig-hands.ts";
import { serveWorker } from "./worker-session.ts";

const { usb = null } = navigator as { readonly usb?: USB };

/** Ends a pause: what comes from outside is not kept waiting. */
let wake: () => void = () => {};

const entry = deviceEntry(usb, () => wake());

serveWorker({
  findRig: (name) => (name === deviceName ? entry : null),
  hands: makeHands,
  playEnded: null,
  connect: null,
  pause: (milliseconds) =>
    new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        wake = () => {};
        resolve();
      }
      wake = done;
    }),
});

// The lab's first worker: serial rigs and those of the server, which is what a first visit needs.

import { serialEntries } from "@drydock/core/rigs/serial-entries";
import { connectDesk } from "./desk-link.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({
  findRig: (name) => serialEntries.find((entry) => entry.name === name) ?? null,
  hands: null,
  playEnded: null,
  connect: connectDesk,
});

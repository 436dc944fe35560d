// The lab's worker for cases: loaded when one is opened.

import { findCase } from "@drydock/cases/casebook";
import { makeHands } from "../session/rig-hands.ts";
import { ShownCase } from "../session/shown-case.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({
  findRig: () => null,
  hands: makeHands,
  playCase: (opening, turn) => ShownCase.play(opening, turn, findCase(opening.what)),
  connect: null,
});

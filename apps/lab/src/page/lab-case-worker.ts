// The lab's worker for cases: loaded when one is opened.

import { findCase } from "@drydock/cases/casebook";
import { ShownCase } from "../session/shown-case.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({
  findRig: () => null,
  playCase: (opening, turn) => ShownCase.play(opening, turn, findCase(opening.what)),
  connect: null,
});

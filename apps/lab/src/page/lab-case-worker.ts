// The lab's worker for what has run to its end, cases and runs of campaigns: loaded when one is opened.

import { findCase } from "@drydock/cases/casebook";
import { isCampaignRun } from "../session/opened-names.ts";
import { makeHands } from "../session/rig-hands.ts";
import { playCampaignRun } from "../session/shown-campaign.ts";
import { ShownCase } from "../session/shown-case.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({
  findRig: () => null,
  hands: makeHands,
  playEnded: (opening, turn) =>
    isCampaignRun(opening.what)
      ? playCampaignRun(opening, turn)
      : ShownCase.play(opening, turn, findCase(opening.what)),
  connect: null,
});

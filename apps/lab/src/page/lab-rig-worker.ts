// The lab's worker for every rig of the catalogue: loaded when one is opened that the first worker does not have.

import { findRig } from "@drydock/core/rigs/catalogue";
import { makeHands } from "../session/rig-hands.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({ findRig, hands: makeHands, playEnded: null, connect: null });

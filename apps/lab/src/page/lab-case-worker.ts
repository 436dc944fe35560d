// The lab's worker for cases: loaded when one is opened.

import { ShownCase } from "../session/shown-case.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({ findRig: () => null, playCase: ShownCase.play, connect: null });

// The lab's worker for rigs: core and its catalogue, without the casebook, so that the first screen comes quickly.

import { serveWorker } from "./worker-session.ts";

serveWorker(null);

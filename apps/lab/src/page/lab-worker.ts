// The lab's worker for rigs: those of the page, and the one of the server; without the casebook.

import { connectDesk } from "./desk-link.ts";
import { serveWorker } from "./worker-session.ts";

serveWorker({ playCase: null, connect: connectDesk });

// The lab's worker for files that people drop: registries compared, evidence diagnosed. Nothing of it leaves.

import { serveEvidence } from "./evidence-desk.ts";

serveEvidence();

// The evidence worker with the reader of C++ source, whose library needs WebAssembly: a policy of its own.

import { serveEvidence } from "./evidence-desk.ts";

serveEvidence();

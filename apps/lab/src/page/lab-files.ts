// Files to take away, as a script that a worker loads when the first one is asked for.

import { writeSessionFile } from "../session/session-files.ts";

Object.assign(globalThis, { drydockFiles: writeSessionFile });

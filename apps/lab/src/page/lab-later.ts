// What a session's worker loads when it is first asked: files to take away, and what screens show besides rows.

import { sessionLater } from "../session/session-later.ts";

Object.assign(globalThis, { drydockLater: sessionLater });

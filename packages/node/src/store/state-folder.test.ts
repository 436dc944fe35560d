// The state folder on three systems.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stateFolder } from "./state-folder.ts";

test("each system's own folder, DRYDOCK_HOME before it, never a relative one", () => {
  assert.equal(stateFolder("linux", {}, "/home/me"), "/home/me/.local/state/drydock");
  assert.equal(stateFolder("linux", { XDG_STATE_HOME: "/s" }, "/home/me"), "/s/drydock");
  assert.equal(stateFolder("linux", { XDG_STATE_HOME: "s" }, "/home/me"), "/home/me/.local/state/drydock");
  assert.equal(stateFolder("darwin", {}, "/Users/me"), "/Users/me/Library/Application Support/Drydock");
  assert.equal(stateFolder("win32", { LOCALAPPDATA: "C:\\L" }, "C:\\Users\\me"), "C:\\L\\Drydock");
  assert.equal(stateFolder("win32", {}, "C:\\Users\\me"), "C:\\Users\\me\\AppData\\Local\\Drydock");
  assert.equal(stateFolder("linux", { DRYDOCK_HOME: "/x" }, "/home/me"), "/x");
  assert.throws(() => stateFolder("linux", { DRYDOCK_HOME: "x" }, "/home/me"), /absolute path/);
});

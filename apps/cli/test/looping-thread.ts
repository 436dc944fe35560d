// A rig of drydock start for one test: its terminal is there, it talks, and at a word it goes round in a loop.

import { parentPort } from "node:worker_threads";
import { openPty } from "@drydock/node/pty";
import type { FromStartedRig, ToStartedRig } from "../src/actions/started-rig.ts";

const port = parentPort;
if (port === null) throw new Error("this is the script of a thread");
const send = (message: FromStartedRig | { readonly kind: "pong" }): void => port.postMessage(message);
const pty = openPty({ link: process.env.DRYDOCK_TEST_LINK ?? "" });
send({ kind: "terminal", path: pty.path, link: pty.name, descriptors: pty.descriptors });
send({ kind: "say", text: "here I am" });
port.on("message", (message: ToStartedRig | { readonly kind: "ping" }) => {
  if (message.kind === "ping") send({ kind: "pong" });
  if (message.kind === "line") for (;;);
});

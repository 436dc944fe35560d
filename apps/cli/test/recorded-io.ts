// A command's input and output as a test sees them.

export { heldIo as recordedIo } from "../src/terminal/held-io.ts";

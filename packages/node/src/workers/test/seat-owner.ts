// A process with a seat whose job never ends; what kills this one must not leave the other behind.

import { ProcessSeat } from "../process-seat.ts";

const seat = new ProcessSeat<string, string>(new URL("./seat-process.ts", import.meta.url));
console.log((await seat.ask("begin")).split(" ")[1]);
await seat.ask("loop");

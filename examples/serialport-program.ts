// A program of the npm package serialport on a rig: with "serialport" in place of the first import it uses real ports.

import { rest, SerialPort } from "./serialport-rig.ts";

const [{ path }] = await SerialPort.list();
const port = new SerialPort({ path, baudRate: 115200 });
const sent = "hello from serialport";
let received = "";
port.on("data", (part: Buffer) => {
  received += part.toString();
  if (received.length === sent.length) port.close();
});
port.on("close", () => {
  rest();
  console.log(`${path}: ${received}`);
});
port.write(sent);

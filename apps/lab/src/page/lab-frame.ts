// In a frame of a lab without a server: starts the worker that reads C++ source, and hands messages on, both ways.

import { keptText, workerOf } from "./kept-files.ts";

addEventListener(
  "message",
  ({ ports: [port] }: MessageEvent) => {
    const text = keptText("source-worker.js");
    const failed = (error: string): void => port.postMessage({ error });
    try {
      if (text === null) throw new Error("the reader of source does not lie beside this page");
      const worker = workerOf(text, (url) => url);
      worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => port.postMessage({ data }));
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        failed(event.message);
      });
      port.onmessage = ({ data }: MessageEvent<unknown>) => worker.postMessage(data);
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  },
  { once: true },
);

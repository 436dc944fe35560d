// Asks for a page over some connections at once, for some seconds; answers how many came and when their first byte did.

import { Agent, get } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { url, connections, seconds } = workerData as { url: string; connections: number; seconds: number };
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const firstBytes: number[] = [];
const target = new URL(url);

/** One page, whole; its address may have moved to newer words. */
function page(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    get({ host: "127.0.0.1", port: target.port, path, agent, headers: { host: target.host } }, (response) => {
      const { location } = response.headers;
      response.once("data", () => firstBytes.push(performance.now() - begun));
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 301 && location !== undefined) {
          moved = location;
          resolve();
        } else if (response.statusCode === 200) resolve();
        else reject(new Error(`${path}: ${response.statusCode}`));
      });
    }).once("error", reject);
  });
}

let moved = target.pathname;
await page(moved);
for (let warm = 0; warm < 50; warm++) await page(moved);
firstBytes.length = 0;
const begun = performance.now();
await Promise.all(
  Array.from({ length: connections }, async () => {
    while (performance.now() - begun < seconds * 1000) await page(moved);
  }),
);
const took = (performance.now() - begun) / 1000;
firstBytes.sort((left, right) => left - right);
parentPort?.postMessage({
  perSecond: firstBytes.length / took,
  firstByteP95Ms: firstBytes[Math.floor(firstBytes.length * 0.95)],
});
agent.destroy();

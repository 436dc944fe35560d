// The first script of a lab without a server: workers, lists and WebAssembly come from scripts beside the page.

import { keptText, workerOf } from "./kept-files.ts";
import type { KeptLab, PageWorker } from "./kept-lab.ts";

interface Policy {
  createScriptURL(url: string): string;
}

const source =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;
const folder = new URL("kept/", source).href;
/** The one that compiles WebAssembly, which this page's policy has no word for: it stands in a frame with its own. */
const framed = "source-worker.js";

const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } })
  .trustedTypes;
const policy = factory?.createPolicy("drydock-kept", {
  createScriptURL: (url) => {
    if (!url.startsWith(folder) && !url.startsWith("blob:")) throw new TypeError("no script of ours");
    return url;
  },
});
const trust = (url: string): string => policy?.createScriptURL(url) ?? url;

const coming = new Map<string, Promise<string>>();

function textOf(name: string): Promise<string> {
  const known = coming.get(name);
  if (known !== undefined) return known;
  const text = new Promise<string>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = trust(new URL(`${name}.js`, folder).href);
    const failed = () => {
      coming.delete(name);
      reject(new Error(`${name} does not lie beside this page: export the lab again`));
    };
    script.onload = () => {
      const left = keptText(name);
      if (left === null) failed();
      else resolve(left);
    };
    script.onerror = failed;
    document.head.append(script);
  });
  coming.set(name, text);
  return text;
}

/** A worker that is on its way: what it is told waits for it. */
class LateWorker extends EventTarget {
  #waiting: unknown[] | null = [];
  #post: (message: unknown) => void = () => {};
  #end: () => void = () => {};
  #isOver = false;

  /** `end` ends what was begun; called at once when it is not wanted any more. */
  use(post: (message: unknown) => void, end: () => void): void {
    if (this.#isOver) {
      end();
      return;
    }
    this.#post = post;
    this.#end = end;
    for (const message of this.#waiting ?? []) post(message);
    this.#waiting = null;
  }

  postMessage(message: unknown): void {
    if (this.#waiting === null) this.#post(message);
    else this.#waiting.push(message);
  }

  terminate(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#end();
  }

  tell(data: unknown): void {
    if (!this.#isOver) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  fail(message: string): void {
    if (!this.#isOver) this.dispatchEvent(new ErrorEvent("error", { message, cancelable: true }));
  }
}

const noWorker =
  "this browser starts no worker from a file: type npx drydock start, or give the folder to any web server";

function startHere(late: LateWorker, text: string): void {
  let worker: Worker;
  try {
    worker = workerOf(text, trust);
  } catch {
    late.fail(noWorker);
    return;
  }
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => late.tell(data));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    late.fail(event.message || noWorker);
  });
  late.use(
    (message) => worker.postMessage(message),
    () => worker.terminate(),
  );
}

/** In a frame of its own, whose policy lets it compile what this page hands in. */
function startFramed(late: LateWorker): void {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "Reader of source";
  frame.src = new URL("source.html", folder).href;
  frame.addEventListener("load", () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<{ data: unknown } | { error: string }>) => {
      if ("error" in data) late.fail(data.error || noWorker);
      else late.tell(data.data);
    };
    frame.contentWindow?.postMessage("start", "*", [port2]);
    late.use(
      (message) => port1.postMessage(message),
      () => frame.remove(),
    );
  });
  document.body.append(frame);
}

const kept: KeptLab = {
  startWorker: (name) => {
    const late = new LateWorker();
    if (name === framed) startFramed(late);
    else
      textOf(name).then(
        (text) => startHere(late, text),
        (error: Error) => late.fail(error.message),
      );
    return late as unknown as PageWorker;
  },
  json: async (name) => JSON.parse(await textOf(name)),
  bytes: async (name) => Uint8Array.from(atob(await textOf(name)), (letter) => letter.charCodeAt(0)),
};

Object.assign(globalThis, { drydockKept: kept });

// What a page does when script runs: tells that it was seen, and plays its case. Everything else works without.

import type { RunAnswer, RunAsk } from "@drydock/lab/page/case-run";
import { domOf } from "@drydock/lab/page/dom-of";
import { staticLink } from "@drydock/lab/page/kept-lab";

interface Policy {
  createScriptURL(url: string): string;
}

const source =
  document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : location.href;
const workerUrl = new URL("case-worker.js", source).href;
/** In a published copy: the way from this page to its root. */
const root = document.documentElement.dataset.root ?? null;

const factory = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } })
  .trustedTypes;
const policy = factory?.createPolicy("drydock", {
  createScriptURL: (url) => {
    if (url !== workerUrl) throw new TypeError("no script of ours");
    return url;
  },
});
const trustedWorkerUrl = policy?.createScriptURL(workerUrl) ?? workerUrl;

const seenMs = 2000;

/** Once the page was visible for two seconds in all. */
function tellView(post: string): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    document.removeEventListener("visibilitychange", change);
    void fetch("/v", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ post }),
      keepalive: true,
    }).catch(() => {});
  };
  const change = () => {
    if (timer !== undefined) clearTimeout(timer);
    timer = document.visibilityState === "visible" ? setTimeout(tell, seenMs) : undefined;
  };
  document.addEventListener("visibilitychange", change);
  change();
}

let worker: Worker | null = null;

function inWorker(ask: RunAsk): Promise<RunAnswer> {
  worker ??= new Worker(trustedWorkerUrl);
  const current = worker;
  return new Promise((resolve, reject) => {
    current.onmessage = (event: MessageEvent<RunAnswer>) => resolve(event.data);
    current.onerror = (event) => {
      worker = null;
      event.preventDefault();
      reject(new Error(event.message ?? "the worker did not start"));
    };
    current.postMessage(ask);
  });
}

type InPage = (ask: RunAsk) => Promise<RunAnswer>;

async function inPage(ask: RunAsk): Promise<RunAnswer> {
  const holder = globalThis as { drydockRunCase?: InPage };
  if (holder.drydockRunCase === undefined)
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = trustedWorkerUrl;
      script.onload = resolve;
      script.onerror = () => reject(new Error("the case's script could not be loaded"));
      document.head.append(script);
    });
  if (holder.drydockRunCase === undefined) throw new Error("the case's script is not what it should be");
  return await holder.drydockRunCase(ask);
}

async function run(ask: RunAsk): Promise<RunAnswer> {
  if (location.protocol === "file:") return await inPage(ask);
  return await inWorker(ask);
}

function seedOf(box: HTMLElement): number {
  const text = box.querySelector<HTMLInputElement>('input[name="seed"]')?.value.trim() ?? "1";
  if (!/^\d{1,9}$/.test(text)) throw new RangeError("A seed is a whole number from 0 to 999999999.");
  return Number(text);
}

async function play(box: HTMLElement, side: RunAsk["side"], step: number | null): Promise<void> {
  const result = box.querySelector<HTMLElement>(".result");
  if (result === null) return;
  box.classList.add("running");
  result.setAttribute("aria-busy", "true");
  try {
    const answer = await run({ id: box.dataset.case ?? "", seed: seedOf(box), side, step });
    if ("error" in answer) throw new Error(answer.error);
    const made = domOf(answer.html, document);
    if (root !== null)
      for (const link of made.querySelectorAll("a"))
        link.setAttribute("href", staticLink(root, link.getAttribute("href") ?? "/"));
    result.replaceChildren(made);
    box.dataset.digests = answer.digests.join(" ");
  } catch (error) {
    const line = document.createElement("p");
    line.className = "error";
    line.textContent = error instanceof Error ? error.message : String(error);
    result.replaceChildren(line);
  } finally {
    box.classList.remove("running");
    result.removeAttribute("aria-busy");
  }
}

const viewed = document.body.dataset.viewOf;
if (viewed !== undefined) tellView(viewed);

for (const box of document.querySelectorAll<HTMLElement>("[data-case]")) {
  for (const control of box.querySelectorAll<HTMLElement>("[data-run]"))
    control.addEventListener("click", (event) => {
      event.preventDefault();
      void play(box, null, null);
    });
  const asked = new URLSearchParams(location.search);
  if (root !== null && asked.has("seed")) {
    const input = box.querySelector<HTMLInputElement>('input[name="seed"]');
    if (input !== null) input.value = asked.get("seed") ?? "1";
    const side = asked.get("side");
    const step = asked.get("step");
    void play(
      box,
      side === "bad" || side === "good" ? side : null,
      /^\d{1,9}$/.test(step ?? "") ? Number(step) : null,
    );
  }
}

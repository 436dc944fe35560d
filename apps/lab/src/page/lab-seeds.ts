// Which seed fails, from the page: workers share the seeds, the first that fails is shrunk, and what is left is a link.

import { parseAct, wholeOf } from "../session/acts.ts";
import type { DoneAct } from "../session/done-act.ts";
import type { FromSession, SeedShare, SessionState } from "../session/messages.ts";
import { isServerName } from "../session/opened-names.ts";
import type { SearchSeeds, SeedHost } from "./seed-door.ts";
import { workerNames, workerOf } from "./worker-port.ts";

const mostSeeds = 1000;
/** Each holds a whole rig, or the casebook. */
const mostWorkers = 4;

/** What was done by hand, each at its time: the same on every seed. */
function doneOf({ script }: SessionState): DoneAct[] {
  let timeNs = 0;
  return script.flatMap((line) => {
    const { name, value } = parseAct(line);
    if (name !== "run-to") return [{ name: name as DoneAct["name"], value, timeNs, steps: 0 }];
    timeNs = Math.round(Number(value.split("@")[0]) * 1e9);
    return [];
  });
}

const element = <Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  parent: Element,
  text = "",
): HTMLElementTagNameMap[Name] => {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
};

const searchSeeds: SearchSeeds = (host, value) => {
  const { page } = host;
  const state = page.link.state.peek();
  if (state === null) return;
  // A rig of the server searches there.
  if (isServerName(state.opening.what)) {
    page.link.act("which-seed", value);
    return;
  }
  try {
    new Search(host, state, wholeOf(value === "" ? "20" : value, "count", 1, mostSeeds)).begin();
  } catch (error) {
    page.link.say(error instanceof Error ? error.message : String(error), true);
  }
};

class Search {
  readonly #host: SeedHost;
  readonly #state: SessionState;
  readonly #count: number;
  readonly #dialog = document.createElement("dialog");
  readonly #says: HTMLParagraphElement;
  readonly #bar: HTMLProgressElement;
  readonly #button: HTMLButtonElement;
  /** By worker: the seed that it is at; past `count` when it is through. */
  readonly #at: number[] = [];
  readonly #ends: (() => void)[] = [];
  #tried = 0;
  /** The lowest seed that fails; infinite: none yet. */
  #failing = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(host: SeedHost, state: SessionState, count: number) {
    this.#host = host;
    this.#state = state;
    this.#count = count;
    const dialog = this.#dialog;
    dialog.className = "seed-search";
    dialog.setAttribute("aria-label", "Which seed fails");
    element("h2", dialog, "Which seed fails?");
    this.#says = element("p", dialog, "The workers start …");
    this.#says.setAttribute("role", "status");
    this.#bar = element("progress", dialog);
    this.#bar.max = count;
    this.#bar.value = 0;
    this.#bar.setAttribute("aria-label", "Seeds that were tried");
    this.#button = element("button", element("p", dialog), "Stop");
    this.#button.className = "act";
    this.#button.addEventListener("click", () => dialog.close());
    // Keys of the page are not meant while it is open; Esc closes it.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", () => {
      if (!this.#isOver) host.page.link.say(`Stopped after ${this.#tried} of ${count} seeds.`);
      this.#end();
      dialog.remove();
    });
  }

  begin(): void {
    const { opening, timeNs } = this.#state;
    const workers = Math.min(mostWorkers, Math.max(1, navigator.hardwareConcurrency || 2), this.#count);
    const acts = this.#state.isCase ? [] : doneOf(this.#state);
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    for (let index = 0; index < workers; index++) {
      const worker = this.#host.startWorker(workerNames[workerOf(opening.what)]);
      this.#at.push(index + 1);
      this.#ends.push(() => worker.terminate());
      worker.addEventListener("message", (event) =>
        this.#heard(index, (event as MessageEvent<FromSession>).data),
      );
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        this.#broken((event as ErrorEvent).message || "a worker did not start");
      });
      const share: SeedShare = { opening, acts, timeNs, first: index + 1, step: workers, count: this.#count };
      worker.postMessage({ kind: "search", share });
    }
  }

  #heard(index: number, message: FromSession): void {
    if (this.#isOver) return;
    if (message.kind === "said" && message.isRefusal) this.#broken(message.text);
    if (message.kind !== "searched") return;
    const { seed, why } = message;
    this.#tried++;
    this.#at[index] = seed + this.#at.length;
    if (why !== "") {
      this.#failing = Math.min(this.#failing, seed);
      this.#at[index] = Number.POSITIVE_INFINITY;
    }
    this.#bar.value = this.#tried;
    const found =
      this.#failing === Number.POSITIVE_INFINITY ? "none fails so far" : `seed ${this.#failing} fails`;
    const workers = this.#at.length === 1 ? "one worker" : `${this.#at.length} workers`;
    this.#says.textContent = `${this.#tried} of ${this.#count} seeds tried by ${workers}: ${found}.`;
    // A seed below the one that fails may fail, too.
    if (this.#at.some((at) => at <= Math.min(this.#count, this.#failing))) return;
    this.#end();
    if (this.#failing === Number.POSITIVE_INFINITY)
      this.#finish(`None of ${this.#count} ${this.#count === 1 ? "seed" : "seeds"} fails.`);
    else this.#shrink(this.#failing);
  }

  /** The page's own session plays the failing seed and leaves out what it fails without. */
  #shrink(seed: number): void {
    const { page } = this.#host;
    this.#says.textContent = `Seed ${seed} fails: what does it need to fail?`;
    this.#bar.removeAttribute("value");
    const before = page.link.said.peek().number;
    const stop = page.link.said.subscribe(({ number, text }) => {
      if (number === before || !/^(?:Seed|None|Stopped)/.test(text)) return;
      // Later: who hears of a signal must not change it.
      queueMicrotask(() => {
        stop();
        if (!this.#isOver) this.#finish(text, true);
      });
    });
    page.link.act("which-seed", `${seed}-${seed}`);
  }

  #finish(text: string, isFound = false): void {
    const { page } = this.#host;
    this.#isOver = true;
    this.#says.textContent = text;
    this.#bar.remove();
    this.#button.textContent = "Close";
    this.#button.focus();
    if (!isFound) page.link.say(text);
    if (isFound) this.#offerLink();
  }

  /** The state that holds what is left comes behind the words. */
  #offerLink(): void {
    const { page } = this.#host;
    const place = element("p", this.#dialog);
    this.#button.before(place);
    const stop = page.link.state.subscribe((state) => {
      if (state === null || state.mode === "busy" || place.childElementCount > 0) return;
      queueMicrotask(() => {
        stop();
        if (place.childElementCount > 0) return;
        const { faults, seed } = state.opening;
        page.show({ faults, seed, acts: state.script, timeS: null });
        const link = element("a", place, "What is left, as a link");
        link.href = location.hash;
        link.target = "_blank";
        link.rel = "noreferrer";
      });
    });
  }

  #broken(text: string): void {
    this.#end();
    this.#finish(`The search broke off: ${text}`);
  }

  #end(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

Object.assign(globalThis, { drydockSeeds: searchSeeds });

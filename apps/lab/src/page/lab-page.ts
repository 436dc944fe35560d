// The lab's page: what is looked at as signals, and what changes it. Screens draw it, keys and buttons act on it.

import { computed, effect, signal } from "@preact/signals";
import { parseAct } from "../session/acts.ts";
import type { RowDetail } from "../session/messages.ts";
import { isCase, isEnded } from "../session/opened-names.ts";
import {
  type Address,
  firstAddress,
  formatAddress,
  openingOf,
  parseAddress,
  type Screen,
  wishOf,
} from "./address.ts";
import type { DrawScreen } from "./later-screen.ts";
import type { SessionLink } from "./session-link.ts";

/** A rate is over so long a while, at least so long, milliseconds. */
const rateMs = 1000;
const leastMs = 100;

export class LabPage {
  readonly link: SessionLink;
  readonly address = signal<Address>(firstAddress);
  readonly screen = computed<Screen>(() => this.address.value.screen);
  readonly detail = signal<RowDetail | null>(null);
  /** Sequences of the folded run whose first row is chosen. */
  readonly folded = signal<{ readonly from: number; readonly to: number } | null>(null);
  readonly box = signal<string>("");
  readonly dialog = signal<"" | "palette" | "keys">("");
  /** Transfers a second of real time, over the last second. */
  readonly rate = signal(0);
  /** Told when the trace should show a row. */
  onReveal: ((sequence: number) => void) | null = null;
  /** Where many workers look for a seed. */
  searchSeeds: ((count: string) => void) | null = null;
  /** Where what comes later is drawn. */
  loadScreens: () => Promise<DrawScreen> = () => Promise.reject(new Error("nothing comes later here"));
  #opened = "";
  /** The address that was followed or written last. */
  #at = "";
  #rates: { readonly at: number; readonly transfers: number }[] = [];
  #wantsConsole = false;
  #place: number | null = null;

  constructor(link: SessionLink) {
    this.link = link;
    this.follow(location.hash);
    addEventListener("hashchange", () => this.follow(location.hash));
    effect(() => {
      const state = link.state.value;
      if (state === null) return;
      const now = performance.now();
      this.#rates = [
        ...this.#rates.filter(({ at }) => now - at < rateMs),
        { at: now, transfers: state.transfers },
      ];
      const first = this.#rates[0];
      const ms = now - first.at;
      // States come in bursts when the machine is busy: too short a while says nothing new.
      if (state.mode !== "running") this.rate.value = 0;
      else if (ms >= leastMs)
        this.rate.value = Math.max(0, Math.round(((state.transfers - first.transfers) * 1000) / ms));
      // A port that is open is asked for all the time: something moves, and can be typed to.
      if (
        this.#wantsConsole &&
        state.mode === "running" &&
        state.timeNs > 3e8 &&
        state.acts.includes("open-console")
      ) {
        this.#wantsConsole = false;
        link.act("open-console");
      }
      const { opening } = state;
      const { address } = this;
      const now_ = address.peek();
      if (
        now_.seed !== opening.seed ||
        now_.side !== opening.side ||
        now_.faults.join() !== opening.faults.join() ||
        now_.unplugAt !== (opening.unplugAt ?? 0)
      ) {
        const { faults, seed, side, unplugAt = 0 } = opening;
        this.show({ seed, side, faults, unplugAt, acts: [] });
      }
    });
  }

  /** Goes where an address says: opens what it names, unless that is open. */
  follow(hash: string): void {
    this.#at = hash;
    const address = parseAddress(hash);
    const before = this.address.peek();
    this.address.value = address;
    const key = keyOf(address);
    if (key !== this.#opened) {
      this.#opened = key;
      this.detail.value = null;
      this.folded.value = null;
      this.#rates = [];
      const opening = openingOf(address);
      this.#wantsConsole = opening.isRunning;
      this.link.open(opening);
      if (!isEnded(address.what))
        for (const line of address.acts)
          try {
            const { name, value } = parseAct(line);
            this.link.act(name, value);
          } catch (error) {
            this.link.say(String(error), true);
          }
      if (address.timeS !== null && !isEnded(address.what)) this.link.act("run-to", String(address.timeS));
    }
    const isListed = JSON.stringify(wishOf(address)) === JSON.stringify(wishOf(before));
    if (!isListed || key !== keyOf(before)) this.link.list(wishOf(address));
    if (address.row > 0) void this.choose(address.row);
  }

  /** Changes the address without opening anything anew that is open. */
  show(change: Partial<Address>): void {
    // Somebody has gone elsewhere, and the browser is about to say so: an answer of before does not call them back.
    if (location.hash !== this.#at) return;
    const address = { ...this.address.peek(), ...change };
    this.address.value = address;
    this.#opened = keyOf(address);
    const hash = formatAddress(address);
    if (hash === this.#at) return;
    history.replaceState(null, "", hash);
    this.#at = location.hash;
  }

  /** A link that the browser follows itself, so that "back" comes back. */
  go(change: Partial<Address>): void {
    location.hash = formatAddress({ ...this.address.peek(), ...change });
  }

  async choose(sequence: number, reveals = true): Promise<void> {
    if (reveals) this.folded.value = null;
    const detail = await this.link.row(sequence);
    this.detail.value = detail;
    if (detail === null) return;
    this.show({ row: sequence });
    if (reveals) this.onReveal?.(sequence);
  }

  act(name: string, value = ""): void {
    if (name === "unplug-here" && value === "" && this.address.peek().row > 0)
      value = String(this.address.peek().row);
    // What the address said was done is not all any more.
    if (this.address.peek().acts.length > 0) this.show({ acts: [] });
    if (name === "which-seed" && this.searchSeeds !== null) {
      this.searchSeeds(value);
      return;
    }
    this.link.act(name, value);
    if (name === "step" || name === "back") this.#place = 0;
  }

  /** After a step the newest row is chosen: the trace follows what time does. */
  afterStep(newest: number): void {
    if (this.#place === null) return;
    this.#place = null;
    if (newest > 0) void this.choose(newest);
  }

  /** Other rows are listed; the address says which. */
  list(change: Partial<Pick<Address, "filter" | "level" | "isFolded" | "isMarked">>): void {
    this.show(change);
    this.link.list(wishOf(this.address.peek()));
  }

  /** To the next hit of the filter, or the one before; without a filter, to a row in which two runs differ. */
  async toHit(isBack: boolean): Promise<void> {
    const state = this.link.state.peek();
    if (state === null) return;
    if (state.wish.text === "" && state.difference === null)
      return this.link.say("Type a filter, or compare with another seed.", true);
    const sequence = await this.link.hit(this.address.peek().row, isBack);
    if (sequence > 0) return await this.choose(sequence);
    const what = state.wish.text === "" ? "differing row" : "hit";
    this.link.say(isBack ? `No ${what} before this row.` : `No ${what} behind this row.`);
  }

  /** Nothing is selected any more. */
  close(): void {
    this.box.value = "";
    this.detail.value = null;
    this.folded.value = null;
    if (this.address.peek().row > 0) this.show({ row: 0 });
  }

  addressOf(change: Partial<Address>): string {
    return formatAddress({ ...this.address.value, ...change });
  }
}

const keyOf = ({ acts, faults, seed, side, timeS, unplugAt, what }: Address): string =>
  [what, isCase(what) ? `${side} ${unplugAt}` : "", seed, timeS ?? "", ...faults, ...acts].join(" ");

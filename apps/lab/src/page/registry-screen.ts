// The registry: a tree that lives, properties, why matched and why not; dumps, and two of them compared.

import { effect, signal } from "@preact/signals";
import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type EntryView, liveName, type TreeView } from "../session/registry-book.ts";
import type { MatchLine } from "../session/views.ts";
import type { EvidenceDesk } from "./desk-messages.ts";
import { bytesOf, DropPlace } from "./drop-place.ts";
import type { LabPage } from "./lab-page.ts";
import { TreePool } from "./tree-pool.ts";

/** A rig that lives is looked at so often, milliseconds. */
const lookEveryMs = 400;

interface Looked {
  /** The names of what can be shown. */
  readonly names: readonly string[];
  readonly what: string;
  /** What it is compared with; empty: nothing. */
  readonly before: string;
  readonly words: string;
  readonly onlyDifferences: boolean;
}

/** Stays while other screens are looked at. */
const looked = signal<Looked>({
  names: [],
  what: liveName,
  before: "",
  words: "",
  onlyDifferences: true,
});
const tree = signal<TreeView | null>(null);
const entry = signal<EntryView | null>(null);
const found = signal(-1);
const trouble = signal("");
const isLive = signal(false);

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function RegistryScreen({ desk, page }: { readonly desk: EvidenceDesk; readonly page: LabPage }) {
  const place = useRef<HTMLDivElement>(null);
  const pool = useRef<TreePool | null>(null);
  const shownKey = useRef("");

  /** Asks for what is chosen and hands it to the tree. */
  const show = async (isSame: boolean): Promise<void> => {
    const { before, onlyDifferences, what, words } = looked.peek();
    if (what === liveName && !isLive.peek()) return;
    try {
      const view = await desk.show(what, before === "" ? null : before);
      tree.value = view;
      pool.current?.set(view.lines, isSame);
      trouble.value = "";
      await search(words, onlyDifferences && before !== "", isSame);
      if (isSame && entry.peek() !== null) entry.value = await desk.entry(pool.current?.selected ?? 0);
    } catch (error) {
      trouble.value = wordsOf(error);
    }
  };
  const search = async (words: string, onlyDifferences: boolean, isSame: boolean): Promise<void> => {
    const lines = tree.peek()?.lines ?? [];
    if (words === "" && !onlyDifferences) {
      if (found.peek() >= 0) pool.current?.find(null);
      found.value = -1;
      return;
    }
    let hits = words === "" ? lines.map((_line, index) => index) : await desk.find(words);
    if (onlyDifferences) hits = hits.filter((index) => lines[index]?.mark !== "");
    found.value = hits.length;
    if (!isSame || words !== "") pool.current?.find(hits);
  };
  const choose = (change: Partial<Looked>): void => {
    looked.value = { ...looked.peek(), ...change };
    entry.value = null;
    void show(false);
  };
  const take = async (files: readonly File[]): Promise<void> => {
    const names: string[] = [];
    for (const file of files) {
      page.link.say(`Reading ${file.name} …`);
      try {
        const { entries, problems } = await desk.dump(file.name, await bytesOf(file));
        names.push(file.name);
        page.link.say([`${file.name}: ${entries.toLocaleString("en")} entries.`, ...problems].join(" "));
      } catch (error) {
        page.link.say(wordsOf(error), true);
      }
    }
    if (names.length === 0) return;
    const all = [...new Set([...looked.peek().names, ...names])];
    // The second of two dumps is shown against the first.
    const [first, second] = names.length > 1 ? names : [looked.peek().what, names[0]];
    const isPair = names.length > 1 || (first !== liveName && first !== second);
    choose({ names: all, what: isPair ? second : names[0], before: isPair ? first : "", words: "" });
  };

  useEffect(() => {
    if (place.current === null) return;
    pool.current = new TreePool(place.current, {
      onSelect: (index) => void desk.entry(index).then((view) => (entry.value = view)),
    });
    let isAsking = false;
    const look = async (): Promise<void> => {
      const state = page.link.state.peek();
      if (isAsking || state === null) return;
      // What stands is looked at once.
      const key = `${state.opened} ${state.opening.what} ${state.opening.seed} ${state.timeNs}`;
      if (key === shownKey.current) return;
      isAsking = true;
      const view = await page.link.view({ name: "registry" });
      isAsking = false;
      shownKey.current = key;
      if (view?.name === "registry") {
        const isFirst = !isLive.peek();
        await desk.live(view);
        isLive.value = true;
        if (looked.peek().what === liveName || looked.peek().before === liveName) await show(!isFirst);
      } else if (view?.name === "none") {
        isLive.value = false;
        if (looked.peek().what === liveName) {
          tree.value = null;
          trouble.value = view.why;
          pool.current?.set([], false);
        }
      }
    };
    void look();
    void show(false);
    const timer = setInterval(() => void look(), lookEveryMs);
    const end = effect(() => {
      if (page.link.state.value !== null) void look();
    });
    return () => {
      clearInterval(timer);
      end();
    };
  }, []);

  const { before, names, onlyDifferences, what, words } = looked.value;
  const sources = [...(isLive.value ? [liveName] : []), ...names];
  const counts = tree.value?.counts ?? null;
  const label = (name: string): string =>
    name === liveName ? `the rig ${page.link.state.value?.opening.what ?? ""}` : name;
  return h(
    "section",
    { class: "registry" },
    h(
      "div",
      { class: "headline" },
      h("h1", null, "Registry"),
      h(DropPlace, { page, onFiles: take, label: "Drop ioreg files here, or", multiple: true }),
    ),
    h(
      "form",
      { class: "filter", onSubmit: (event: Event) => event.preventDefault() },
      h("label", { for: "entry-search" }, "Search"),
      h("input", {
        id: "entry-search",
        type: "search",
        value: words,
        placeholder: "name, class, key, value, 0403:6001",
        spellcheck: false,
        onInput: (event: Event) => {
          const text = (event.target as HTMLInputElement).value;
          looked.value = { ...looked.peek(), words: text };
          void search(text, onlyDifferences && before !== "", false);
        },
      }),
      h(
        "label",
        null,
        "Show ",
        h(
          "select",
          {
            name: "what",
            value: what,
            onChange: (event: Event) => choose({ what: (event.target as HTMLSelectElement).value }),
          },
          sources.map((name) => h("option", { value: name, key: name }, label(name))),
        ),
      ),
      h(
        "label",
        null,
        "against ",
        h(
          "select",
          {
            name: "before",
            value: before,
            onChange: (event: Event) => choose({ before: (event.target as HTMLSelectElement).value }),
          },
          h("option", { value: "" }, "nothing"),
          sources
            .filter((name) => name !== what)
            .map((name) => h("option", { value: name, key: name }, label(name))),
        ),
      ),
      before === ""
        ? null
        : h(
            "label",
            { class: "check" },
            h("input", {
              type: "checkbox",
              name: "differences",
              checked: onlyDifferences,
              onChange: (event: Event) =>
                choose({ onlyDifferences: (event.target as HTMLInputElement).checked }),
            }),
            " Only differences",
          ),
      h(
        "p",
        { class: "soft", id: "registry-says", role: "status" },
        trouble.value !== ""
          ? trouble.value
          : counts !== null
            ? `${counts.appeared} appeared, ${counts.left} left, ${counts.changed} changed, ${counts.same} the same`
            : `${(tree.value?.lines.length ?? 0).toLocaleString("en")} entries${found.value < 0 ? "" : `, ${found.value.toLocaleString("en")} found`}`,
      ),
    ),
    h(
      "div",
      { class: "two" },
      h("div", {
        class: "tree",
        role: "tree",
        tabIndex: 0,
        "aria-label": "Registry entries",
        ref: place,
      }),
      h(EntryPart, {}),
    ),
  );
}

function EntryPart() {
  const view = entry.value;
  if (view === null)
    return h(
      "aside",
      { class: "entry-part", "aria-label": "The chosen entry" },
      h("p", { class: "soft" }, "Choose an entry: its properties are here, and why a driver took it."),
    );
  return h(
    "aside",
    { class: "entry-part", "aria-label": "The chosen entry", tabIndex: 0 },
    h("h2", null, view.path.split("/").at(-1)),
    h("p", { class: "soft" }, view.path),
    h("p", null, view.states),
    view.judged.length === 0
      ? null
      : [
          h("h3", null, "Why matched, and why not"),
          h("ul", { class: "judged" }, view.judged.map(judgedLine)),
        ],
    h("h3", null, `Properties (${view.rows.length})`),
    h(
      "table",
      { class: "fields" },
      h("caption", null, "Properties"),
      h(
        "tbody",
        null,
        view.rows.map(({ before, key, value }) =>
          h(
            "tr",
            { class: before === undefined ? "" : "differs" },
            h("th", { scope: "row" }, key),
            h(
              "td",
              null,
              value,
              before === undefined
                ? null
                : h("span", { class: "before" }, before === null ? " (was not there)" : ` (was ${before})`),
            ),
          ),
        ),
      ),
    ),
  );
}

function judgedLine({ bundle, decidedBy, matches, outcome, personality, reason, score }: MatchLine) {
  const isStarted = outcome === "started";
  return h(
    "li",
    { class: isStarted ? "good" : matches ? "" : "bad" },
    h("b", null, personality),
    ` of ${bundle}: `,
    h("span", { class: "chip" }, matches ? `matches, score ${score}` : "does not match"),
    ` ${outcome === reason ? reason : `${outcome}. ${reason}`}`,
    decidedBy === "" ? null : h("div", { class: "soft" }, `Decided by ${decidedBy}`),
  );
}

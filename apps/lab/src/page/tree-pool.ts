// A tree of any size: some forty row elements over its open lines; keys and mouse as a tree of a desktop has them.

import type { TreeLine } from "../session/registry-book.ts";
import { rowHeight, ScaledScroll } from "./row-pool.ts";

const spareRows = 8;
const typeAheadMs = 1000;

export interface TreeTaker {
  /** A line was chosen, by its place among all lines. */
  onSelect(index: number): void;
}

const markWords = { "": "", new: "new", gone: "gone", changed: "changed" } as const;

export class TreePool {
  readonly scroll = new ScaledScroll();
  readonly #tree: HTMLElement;
  readonly #layer: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #taker: TreeTaker;
  #lines: readonly TreeLine[] = [];
  /** Places of lines that are seen: those below a folded one are not. */
  #open: number[] = [];
  readonly #folded = new Set<number>();
  #hits: ReadonlySet<number> | null = null;
  #selected = 0;
  #frame = 0;
  #typed = { text: "", at: 0 };

  constructor(tree: HTMLElement, taker: TreeTaker) {
    this.#tree = tree;
    this.#taker = taker;
    this.#layer = document.createElement("div");
    this.#layer.className = "rows";
    this.#layer.setAttribute("role", "presentation");
    this.#spacer = document.createElement("div");
    this.#spacer.className = "spacer";
    tree.append(this.#layer, this.#spacer);
    tree.addEventListener("scroll", () => {
      this.scroll.scrolled(tree.scrollTop);
      this.#draw();
    });
    tree.addEventListener("keydown", (event) => this.#key(event));
    tree.addEventListener("click", (event) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>("[data-place]");
      if (row === null) return;
      const place = Number(row.dataset.place);
      if ((event.target as HTMLElement).classList.contains("fold")) this.#fold(place);
      else this.#select(place);
    });
    new ResizeObserver(() => {
      this.scroll.viewHeight = tree.clientHeight;
      this.#draw();
    }).observe(tree);
  }

  /** The place among all lines of the one that is chosen. */
  get selected(): number {
    return this.#open[this.#selected] ?? 0;
  }

  /** Other lines. `isSame`: of the same tree as before, a moment later: what is folded stays folded. */
  set(lines: readonly TreeLine[], isSame: boolean): void {
    const chosen = this.selected;
    if (!isSame) {
      this.#folded.clear();
      this.#hits = null;
    }
    this.#lines = lines;
    this.#list();
    this.#selected = isSame ? Math.max(0, this.#open.indexOf(chosen)) : 0;
    this.#draw();
  }

  /** Only these lines are listed; null: every line. */
  find(hits: readonly number[] | null): void {
    this.#hits = hits === null ? null : new Set(hits);
    this.#list();
    this.#selected = 0;
    this.scroll.moveTo(0);
    this.#draw();
  }

  /** Brings a line of all lines into sight and chooses it. */
  reveal(index: number): void {
    if (this.#open.indexOf(index) < 0) {
      this.#folded.clear();
      this.#list();
    }
    const place = this.#open.indexOf(index);
    if (place >= 0) this.#select(place);
  }

  #list(): void {
    const open: number[] = [];
    let foldedAt = Number.POSITIVE_INFINITY;
    this.#lines.forEach((line, index) => {
      if (this.#hits !== null) {
        if (this.#hits.has(index)) open.push(index);
        return;
      }
      if (line.depth > foldedAt) return;
      foldedAt = this.#folded.has(index) ? line.depth : Number.POSITIVE_INFINITY;
      open.push(index);
    });
    this.#open = open;
    this.scroll.count = open.length;
    this.#spacer.style.height = `${this.scroll.height}px`;
    this.scroll.moveTo(this.scroll.top);
    this.#tree.dataset.lines = String(open.length);
  }

  #fold(place: number): void {
    const index = this.#open[place];
    if (index === undefined || !this.#lines[index].hasChildren || this.#hits !== null) return;
    if (!this.#folded.delete(index)) this.#folded.add(index);
    this.#list();
    this.#draw();
  }

  #select(place: number): void {
    if (this.#open.length === 0) return;
    this.#selected = Math.max(0, Math.min(this.#open.length - 1, place));
    this.scroll.reveal(this.#selected);
    this.#tree.scrollTop = this.scroll.scrollTop;
    this.#draw();
    this.#taker.onSelect(this.selected);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const line = this.#lines[this.selected];
    const page = Math.max(1, Math.floor(this.scroll.viewHeight / rowHeight) - 1);
    const isOpen = line?.hasChildren === true && !this.#folded.has(this.selected) && this.#hits === null;
    switch (event.key) {
      case "ArrowDown":
        this.#select(this.#selected + 1);
        break;
      case "ArrowUp":
        this.#select(this.#selected - 1);
        break;
      case "PageDown":
        this.#select(this.#selected + page);
        break;
      case "PageUp":
        this.#select(this.#selected - page);
        break;
      case "Home":
        this.#select(0);
        break;
      case "End":
        this.#select(this.#open.length - 1);
        break;
      case "ArrowRight":
        if (isOpen) this.#select(this.#selected + 1);
        else this.#fold(this.#selected);
        break;
      case "ArrowLeft":
        if (isOpen) this.#fold(this.#selected);
        else this.#select(this.#above(this.#selected));
        break;
      default:
        if (event.key.length !== 1 || event.key === " ") return;
        this.#typeAhead(event.key.toLowerCase());
        event.stopPropagation();
    }
    event.preventDefault();
  }

  /** Of the line that this one stands on. */
  #above(place: number): number {
    const depth = this.#lines[this.#open[place]]?.depth ?? 0;
    for (let at = place - 1; at >= 0; at--) if (this.#lines[this.#open[at]].depth < depth) return at;
    return place;
  }

  #typeAhead(letter: string): void {
    const now = performance.now();
    this.#typed = {
      text: now - this.#typed.at < typeAheadMs ? this.#typed.text + letter : letter,
      at: now,
    };
    const { text } = this.#typed;
    // The first letter goes on to the next of them, more letters stay where they fit.
    const from = this.#selected + (text.length === 1 ? 1 : 0);
    for (let step = 0; step < this.#open.length; step++) {
      const place = (from + step) % this.#open.length;
      if (this.#lines[this.#open[place]].name.toLowerCase().startsWith(text)) {
        this.#select(place);
        return;
      }
    }
  }

  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint(): void {
    const { count, first, top, viewHeight } = this.scroll;
    const wanted = Math.min(count - first, Math.ceil(viewHeight / rowHeight) + 1);
    while (this.#layer.childElementCount < wanted + spareRows && this.#layer.childElementCount < 200)
      this.#layer.append(newRow());
    [...this.#layer.children].forEach((child, at) => {
      const row = child as HTMLElement;
      const place = first + at;
      const index = this.#open[place];
      row.hidden = at >= wanted || index === undefined;
      if (row.hidden) return;
      const line = this.#lines[index];
      row.style.transform = `translateY(${place * rowHeight - top}px)`;
      row.style.paddingLeft = `${6 + Math.min(this.#hits === null ? line.depth : 0, 24) * 14}px`;
      row.dataset.place = String(place);
      row.id = `entry-${place}`;
      row.className = `entry${line.mark === "" ? "" : ` m-${line.mark}`}${place === this.#selected ? " selected" : ""}`;
      row.setAttribute("aria-level", String(line.depth + 1));
      row.setAttribute("aria-selected", String(place === this.#selected));
      row.setAttribute("aria-setsize", String(count));
      row.setAttribute("aria-posinset", String(place + 1));
      const isFolded = this.#folded.has(index);
      if (line.hasChildren && this.#hits === null) row.setAttribute("aria-expanded", String(!isFolded));
      else row.removeAttribute("aria-expanded");
      const [fold, name, className, note] = row.children;
      setText(fold, !line.hasChildren || this.#hits !== null ? "" : isFolded ? "▸" : "▾");
      setText(name, line.name);
      setText(className, line.className);
      setText(note, [markWords[line.mark], line.note].filter((word) => word !== "").join(": "));
    });
    if (count > 0) this.#tree.setAttribute("aria-activedescendant", `entry-${this.#selected}`);
    else this.#tree.removeAttribute("aria-activedescendant");
  }
}

function setText(element: Element, text: string): void {
  if (element.firstChild?.nodeValue !== text) element.textContent = text;
}

function newRow(): HTMLElement {
  const row = document.createElement("div");
  row.setAttribute("role", "treeitem");
  for (const name of ["fold", "name", "class", "note"]) {
    const part = document.createElement("span");
    part.className = name;
    if (name === "fold") part.setAttribute("aria-hidden", "true");
    row.append(part);
  }
  return row;
}

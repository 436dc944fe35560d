// The trace's table: some forty row elements used again and again over any number of rows, asked for as they are seen.

import type { RowCells } from "../session/messages.ts";

export const rowHeight = 22;
/** Browsers end at 33,554,428 px: above this the scrollbar stands for more rows than it has pixels. */
const tallest = 30_000_000;
const spareRows = 8;

export const columnNames = [
  "No",
  "Time",
  "Delta",
  "Kind",
  "Who",
  "What",
  "Place",
  "Length",
  "Status",
] as const;

export interface RowSource {
  rows(from: number, count: number): Promise<readonly RowCells[]>;
  /** A row was chosen, by place. */
  onSelect(cells: RowCells): void;
  /** Rows are to be copied, from the first to the last place. */
  onCopy(from: number, to: number, isLikeTshark: boolean): void;
}

/** Where a scaled scroller stands: pure, so that three million rows can be tested without a browser. */
export class ScaledScroll {
  count = 0;
  viewHeight = 0;
  /** Pixels from the first row, of all rows. */
  top = 0;

  get total(): number {
    return this.count * rowHeight;
  }

  /** Height of the element that scrolls. */
  get height(): number {
    return Math.min(this.total, tallest);
  }

  get most(): number {
    return Math.max(0, this.total - this.viewHeight);
  }

  get scale(): number {
    const shown = this.height - this.viewHeight;
    return shown <= 0 ? 1 : this.most / shown;
  }

  moveTo(top: number): void {
    this.top = Math.max(0, Math.min(this.most, top));
  }

  /** The scrollbar's own place for where we stand. */
  get scrollTop(): number {
    return this.top / this.scale;
  }

  /** The scrollbar was moved. */
  scrolled(scrollTop: number): void {
    // Our own move comes back rounded to the screen's pixels: where we stand is more exact.
    if (Math.abs(scrollTop - this.scrollTop) >= 1) this.moveTo(scrollTop * this.scale);
  }

  /** Brings a row into view, moving as little as it can. */
  reveal(place: number): void {
    const from = place * rowHeight;
    if (from < this.top) this.moveTo(from);
    else if (from + rowHeight > this.top + this.viewHeight) this.moveTo(from + rowHeight - this.viewHeight);
  }

  /** Whether a part of this row is in view. */
  shows(place: number): boolean {
    const from = place * rowHeight - this.top;
    return from > -rowHeight && from < this.viewHeight;
  }

  get first(): number {
    return Math.floor(this.top / rowHeight);
  }
}

const seconds = (ns: number): string => (ns / 1e9).toFixed(6);
const delta = (ns: number): string =>
  ns === 0
    ? "0"
    : ns < 1e6
      ? `${(ns / 1e3).toFixed(1)} µs`
      : ns < 1e9
        ? `${(ns / 1e6).toFixed(2)} ms`
        : `${(ns / 1e9).toFixed(2)} s`;

export function cellTexts(cells: RowCells): readonly string[] {
  return [
    String(cells.sequence),
    seconds(cells.timeNs),
    delta(cells.deltaNs),
    cells.kind,
    cells.who,
    cells.what,
    cells.place,
    cells.length === null ? "" : String(cells.length),
    cells.status,
  ];
}

/** As tshark prints a packet: number, time, who to where, kind, length, what. */
export const tsharkLine = (cells: RowCells): string =>
  [
    String(cells.sequence).padStart(5),
    (cells.timeNs / 1e9).toFixed(9),
    cells.who === "" ? "host" : cells.who,
    "→",
    cells.place === "" ? "-" : cells.place,
    cells.kind.toUpperCase(),
    String(cells.length ?? 0),
    `${cells.what}${cells.status === "" ? "" : ` [${cells.status}]`}`,
  ].join(" ");

export class RowPool {
  readonly scroll = new ScaledScroll();
  readonly #scroller: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #layer: HTMLElement;
  readonly #source: RowSource;
  readonly #lines: { readonly element: HTMLElement; readonly cells: HTMLElement[] }[] = [];
  #rows: readonly RowCells[] = [];
  #rowsFrom = 0;
  #selected = -1;
  /** The other end of what is selected. Rows come and go, so it is ours and not the browser's. */
  #anchor = -1;
  #selectedSequence = 0;
  #frame = 0;
  #isAsking = false;
  /** Answers to what was asked before the list was cleared are no answers. */
  #asked = 0;
  #isStale = true;
  #ownScrollTop = 0;
  isFollowing = true;

  constructor(scroller: HTMLElement, source: RowSource) {
    this.#scroller = scroller;
    this.#source = source;
    this.#layer = document.createElement("div");
    this.#layer.className = "rows";
    this.#layer.setAttribute("role", "rowgroup");
    this.#spacer = document.createElement("div");
    this.#spacer.className = "spacer";
    scroller.append(this.#layer, this.#spacer);
    scroller.addEventListener("scroll", () => {
      // Our own move, which comes back later, is nobody's wish to look elsewhere.
      if (Math.abs(scroller.scrollTop - this.#ownScrollTop) < 2) return;
      this.scroll.scrolled(scroller.scrollTop);
      this.isFollowing = this.scroll.most - this.scroll.top < rowHeight;
      this.#draw();
    });
    scroller.addEventListener(
      "wheel",
      (event) => {
        // Where the scrollbar is coarser than rows, a notch of the wheel still moves a few of them.
        if (this.scroll.scale <= 1.0001) return;
        event.preventDefault();
        this.moveTo(this.scroll.top + event.deltaY);
      },
      { passive: false },
    );
    scroller.addEventListener("keydown", (event) => this.#key(event));
    scroller.addEventListener("click", (event) => {
      const line = (event.target as HTMLElement).closest<HTMLElement>("[data-place]");
      if (line !== null) this.select(Number(line.dataset.place), event.shiftKey);
    });
    new ResizeObserver(() => {
      const isInSight = this.#selected >= 0 && this.scroll.shows(this.#selected);
      // The line of names stays above the rows and covers none of them.
      this.scroll.viewHeight = Math.max(0, scroller.clientHeight - rowHeight);
      // What was chosen stays in sight when something above takes room.
      if (isInSight) {
        this.scroll.reveal(this.#selected);
        this.#place();
      }
      this.refresh();
    }).observe(scroller);
  }

  get selectedPlace(): number {
    return this.#selected;
  }

  /** The list has so many rows now; what is seen may be other rows than before. */
  setCount(count: number, isOther = false): void {
    if (count === this.scroll.count && !isOther) return;
    this.scroll.count = count;
    this.#spacer.style.height = `${this.scroll.height}px`;
    this.#scroller.setAttribute("aria-rowcount", String(count + 1));
    // Who follows moves when the newest rows have come, not before: there would be nothing to see.
    if (!this.isFollowing) this.moveTo(this.scroll.top);
    this.refresh();
  }

  /** Other rows are coming: those that are here are no longer shown. */
  clear(): void {
    this.#rows = [];
    this.#selected = -1;
    this.#anchor = -1;
    this.#selectedSequence = 0;
    this.#scroller.removeAttribute("aria-activedescendant");
    this.#asked++;
    this.#isAsking = false;
    this.scroll.moveTo(0);
    this.scroll.count = 0;
    this.#spacer.style.height = "0px";
    this.#scroller.setAttribute("aria-rowcount", "1");
    this.refresh();
  }

  moveTo(top: number): void {
    this.scroll.moveTo(top);
    this.#place();
    this.#draw();
  }

  #place(): void {
    this.#scroller.scrollTop = this.scroll.scrollTop;
    this.#ownScrollTop = this.#scroller.scrollTop;
  }

  refresh(): void {
    this.#isStale = true;
    this.#draw();
  }

  /** Marks the row at this place, brings it into view and tells the source. `isMore`: from where it was marked to here. */
  select(place: number, isMore = false): void {
    if (this.scroll.count === 0) return;
    this.#selected = Math.max(0, Math.min(this.scroll.count - 1, place));
    if (!isMore || this.#anchor < 0) this.#anchor = this.#selected;
    this.isFollowing = false;
    this.scroll.reveal(this.#selected);
    this.moveTo(this.scroll.top);
    const known = this.#rows[this.#selected - this.#rowsFrom];
    if (known !== undefined) this.#choose(known);
    else
      void this.#source.rows(this.#selected, 1).then(([cells]) => {
        if (cells !== undefined) this.#choose(cells);
      });
  }

  #choose(cells: RowCells): void {
    this.#selectedSequence = cells.sequence;
    this.#draw();
    this.#source.onSelect(cells);
  }

  #key(event: KeyboardEvent): void {
    const isCopy = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "c";
    // Text that is marked in a row is the browser's to copy.
    if (isCopy && this.#selected >= 0 && getSelection()?.isCollapsed !== false) {
      event.preventDefault();
      const [from, to] = this.#range;
      this.#source.onCopy(from, to, event.shiftKey);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.scroll.viewHeight / rowHeight) - 1);
    const from = this.#selected < 0 ? this.scroll.first - 1 : this.#selected;
    const to: Readonly<Record<string, number>> = {
      ArrowDown: from + 1,
      ArrowUp: from - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: this.scroll.count - 1,
    };
    if (!Object.hasOwn(to, event.key)) return;
    event.preventDefault();
    this.select(to[event.key], event.shiftKey);
  }

  get #range(): readonly [number, number] {
    return [Math.min(this.#anchor, this.#selected), Math.max(this.#anchor, this.#selected)];
  }

  /** At most once a frame. */
  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
      this.#askForMore();
    });
  }

  #paint(): void {
    const { first, top, viewHeight, count } = this.scroll;
    const wanted = Math.min(count - first, Math.ceil(viewHeight / rowHeight) + 1);
    while (this.#lines.length < wanted + spareRows && this.#lines.length < 200) this.#addLine();
    this.#lines.forEach(({ element, cells }, index) => {
      const place = first + index;
      if (index >= wanted) {
        if (!element.hidden) element.hidden = true;
        return;
      }
      if (element.hidden) element.hidden = false;
      element.style.transform = `translateY(${place * rowHeight - top}px)`;
      const row = this.#rows[place - this.#rowsFrom];
      element.dataset.place = String(place);
      element.setAttribute("aria-rowindex", String(place + 2));
      element.id = `row-${place}`;
      const [from, to] = this.#range;
      const isSelected =
        row !== undefined &&
        (row.sequence === this.#selectedSequence || (from < to && place >= from && place <= to));
      element.className = `row${row === undefined ? " blank" : ` k-${row.kind}`}${row?.isBad === true ? " bad" : ""}${row?.isHit === true ? " hit" : ""}${isSelected ? " selected" : ""}`;
      element.setAttribute("aria-selected", String(isSelected));
      const texts = row === undefined ? [] : cellTexts(row);
      for (let column = 0; column < cells.length; column++) {
        const text = texts[column] ?? (column === 5 ? "…" : "");
        if (cells[column].firstChild?.nodeValue !== text) cells[column].textContent = text;
      }
    });
    if (this.#selected >= 0) this.#scroller.setAttribute("aria-activedescendant", `row-${this.#selected}`);
  }

  #addLine(): void {
    const element = document.createElement("div");
    element.setAttribute("role", "row");
    const cells = columnNames.map((name) => {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      cell.className = `c-${name.toLowerCase()}`;
      element.append(cell);
      return cell;
    });
    this.#layer.append(element);
    this.#lines.push({ element, cells });
  }

  #askForMore(): void {
    if (this.#isAsking) return;
    const { count, most, viewHeight } = this.scroll;
    const isTail = this.isFollowing;
    const top = isTail ? most : this.scroll.top;
    const first = Math.floor(top / rowHeight);
    const to = Math.min(count, first + Math.ceil(viewHeight / rowHeight) + 1);
    const isCovered = first >= this.#rowsFrom && to <= this.#rowsFrom + this.#rows.length;
    if (isCovered && !this.#isStale) return;
    const from = Math.max(0, first - spareRows);
    this.#isAsking = true;
    this.#isStale = false;
    const asked = this.#asked;
    void this.#source.rows(from, to - from + spareRows).then((rows) => {
      if (asked !== this.#asked) return;
      this.#isAsking = false;
      this.#rows = rows;
      this.#rowsFrom = from;
      if (isTail && this.isFollowing) {
        this.scroll.moveTo(top);
        this.#place();
      }
      this.#draw();
    });
  }
}

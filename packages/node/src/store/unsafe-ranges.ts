// What was written and not yet kept by the host: a bounded list of ranges, never smaller than the truth.

/** More ranges than this are joined with their neighbours. */
const rangeMaximum = 64;

export interface UnsafeRange {
  readonly from: number;
  /** First byte after it. */
  readonly to: number;
}

export class UnsafeRanges {
  /** Sorted, apart from each other. */
  #ranges: { from: number; to: number }[] = [];
  /** The range that grew last: neighbouring writes need no search. */
  #last: { from: number; to: number } | null = null;

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get ranges(): readonly UnsafeRange[] {
    return this.#ranges;
  }

  get bytes(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  add(from: number, to: number): void {
    const last = this.#last;
    if (last !== null && from >= last.from && to <= last.to) return;
    // The first range that ends at or behind the new one's beginning.
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ranges[middle].to < from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    const joined = { from, to };
    for (; end < this.#ranges.length && this.#ranges[end].from <= to; end++) {
      joined.from = Math.min(joined.from, this.#ranges[end].from);
      joined.to = Math.max(joined.to, this.#ranges[end].to);
    }
    this.#ranges.splice(low, end - low, joined);
    this.#last = joined;
    if (this.#ranges.length > rangeMaximum) this.#joinNearest();
  }

  addAll(other: UnsafeRanges): void {
    for (const { from, to } of other.#ranges) this.add(from, to);
  }

  #joinNearest(): void {
    let nearest = 1;
    for (let index = 2; index < this.#ranges.length; index++) {
      const gap = this.#ranges[index].from - this.#ranges[index - 1].to;
      if (gap < this.#ranges[nearest].from - this.#ranges[nearest - 1].to) nearest = index;
    }
    const [left, right] = this.#ranges.splice(nearest - 1, 2);
    const joined = { from: left.from, to: right.to };
    this.#ranges.splice(nearest - 1, 0, joined);
    this.#last = joined;
  }
}

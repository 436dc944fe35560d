// Runs of blocks in one state each, however many blocks a disk has: painted over, counted, drawn into cells.

export class PaintedBlocks {
  /** Runs in order, none beside another of its state: first block, the block behind the last, state. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #state: number[] = [];

  get runCount(): number {
    return this.#from.length;
  }

  /** The first run that ends behind `block`. */
  #at(block: number): number {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#to[middle] <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  stateOf(block: number): number {
    const at = this.#at(block);
    return at < this.#from.length && this.#from[at] <= block ? this.#state[at] : 0;
  }

  /** Blocks from `from` to before `to` are in `state`; 0: in none. */
  paint(from: number, to: number, state: number): void {
    this.change(from, to, () => state);
  }

  /** Each state in the range becomes another one; 0 stands for blocks in none. */
  change(from: number, to: number, become: (state: number) => number): void {
    if (!(to > from)) return;
    const first = this.#at(from);
    let last = first;
    const made: [number, number, number][] = [];
    const add = (begin: number, end: number, state: number): void => {
      if (end <= begin || state === 0) return;
      const before = made.at(-1);
      if (before !== undefined && before[1] === begin && before[2] === state) before[1] = end;
      else made.push([begin, end, state]);
    };
    let at = from;
    for (; last < this.#from.length && this.#from[last] < to; last++) {
      const [begin, end, state] = [this.#from[last], this.#to[last], this.#state[last]];
      add(begin, Math.min(end, from), state);
      add(at, Math.min(Math.max(begin, at), to), become(0));
      add(Math.max(begin, from), Math.min(end, to), become(state));
      at = Math.min(end, to);
      if (end > to) {
        add(to, end, state);
        last++;
        break;
      }
    }
    if (at < to && (made.length === 0 || (made.at(-1)?.[1] ?? 0) <= to)) add(at, to, become(0));
    this.#from.splice(first, last - first, ...made.map(([begin]) => begin));
    this.#to.splice(first, last - first, ...made.map(([, end]) => end));
    this.#state.splice(first, last - first, ...made.map(([, , state]) => state));
    this.#join(first + made.length);
    this.#join(first);
  }

  /** The run at `index` and the one before it become one where they touch and agree. */
  #join(index: number): void {
    if (index < 1 || index >= this.#from.length) return;
    if (this.#to[index - 1] !== this.#from[index] || this.#state[index - 1] !== this.#state[index]) return;
    this.#to[index - 1] = this.#to[index];
    this.#from.splice(index, 1);
    this.#to.splice(index, 1);
    this.#state.splice(index, 1);
  }

  /** Every run in one of these states, in order, at most so many. */
  runs(states: readonly number[], most: number): { from: number; blocks: number; state: number }[] {
    const found: { from: number; blocks: number; state: number }[] = [];
    for (let index = 0; index < this.#from.length && found.length < most; index++)
      if (states.includes(this.#state[index]))
        found.push({
          from: this.#from[index],
          blocks: this.#to[index] - this.#from[index],
          state: this.#state[index],
        });
    return found;
  }

  count(state: number): number {
    let blocks = 0;
    for (let index = 0; index < this.#from.length; index++)
      if (this.#state[index] === state) blocks += this.#to[index] - this.#from[index];
    return blocks;
  }

  /** All that was painted, in at most so many cells of equal size; a cell has its gravest state, the highest number. */
  cells(most: number): { from: number; perCell: number; cells: Uint8Array } {
    const count = this.#from.length;
    if (count === 0) return { from: 0, perCell: 1, cells: new Uint8Array(0) };
    const from = this.#from[0];
    const span = this.#to[count - 1] - from;
    const perCell = Math.max(1, Math.ceil(span / most));
    const cells = new Uint8Array(Math.ceil(span / perCell));
    for (let index = 0; index < count; index++) {
      const end = Math.floor((this.#to[index] - 1 - from) / perCell);
      for (let cell = Math.floor((this.#from[index] - from) / perCell); cell <= end; cell++)
        cells[cell] = Math.max(cells[cell], this.#state[index]);
    }
    return { from, perCell, cells };
  }
}

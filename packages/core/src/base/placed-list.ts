// A set of objects that know their own place in it: data paths add and take out without hashing.

/** What a list keeps in each of its members; -1: it is in none. One list at a time. */
export interface Placed {
  place: number;
}

/** In no order: whoever leaves gives its place to the last. */
export class PlacedList<T extends Placed> {
  readonly #items: T[] = [];

  /** Good until the next change; whoever changes the list while going through it copies first. */
  get items(): readonly T[] {
    return this.#items;
  }

  has(item: T): boolean {
    return this.#items[item.place] === item;
  }

  /** Not one that is in a list already. */
  add(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** False: it was not there. */
  delete(item: T): boolean {
    const { place } = item;
    if (this.#items[place] !== item) return false;
    const last = this.#items.pop() as T;
    if (last !== item) {
      this.#items[place] = last;
      last.place = place;
    }
    item.place = -1;
    return true;
  }

  clear(): void {
    for (const item of this.#items) item.place = -1;
    this.#items.length = 0;
  }
}

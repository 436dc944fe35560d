// A list that keeps the newest entries and counts the others: what grows with every plug must not grow for ever.

/** Appends; when there are twice as many as `most`, the older half goes. Answers how many went. */
export function pushNewest<T>(list: T[], entry: T, most: number): number {
  list.push(entry);
  if (list.length < most * 2) return 0;
  list.splice(0, list.length - most);
  return most;
}

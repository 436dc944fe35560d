// How far two names are from each other, for "did you mean".

/** Letters wrong, missing, too many, or two swapped, each counted once. Names longer than 200 letters are never near. */
export function editDistance(left: string, right: string): number {
  if (left.length > 200 || right.length > 200) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_item, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const next = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let best = Math.min(last[column] + 1, next[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1));
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1])
        best = Math.min(best, before[column - 2] + 1);
      next.push(best);
    }
    before = last;
    last = next;
  }
  return last[right.length];
}

/** The known name that is nearest to a wrong one, if one is near enough to be meant. */
export function nearestName(wrong: string, known: Iterable<string>, most: number): string | null {
  let best: string | null = null;
  let distance = most + 1;
  for (const name of known) {
    const own = editDistance(wrong, name);
    if (own >= distance) continue;
    best = name;
    distance = own;
  }
  return best;
}

// A quotation that is cut at a word and says so: half a number would be another number.

/** At most `longest` characters and the dots. A word longer than all of it is cut. */
export function cutText(text: string, longest: number): string {
  const whole = text.trim();
  if (whole.length <= longest) return whole;
  const head = whole.slice(0, longest + 1);
  const space = head.search(/\s+\S*$/);
  return `${head.slice(0, space > longest / 2 ? space : longest).trimEnd()} ...`;
}

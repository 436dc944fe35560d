// Text that went through a mail, a page or a chat: quotes, tags, entities, typographer's marks, wrapped lines.

/** Tags of pages. Others, as those of property lists and `<private>` of a log, are left alone. */
const inline =
  /<\/?(?:span|code|b|i|em|strong|a|font|mark|wbr|samp|kbd|tt|small|sub|sup|u|s)(?:\s[^<>]{0,300})?\/?>/gi;
const breaks =
  /<\/?(?:br|p|div|pre|li|ul|ol|td|tr|th|table|tbody|thead|blockquote|hr|h[1-6]|section|article)(?:\s[^<>]{0,300})?\/?>/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours are what is taken out
const colours = /\x1b\[[0-9;]{0,20}[A-Za-z]/g;

/** Without the marks that mail and Markdown put before quoted lines, a page's tags, and a carriage return. */
export function cleanLine(line: string): string {
  return pastedParts(line).join(" ");
}

/** The lines that a page shows for one line of its text. */
export function pastedParts(line: string): string[] {
  let text = line
    .replace(/^\s{0,3}(?:[>|] ?)+/, (marks) => (/>/.test(marks) ? "" : marks))
    .replace(/\r$/, "");
  if (text.includes("&")) text = unescapeHtml(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours are what is looked for
  if (/[\x1b\u00a0\u00ad\u2010-\u201f\u2033\u200b-\u200d\ufeff]/.test(text))
    text = text
      .replace(colours, "")
      .replace(/[\u00ad\u200b-\u200d\ufeff]/g, "")
      .replace(/\u00a0/g, " ")
      .replace(/[\u2010-\u2013]/g, "-")
      .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
      .replace(/[\u201c-\u201f\u2033]/g, '"');
  if (!text.includes("<")) return [text];
  text = text.replace(inline, "");
  const parts = text.split(breaks).filter((part, index) => index === 0 || part.trim() !== "");
  return parts.length > 1 && parts[0].trim() === "" ? parts.slice(1) : parts;
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&(?:#39|#x27|apos);/gi, "'")
    .replace(/&nbsp;/g, " ")
    .replace(/&amp;/g, "&");
}

/** Something that begins a line of a log, a terminal or a report: it continues none. */
const beginning =
  /^\s*(?:\d{4}-\d\d-\d\d[ T]|\[?\s*\d+\.\d{3,}\]|[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d|(?:error|warning|note|fatal)\b|[*#$%+]\s|-{2,}|\d{1,4}\s{2,}\S|[\w.-]+[[(]\d+|kernel\b|[{}[\]"<]|Thread \d|\S+:\s*$)/i;
/** Mail programs wrap at 72 to 78 columns, terminals at 80. A shorter line ended where its writer ended it. */
const fullLine = 48;
const longestJoin = 12;

export interface JoinedLine {
  /** Number of its first line, and of its last. */
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** Lines that a mail program has wrapped, put together again; only those that were more than one. */
export function joinedLines(lines: readonly string[]): JoinedLine[] {
  const found: JoinedLine[] = [];
  const quoted = lines.map((line) => /^\s{0,3}>/.test(line));
  const clean = softBreaks(lines);
  for (let at = 0; at < clean.length; at++) {
    let text = clean[at].trimEnd();
    let last = at;
    while (
      last + 1 < clean.length &&
      last - at < longestJoin &&
      clean[last].trimEnd().length >= fullLine &&
      clean[last].length <= 130 &&
      clean[last + 1].trim() !== "" &&
      quoted[last + 1] === quoted[at] &&
      !beginning.test(clean[last + 1])
    ) {
      last++;
      text += ` ${clean[last].trim()}`;
    }
    if (last > at) {
      found.push({ first: at + 1, last: last + 1, text });
      at = last;
    }
  }
  return found;
}

/** Quoted-printable mail as it is stored: "=" at the end of a line, "=3D" for "=". */
function softBreaks(lines: readonly string[]): string[] {
  const isEncoded =
    lines.some((line) => /=\s*$/.test(line)) && lines.some((line) => /=(?:3D|20|E2=80)/.test(line));
  return lines.map((line) => {
    const clean = cleanLine(line);
    return isEncoded ? clean.replace(/=\s*$/, "").replace(/=3D/g, "=").replace(/=20/g, " ") : clean;
  });
}

// HTML by tagged template: what is put in is escaped unless it was made here. Attributes stand in double quotes.

/** Text that is HTML already. Made by {@link html}, or by {@link trusted} from a sanitiser's output. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export function escapeHtml(text: string): string {
  // Most texts hold none of these, and looking costs a tenth of replacing.
  return escaped.test(text) ? text.replace(escapedAll, (letter) => entities[letter]) : text;
}

const escaped = /[&<>"']/;
const escapedAll = /[&<>"']/g;

function textOf(piece: Piece): string {
  if (typeof piece === "string") return escapeHtml(piece);
  if (piece instanceof Html) return piece.text;
  if (typeof piece === "number") return String(piece);
  if (piece === null || piece === undefined || piece === false) return "";
  let text = "";
  for (const part of piece) text += textOf(part);
  return text;
}

export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  let text = parts[0];
  for (let index = 0; index < pieces.length; index++) text += textOf(pieces[index]) + parts[index + 1];
  return new Html(text);
}

/** Only for what the Markdown renderer and the highlighter give back. */
export function trusted(text: string): Html {
  return new Html(text);
}

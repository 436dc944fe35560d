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
  return text.replace(/[&<>"']/g, (letter) => entities[letter]);
}

function textOf(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return "";
  if (piece instanceof Html) return piece.text;
  if (Array.isArray(piece)) return piece.map(textOf).join("");
  return escapeHtml(String(piece));
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

// What the page and its terminal's script promise each other: small enough for the first screen.

export interface PageTerminal {
  write(text: string): void;
  reset(): void;
  focus(): void;
  end(): void;
}

export type OpenTerminal = (
  place: HTMLElement,
  options: { readonly isReduced: boolean; readonly onKeys: (text: string) => void },
) => PageTerminal;

/** Loads the script once. Rejects with words for people. */
export type LoadTerminal = () => Promise<OpenTerminal>;

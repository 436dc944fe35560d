// Text as XML 1.0 writes it; what would command a terminal is written as a reference, and reads back the same.

const commanding = /(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** For what stands between tags. */
export function xmlText(text: string): string {
  return text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(commanding, (character) => {
      const code = character.codePointAt(0) as number;
      // XML 1.0 §2.2 has no way to write these.
      const isLawful =
        (code >= 0x20 || code === 9 || code === 10 || code === 13) && !(code >= 0xd800 && code <= 0xdfff);
      return isLawful ? `&#x${code.toString(16)};` : "\ufffd";
    });
}

/** For what stands between double quotes: tabs and line ends are references, or a reader makes spaces of them (§3.3.3). */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/"/g, "&quot;").replace(/\t/g, "&#x9;");
}

// Text and bytes without host help: UTF-8, UTF-16LE, Latin-1 and hexadecimal.

/** UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const symbol of text) {
    let code = symbol.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      out.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
    }
  }
  return Uint8Array.from(out);
}

/** Text of well-formed UTF-8; each byte that is no part of it becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at];
    const extra =
      first < 0x80 ? 0 : first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
    let code = extra === 0 ? first : first & (0x3f >> extra);
    let isWhole = extra >= 0 && first < 0xf5 && at + extra < bytes.length;
    for (let index = 1; isWhole && index <= extra; index++) {
      isWhole = (bytes[at + index] & 0xc0) === 0x80;
      code = (code << 6) | (bytes[at + index] & 0x3f);
    }
    const isOverlong = (extra === 2 && code < 0x800) || (extra === 3 && code < 0x10000);
    if (!isWhole || isOverlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      text += "\ufffd";
      at++;
    } else {
      text += String.fromCodePoint(code);
      at += 1 + extra;
    }
  }
  return text;
}

export function encodeUtf16le(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    bytes[index * 2] = unit & 0xff;
    bytes[index * 2 + 1] = unit >> 8;
  }
  return bytes;
}

/** An odd last byte is ignored. */
export function decodeUtf16le(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index + 1 < bytes.length; index += 2) {
    text += String.fromCharCode(bytes[index] | (bytes[index + 1] << 8));
  }
  return text;
}

/** `21 20 00 00`: two digits a byte, one blank between. `limit` bytes at most, then " ...". */
export function hexBytes(bytes: Uint8Array, limit = Number.POSITIVE_INFINITY): string {
  const shown: string[] = [];
  for (let index = 0; index < bytes.length && index < limit; index++) shown.push(hex(bytes[index], 2));
  return shown.join(" ") + (bytes.length > limit ? " ..." : "");
}

/** The unsigned low 32 bits (or the whole of a larger safe integer) in lower-case hexadecimal, zero-padded. */
export function hex(value: number, digits = 1): string {
  return (value < 0 ? value >>> 0 : value).toString(16).padStart(digits, "0");
}

/** Inverse of hexBytes for tests and fixtures: blanks are ignored. Throws RangeError on anything else. */
export function bytesFromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
    throw new RangeError(`not hexadecimal: ${text}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

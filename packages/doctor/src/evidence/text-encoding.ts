// Is it text, and in which encoding: byte order marks, UTF-16 without one, UTF-8 and what is left.

export type TextEncodingName = "utf-8" | "utf-16le" | "utf-16be";

/** From the first bytes; null when they are no text. */
export function sniffText(head: Uint8Array): TextEncodingName | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  let zerosEven = 0;
  let zerosOdd = 0;
  let controls = 0;
  for (let index = 0; index < head.length; index++) {
    const byte = head[index];
    if (byte === 0) {
      if ((index & 1) === 0) zerosEven++;
      else zerosOdd++;
    } else if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 27 && byte !== 12)
      controls++;
  }
  const half = head.length / 2;
  if (zerosOdd > half * 0.6 && zerosEven < half * 0.05) return "utf-16le";
  if (zerosEven > half * 0.6 && zerosOdd < half * 0.05) return "utf-16be";
  // A log may hold a stray NUL; a program or a picture holds many.
  const strange = zerosEven + zerosOdd + controls;
  return strange > Math.max(2, head.length * 0.02) ? null : "utf-8";
}

/** A converter for pieces; null ends the stream. UTF-8 passes as it is, without its mark. */
export function textToUtf8(encoding: TextEncodingName): (piece: Uint8Array | null) => Uint8Array {
  if (encoding === "utf-8") {
    let isFirst = true;
    return (piece) => {
      if (piece === null) return new Uint8Array(0);
      const hasMark = isFirst && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf;
      isFirst = false;
      return hasMark ? piece.subarray(3) : piece;
    };
  }
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  return (piece) =>
    encoder.encode(piece === null ? decoder.decode() : decoder.decode(piece, { stream: true }));
}

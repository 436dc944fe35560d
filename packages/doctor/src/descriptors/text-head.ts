// Whether bytes begin as text does.

/** No control characters but line ends and tabs in the first bytes. */
export function sniffHead(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 4096).some((byte) => byte < 9 || (byte > 13 && byte < 32));
}

// CRC-32C (Castagnoli, reflected polynomial 82F63B78h): the digest of iSCSI and of several storage formats.

/** Eight tables, so that eight bytes are taken at a time. */
const tables = makeTables();

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    first[index] = value >>> 0;
  }
  const all = [first];
  for (let number = 1; number < 8; number++) {
    const next = new Uint32Array(256);
    for (let index = 0; index < 256; index++) {
      const before = all[number - 1][index];
      next[index] = (before >>> 8) ^ first[before & 0xff];
    }
    all.push(next);
  }
  return all;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;

/** Of `bytes[offset .. offset + length)`. `seed` is the result over what came before, 0 at first. */
export function crc32c(bytes: Uint8Array, offset = 0, length = bytes.length - offset, seed = 0): number {
  let crc = ~seed;
  let at = offset;
  const end = offset + length;
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    crc =
      t7[low & 0xff] ^
      t6[(low >>> 8) & 0xff] ^
      t5[(low >>> 16) & 0xff] ^
      t4[low >>> 24] ^
      t3[bytes[at + 4]] ^
      t2[bytes[at + 5]] ^
      t1[bytes[at + 6]] ^
      t0[bytes[at + 7]];
  }
  for (; at < end; at++) crc = t0[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

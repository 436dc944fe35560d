// The 64-bit number by which actions and records name a method: Apple's hash is not public, so ours is FNV-1a.

const textEncoder = new TextEncoder();

/** FNV-1a 64 of "Class::symbol". */
export function methodId(className: string, symbol: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of textEncoder.encode(`${className}::${symbol}`))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

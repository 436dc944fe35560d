// DR16-2: a device address is cut to 32 bits.

import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

export const deviceAddressCut: Rule = {
  id: "DR16-2",
  title: "A device address is cut to 32 bits",
  severity: "error",
  certainty: "established",
  source: "IODMACommand: with more than 32 address bits an I/O address may lie above 4 GiB",
  needs: ["source"],
  why: "A segment's address is a 64-bit I/O virtual address. With maxAddressBits above 32 it may lie above 4 GiB; cut to 32 bits the device reads and writes somewhere else, and the IOMMU stops it or it hits another mapping.",
  fix: [
    "Program both halves: the low 32 bits and address >> 32.",
    "Or create the command with maxAddressBits = 32, when the hardware has only one register.",
  ],
  who: "you",
  judge(evidence) {
    const given = sources(evidence).flatMap(({ text }) =>
      [...text.matchAll(addressBits)].map((match) => match[1]),
    );
    // A named constant may be 32: nothing is said about what is not known.
    if (given.some((value) => !(Number(value) > 32))) return [];
    return perFunction(evidence, (one, file): Finding[] => {
      const cut = one.body
        .all("cast_expression", "call_expression")
        .map((node) => ({ node, address: addressUnderCast(node.text) }))
        .filter(({ address }) => address !== null);
      // The other half is programmed in the same function.
      const body = keyOf(one.body);
      return cut
        .filter(({ address }) => !body.includes(`${address}>>32`) && !body.includes(`${address})>>32`))
        .slice(0, 1)
        .map(({ node, address }) => ({
          score: 84,
          claim: `${nameOf(one)} cuts ${address} to 32 bits and never programs its upper half.`,
          because: [file.placeOf(node)],
          about: [one.className],
        }));
    });
  },
};

const addressBits = /\bmaxAddressBits\s*=\s*(\w+)/g;
const cast =
  /^(?:\(\s*(?:uint32_t|UInt32|unsigned(?: int)?)\s*\)\s*\(?|static_cast<\s*(?:uint32_t|UInt32|unsigned(?: int)?)\s*>\()\s*((?:[\w.]|->|\[[^\]]*\])*(?:\.|->)address)\s*\)?$/;

function addressUnderCast(text: string): string | null {
  return (
    cast
      .exec(text)?.[1]
      .replace(/\s+/g, "")
      .replace(/\[[^[\]]*\]/g, "[]") ?? null
  );
}

// The extra words of .iig files, and what a person who mistypes one meant.

import { nearestName } from "@drydock/core/base/near-names";

/** On a class, without IIG_. */
export const classWords = ["KERNEL", "NATIVE", "LOCALONLY", "EXTENDS", "SERIALIZABLE", "CONCRETE"];

/** On a method. */
export const methodWords = [
  "KERNEL",
  "LOCAL",
  "LOCALONLY",
  "LOCALHOST",
  "INVOKEREPLY",
  "REMOTE",
  "REPLY",
  "TYPE",
  "QUEUENAME",
];

export const parameterWords = ["TARGET", "TYPE", "PORTMAKESEND", "PORTCOPYSEND"];

/** Those that have an argument. */
export const wordsWithArgument: ReadonlySet<string> = new Set(["EXTENDS", "TYPE", "QUEUENAME"]);

/** What only our descriptions say: the body is written in C++ in our runtime, and no call leaves the module. */
export const descriptionWords = ["RUNTIME"];

/** Words of the SDK that say who owns what is returned, since when there is a method, or how to warn; generated code needs none. */
export function isSilentWord(word: string): boolean {
  return (
    /^(DRIVERKIT|LIBKERN|OS|IOKIT)_(RETURNS|CONSUMES?|CONSUMED)\w*$/.test(word) ||
    /^(__)?API_(AVAILABLE|UNAVAILABLE|DEPRECATED|DEPRECATED_WITH_REPLACEMENT)$/.test(word) ||
    /^(__unused|__attribute__|__attribute|__deprecated|__deprecated_msg|_Nullable|_Nonnull|OS_NONNULL\w*|OS_WARN_RESULT|__result_use_check)$/.test(
      word,
    )
  );
}

/** "IIG_LOCALONLY" is "LOCALONLY". */
export function bareWord(word: string): string {
  return word.startsWith("IIG_") ? word.slice(4) : word;
}

/** Null: `word` is not near to any of `known`. */
export function meantWord(word: string, known: readonly string[]): string | null {
  return nearestName(bareWord(word).toUpperCase(), known, word.length > 5 ? 2 : 1);
}

/** Macros of kernel extensions, and what to do instead. */
export function kernelMacroAdvice(word: string): string | null {
  if (!/^OS(Declare|Define)\w*(Structors|MetaClass)\w*$/.test(word)) return null;
  return "delete the line: it belongs to kernel extensions, and the header that is generated from this file declares all that it did";
}

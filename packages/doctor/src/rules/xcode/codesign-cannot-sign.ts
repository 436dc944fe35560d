// FX-CODESIGN: codesign could not sign: key, chain, keychain, or the files themselves.

import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const said = watch(
  [
    ...[
      "errSecInternalComponent",
      "unable to build chain",
      "errSecInteractionNotAllowed",
      "User interaction is not allowed",
    ],
    ...[
      "detritus not allowed",
      "no identity found",
      "is ambiguous",
      "bundle format unrecognized",
      "timestamp service is not available",
    ],
    ...[
      "CSSMERR_TP_NOT_TRUSTED",
      "The specified item could not be found in the keychain",
      "is already signed",
      "code object is not signed at all",
      "unsealed contents present",
      "hardened runtime enabled",
      "does not include a secure timestamp",
    ],
  ],
  /(errSecInternalComponent)|(unable to build chain to self-signed root)|(errSecInteractionNotAllowed|User interaction is not allowed)|(detritus not allowed)|(no identity found)|(ambiguous \(matches)|(bundle format unrecognized)|(timestamp service is not available)|(CSSMERR_TP_NOT_TRUSTED)|(The specified item could not be found in the keychain)|(is already signed)|(code object is not signed at all)|(unsealed contents present)|(does not have the hardened runtime enabled)|(does not include a secure timestamp)/,
);

interface Cause {
  readonly claim: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly score: number;
}

const chainFix = [
  "Install Apple's current intermediate certificates (Worldwide Developer Relations, and Developer ID where it is one) from apple.com/certificateauthority.",
  'In Keychain Access set the trust of your certificate and of Apple\'s back to "Use System Defaults".',
  "Unlock the keychain: security unlock-keychain, and for a build machine security set-key-partition-list -S apple-tool:,apple:.",
];
const causes: readonly Cause[] = [
  {
    claim: "codesign could not use the key or the chain of the certificate (errSecInternalComponent, -2070)",
    why: "This code says that the signing itself failed before anything was judged: the keychain is locked, codesign may not use the key, or an intermediate certificate of Apple is missing. What was to be signed plays no part.",
    fix: [
      "Unlock the keychain (security unlock-keychain), and let codesign use the key: security set-key-partition-list -S apple-tool:,apple: -k PASSWORD KEYCHAIN.",
      "Install Apple's current intermediate certificates (Worldwide Developer Relations).",
      "Over ssh or in CI log in to the keychain in the same session.",
    ],
    score: 84,
  },
  {
    claim:
      "codesign could not use the certificate: its chain to Apple's root cannot be built, because an intermediate certificate (Worldwide Developer Relations) is missing or trust of a certificate was changed by hand",
    why: "A signature carries the chain of certificates. The warning stands right before the error and is its reason; what was to be signed plays no part.",
    fix: chainFix,
    score: 88,
  },
  {
    claim: "codesign may not ask for the keychain's password here (errSecInteractionNotAllowed, -25308)",
    why: "Over ssh, in CI or from launchd nobody can answer the keychain's question.",
    fix: [
      "Unlock the keychain in the same session (security unlock-keychain), and give codesign the key: security set-key-partition-list -S apple-tool:,apple:.",
    ],
    score: 86,
  },
  {
    claim:
      "Files of the bundle carry extended attributes (resource fork, Finder information), which codesign refuses",
    why: "Such detritus comes from Finder, iCloud folders, or archives; a signature cannot cover it.",
    fix: ["xattr -cr BUNDLE, then sign again; build outside of iCloud and Desktop folders."],
    score: 90,
  },
  {
    claim: "No signing identity of that name is in the keychain",
    why: "An identity is a certificate with its private key; a certificate alone does not count.",
    fix: ["security find-identity -v -p codesigning lists what can be used; import the .p12 with its key."],
    score: 88,
  },
  {
    claim: "Several identities fit that name",
    why: "codesign takes the name as a part, and two certificates have it.",
    fix: ["Give the SHA-1 of the identity, as security find-identity -v -p codesigning prints it."],
    score: 86,
  },
  {
    claim: "What was given to codesign is no bundle as it should be",
    why: "The layout of the bundle is wrong, or something lies where code must not lie.",
    fix: [
      "Look at Contents/Info.plist, Contents/MacOS and at what else lies in Contents: only folders that Apple documents.",
    ],
    score: 78,
  },
  {
    claim: "Apple's timestamp server could not be reached",
    why: "A signature for distribution carries a timestamp from Apple.",
    fix: ["Check the network and try again; --timestamp=none for development only."],
    score: 84,
  },
  {
    claim: "The certificate is not trusted (CSSMERR_TP_NOT_TRUSTED)",
    why: "Its chain ends in nothing that this Mac trusts.",
    fix: chainFix,
    score: 86,
  },
  {
    claim: "The item that codesign was told of is not in the keychain",
    why: "Another keychain is searched, or the identity was never imported.",
    fix: ["security list-keychains, and --keychain PATH for codesign."],
    score: 82,
  },
  {
    claim: "The file is signed already, and codesign does not sign it again without being told to",
    why: "Without --force an existing signature stays.",
    fix: ["codesign --force ... replaces the signature."],
    score: 76,
  },
  {
    claim: "Something inside has no signature at all",
    why: "Code is signed from the inside out: what lies in a bundle must be signed before it.",
    fix: ["Sign the inner bundle first (the .dext, then the app around it)."],
    score: 80,
  },
  {
    claim: "Something lies beside Contents in the bundle, where nothing is sealed",
    why: "A signature covers what is in Contents; a file or folder at the root of the bundle stays outside of it.",
    fix: [
      "ls -la BUNDLE: move what is not Contents into Contents/Resources, or take it out; then sign again.",
    ],
    score: 88,
  },
  {
    claim: "The notary service wants the hardened runtime, and the signature has none",
    why: "What is notarised has to be signed with the hardened runtime, every executable of it.",
    fix: ["codesign --options runtime ..., or Enable Hardened Runtime in the target's build settings."],
    score: 90,
  },
  {
    claim: "The notary service wants a time stamp, and the signature has none",
    why: "A time stamp says that the certificate was valid when the code was signed.",
    fix: ["codesign --timestamp ..., with the network within reach; Xcode does it for archives."],
    score: 90,
  },
];

export const codesignCannotSign: Rule = {
  id: "FX-CODESIGN",
  title: "codesign could not sign",
  severity: "error",
  certainty: "established",
  source:
    "codesign's and Security's messages (SecBase.h: errSecInternalComponent -2070, errSecInteractionNotAllowed -25308)",
  needs: ["log"],
  why: "Signing fails before anything about entitlements or profiles is asked: key, keychain, chain of certificates, or the files.",
  fix: chainFix,
  who: "you",
  states: refused("codesign did not sign"),
  watches: [said],
  judge(evidence: Evidence) {
    const hits = spoken(evidence, said).filter(({ match }) =>
      match.slice(1).some((group) => group !== undefined),
    );
    const kinds = hits.map(({ match }) => match.slice(1).findIndex((group) => group !== undefined));
    return hits.flatMap(({ place }, index): Finding[] => {
      const kind = kinds[index];
      // The warning about the chain explains the error that follows it.
      if (kind === 0 && kinds.includes(1)) return [];
      const cause = causes[kind];
      const also = kind === 1 ? hits.filter((_hit, other) => kinds[other] === 0).map((hit) => hit.place) : [];
      return [
        {
          score: cause.score,
          claim: `${cause.claim}.`,
          because: [place, ...also.slice(0, 1)],
          why: cause.why,
          fix: cause.fix,
        },
      ];
    });
  },
};

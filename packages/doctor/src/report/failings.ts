// Why a check fails, one by one, for annotations and JUnit: no exit code 1 is without its reason.

import { brokenPoints, type CheckReport } from "../check.ts";
import { isOfPackage } from "../rules/package-rules.ts";

/** One reason of a check's exit code 1. */
export interface Failing {
  /** What it is about: a bundle, a binary, a file. */
  readonly about: string;
  readonly title: string;
  readonly text: string;
}

export interface FailingOptions {
  /** A system was asked for, and must accept. */
  readonly mustAccept?: boolean;
}

/** All but the doctor's findings, which have places of their own. */
export function failingsOf(
  { files, gates, packages, platforms, profiles, signatures }: CheckReport,
  { mustAccept = false }: FailingOptions = {},
): Failing[] {
  return [
    ...packages.flatMap(({ rehearsal }) =>
      rehearsal.verdicts
        .filter((verdict) => verdict.ok === false)
        .map(({ bundleIdentifier, fix, reason, stage }) => ({
          about: bundleIdentifier,
          title: `${stage} fails`,
          text: `${bundleIdentifier}: ${reason}\n${fix}`,
        })),
    ),
    ...gates.flatMap(({ architecture, file, isTooNew, missing, system }) => [
      ...missing.map(({ since, wanted }) => ({
        about: file,
        title: "import is missing",
        text: `${file}: ${wanted.symbol} came with ${since}`,
      })),
      ...(isTooNew
        ? [
            {
              about: file,
              title: "needs a newer system",
              text: `${file} (${architecture}) does not run on ${system}: it says that it needs a newer one`,
            },
          ]
        : []),
    ]),
    ...(mustAccept ? platforms : []).flatMap(({ bundleIdentifier, verdicts }) =>
      verdicts
        .filter(({ outcome }) => outcome === "refused")
        .map(({ platform, reason }) => ({
          about: bundleIdentifier,
          title: `${platform} refuses it`,
          text: `${bundleIdentifier}: ${reason}`,
        })),
    ),
    ...profiles
      .filter(({ isExpired }) => isExpired)
      .map(({ expires, file, name }) => ({
        about: file,
        title: "profile has ended",
        text: `${file}: "${name}" ended on ${expires.slice(0, 10)}`,
      })),
    ...brokenPoints(signatures).map(({ file, point }) => ({
      about: file,
      title: "signature does not hold",
      text: `${file}: ${point.what}: ${point.text}`,
    })),
    ...files
      .filter(isOfPackage)
      .flatMap(({ name, problems }) =>
        problems.map((problem) => ({ about: name, title: "not read", text: `${name}: ${problem}` })),
      ),
  ];
}

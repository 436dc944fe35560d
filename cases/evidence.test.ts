// Every case's evidence, as its rig leaves it, with file names that say nothing: the doctor names the case first.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import {
  formatRegistryPlist,
  formatRegistryTree,
  type RegistrySnapshot,
} from "@drydock/core/platform/evidence/registry-dump";
import type { Properties } from "@drydock/core/platform/properties";
import { diagnose } from "@drydock/doctor/diagnose";
import { collectEvidence } from "@drydock/doctor/evidence/collect";
import { type EvidenceSource, sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { toSarif } from "@drydock/doctor/report/sarif";
import { allRules as shortRules } from "@drydock/doctor/rules/rules-without-reader";
import { assertDiagnosis, assertSarif } from "@drydock/doctor/test/schema-check";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { runUpdate } from "./P09-sendcdb-uas/case.ts";
import { ipadBench } from "./P13-ftdi-ipados/case.ts";
import { bundleOf, bundleOfRun, bundleOptions, rulesOfCases } from "./test/case-bundles.ts";

for (const [id, rule] of Object.entries(rulesOfCases)) {
  test(`the doctor names ${id} from its bundle: ${rule} first`, async () => {
    const diagnosis = await diagnose(await bundleOf(id, "bad"), { cppGrammar });
    assertDiagnosis(diagnosis);
    assertSarif(toSarif(diagnosis, "0.1.0"));
    const { answers } = diagnosis;
    assert.equal(answers[0]?.rule, rule, JSON.stringify(answers.map((answer) => answer.claim)));
  });
}

test("P09's other driver has the same symptom and another answer: DR09-3", async () => {
  const run = await runUpdate("no direction", bundleOptions);
  const { answers } = await diagnose(bundleOfRun("P09", run));
  assert.equal(answers[0]?.rule, "DR09-3");
  const wire = await diagnose(bundleOfRun("P09", { ...run, log: [] }));
  assert.equal(wire.answers[0]?.rule, "DR09-3");
  assert.match(wire.answers[0]?.claim ?? "", /the host never queued a data stage/);
});

test("every case in one folder, shuffled: each file's surest answer is its own case's", async () => {
  const sources: EvidenceSource[] = [];
  const owner = new Map<string, string>();
  for (const id of Object.keys(rulesOfCases)) {
    for (const source of await bundleOf(id, "bad")) {
      sources.push(source);
      owner.set(source.name, id);
    }
  }
  // As a folder on a desk has them: in no order.
  const random = new Random(20);
  for (let last = sources.length - 1; last > 0; last--) {
    const other = random.next32() % (last + 1);
    [sources[last], sources[other]] = [sources[other], sources[last]];
  }
  const { answers } = await diagnose(sources, { cppGrammar });
  for (const [id, rule] of Object.entries(rulesOfCases)) {
    const own = answers.filter((answer) => answer.because.some((place) => owner.get(place.file) === id));
    assert.equal(own[0]?.rule, rule, id);
  }
});

test("the good sides give no answer", async () => {
  for (const id of [
    "P02",
    "P03",
    "P05",
    "P06",
    "P08",
    "P09",
    "P10",
    "P11",
    "P12",
    "P13",
    "P14",
    "P15",
    "P19",
    "P20",
  ]) {
    const { answers } = await diagnose(await bundleOf(id, "good"), { cppGrammar });
    assert.deepEqual(
      answers.map((answer) => answer.claim),
      [],
      id,
    );
  }
});

test("P04's right driver: nothing but the refusal of the other vendor's device, which is meant", async () => {
  const { answers } = await diagnose(await bundleOf("P04", "good"), { cppGrammar });
  assert.deepEqual(
    answers.map(({ rule }) => rule),
    ["FX-PROVIDER"],
    JSON.stringify(answers.map(({ claim }) => claim)),
  );
});

test("the bundles of P03, P04, P05 and P12 hold executables and profiles, which are recognised and joined", async () => {
  const stages: Record<string, string | null> = {};
  for (const id of ["P03", "P04", "P05", "P12"]) {
    const { files, rehearsals } = await diagnose(await bundleOf(id, "bad"), { cppGrammar });
    const kinds = new Set(files.flatMap((file) => file.kinds));
    for (const kind of ["Mach-O", "provisioning profile", "Info.plist"] as const)
      assert.ok(kinds.has(kind), `${id} has a ${kind}`);
    assert.deepEqual(
      files.flatMap(({ problems }) => problems),
      [],
    );
    stages[id] = rehearsals[0]?.rehearsal.stoppedAt ?? null;
  }
  // P03 fails when symbols are bound, P05 when it was signed by hand: neither is a matter of claim and profile.
  assert.deepEqual(stages, { P03: null, P04: "launch", P05: null, P12: "build" });
});

test("the registry of a rig with a dext is read back: every entry with its properties and parents", async () => {
  const { rig } = await ipadBench(bundleOptions, null);
  const root = rig.machine.registry.snapshot();
  const wanted: [name: string, id: number, parents: string, properties: Properties][] = [];
  const visit = (entry: RegistrySnapshot, parents: string) => {
    wanted.push([entry.name, entry.id, parents, entry.properties]);
    for (const child of entry.children) visit(child, `${parents}/${entry.name}`);
  };
  visit(root, "");
  assert.ok(wanted.length > 5, "the rig's registry has a tree");
  for (const text of [formatRegistryTree(root), formatRegistryPlist(root)]) {
    const { files, facts } = await evidenceOf(text);
    assert.deepEqual(files[0].problems, []);
    assert.deepEqual(
      facts.map(({ name, id, parents, properties }) => [
        name,
        id,
        parents.map((parent) => `/${parent.name}`).join(""),
        properties,
      ]),
      wanted,
    );
  }
});

async function evidenceOf(text: string) {
  const evidence = await collectEvidence([sourceOfText("x", text)], []);
  return { files: evidence.files, facts: evidence.facts("registry-entry").map(({ value }) => value) };
}

test("an iPad's registry is recognised as what it is, and nothing is known to be wrong", async () => {
  const { rig } = await ipadBench(bundleOptions, null);
  const text = formatRegistryTree(rig.machine.registry.snapshot());
  const { answers, files } = await diagnose([sourceOfText("x", text)], { cppGrammar });
  assert.deepEqual(files[0].kinds, ["registry dump"]);
  assert.deepEqual(answers, []);
});

test("without the C++ reader its rules have nothing to say: the short list, which pages have, answers the same", async () => {
  for (const id of Object.keys(rulesOfCases))
    for (const side of ["bad", "good"] as const) {
      const all = await diagnose(await bundleOf(id, side));
      assert.deepEqual(await diagnose(await bundleOf(id, side), { rules: shortRules }), all, `${id} ${side}`);
    }
});

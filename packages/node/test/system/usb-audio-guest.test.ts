// Linux's snd-usb-audio plays and records on our headsets, over USB/IP and usbredir: every sample, no packet missed.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import {
  audioEndpoints,
  audioInterfaces,
  type UsbAudioModel,
} from "@drydock/core/devices/usb-audio/usb-audio-model";
import { rampTone, ToneCheck } from "@drydock/core/rigs/tone";
import { type HeadsetClass, makeHeadset } from "@drydock/core/rigs/usb-audio-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { listenUsbredir } from "../../src/outlets/usbredir-sockets.ts";
import { IsochronousHold } from "../guest/isochronous-hold.ts";
import { complaints } from "../guest/kernel-complaints.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const wish = { programs: ["aplay", "arecord"], modules: ["snd-usb-audio"] };
const skip = guestSkip(wish);
/** DRYDOCK_AUDIO_SECONDS: 600 for the endurance run, on every card. */
const asked = process.env.DRYDOCK_AUDIO_SECONDS;
const rate = 48_000;
const frameBytes = 4;
/** After so many frames both ramps begin again: a file of them is played as often as it takes. */
const rampFrames = 32_768;
/** 10.2 s, and 1.4 s where the same again would show nothing more. A long run records as long as it plays. */
const longRounds = Math.ceil((Number(asked ?? 10) * rate) / rampFrames);
const shortRounds = asked === undefined ? 2 : longRounds;
/** 8000 packets a second each way are much for an emulated host: a tenth of it. */
const manyPacketsRounds = asked === undefined ? 2 : Math.ceil(longRounds / 10);
/** Seconds of the wire in one of the wall, as long as the guest keeps up: for it the wire waits. */
const pace = 4;
/** Of recordings over usbredir; a long run takes one as it is and says what it cost. */
const attempts = asked === undefined ? 3 : 1;
const packetFrames = rate / 1000;
const room = "--buffer-size=48000 --period-size=2400";
const watched = [
  { address: audioEndpoints.speaker, interfaceNumber: audioInterfaces.speaker },
  { address: audioEndpoints.microphone, interfaceNumber: audioInterfaces.microphone },
];
/** 7 * 28087 is 1 modulo 2^15. */
const inverseOfSeven = 28_087;

/** One of our headsets, as the guest sees it. */
interface Card {
  readonly name: string;
  /** How often the ramps are played, and recorded. */
  readonly rounds: number;
  readonly inRounds: number;
  readonly hold: IsochronousHold;
  readonly device: UsbAudioModel;
  /** What it hears is held against the ramps as it comes. */
  played: ToneCheck;
  recorded: RecordedRamps;
}

const freshEars = (rounds: number, inRounds: number) => ({
  played: new ToneCheck(rampTone(rounds * rampFrames), rounds * rampFrames),
  recorded: new RecordedRamps(inRounds * rampFrames),
});

describe("a Linux guest with our headsets", { skip }, () => {
  let guest: LinuxGuest;
  const listeners: Listener[] = [];
  const runners: LiveRunner[] = [];
  const cards: Card[] = [];

  /** A bus of its own clock: QEMU keeps the time of usbredir's packets itself, in real time. */
  function busAt(rateOfWall: number) {
    const hold = new IsochronousHold(watched);
    const { middleware } = hold;
    const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false, middleware });
    const runner = new LiveRunner(rig.scheduler, rateOfWall, hold.isHeld);
    void runner.start();
    runners.push(runner);
    const plug = (connector: number, kind: HeadsetClass, rounds: number, inRounds: number): void => {
      const device = makeHeadset(kind, {
        clock: rig.scheduler,
        partsPerMillion: 100,
        onPlayed: (bytes) => card.played.hear(bytes),
      });
      const card: Card = {
        name: `card${cards.length}`,
        rounds,
        inRounds,
        hold,
        device,
        ...freshEars(rounds, inRounds),
      };
      cards.push(card);
      rig.usb.bus.plugIn(device, connector);
    };
    return { rig, runner, plug };
  }

  before(async () => {
    const usbip = busAt(pace);
    usbip.plug(1, 1, longRounds, shortRounds);
    usbip.plug(2, 2, manyPacketsRounds, manyPacketsRounds);
    const redirected = busAt(1);
    const outlet = redirected.rig.addUsbredir(1);
    redirected.plug(1, 1, shortRounds, shortRounds);
    listeners.push(await listenUsbip(usbip.rig.server, { port: 0, steps: usbip.runner }));
    listeners.push(await listenUsbredir(outlet, { port: 0, steps: redirected.runner }));
    guest = await LinuxGuest.boot({
      ...wish,
      qemu: [
        ...["-device", "qemu-xhci,id=x,p2=4,p3=4"],
        ...["-chardev", `socket,id=c,host=127.0.0.1,port=${listeners[1].port},nodelay=on`],
        ...["-device", "usb-redir,chardev=c,bus=x.0"],
      ],
    });
    await guest.run("modprobe -a vhci-hcd xhci-pci snd-usb-audio");
    await guest.waitFor("cat /proc/asound/cards", /^ *0 \[/m, 30_000);
    await guest.clearDmesg();
    await guest.attach(listeners[0].port, "1-1");
    await guest.waitFor("cat /proc/asound/cards", /^ *1 \[/m, 30_000);
    await guest.attach(listeners[0].port, "1-2");
    await guest.waitFor("cat /proc/asound/cards", /^ *2 \[/m, 30_000);
    const numbers = [1, 2, 0];
    const pcm = cards.map(({ name }, index) => `pcm.${name} { type hw card ${numbers[index]} device 0 }\n`);
    await guest.put("/tmp/alsa.conf", Buffer.from(pcm.join("")));
    const tone = new Uint8Array(rampFrames * frameBytes);
    rampTone(rampFrames)(0, tone);
    await guest.put("/tmp/tone", tone);
    await guest.run("export ALSA_CONFIG_PATH=/tmp/alsa.conf");
  });
  after(async () => {
    await guest?.stop();
    for (const listener of listeners) await listener.close();
    for (const runner of runners) await runner.stop();
  });

  /** Both ways at once. */
  async function playAndRecord({ inRounds, name, played, recorded, rounds }: Card): Promise<void> {
    const format = `-q -t raw -D ${name} -f S16_LE -r ${rate} -c 2 ${room}`;
    const server = createServer((socket) =>
      socket.on("data", (part: Buffer) => recorded.hear(part)).on("error", () => {}),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { readonly port: number };
    const jobs = [
      `(yes /tmp/tone | head -n ${rounds} | xargs cat | aplay ${format}) > /tmp/${name}.out 2>&1 &`,
      `(arecord ${format} -s ${inRounds * rampFrames} | nc 10.0.2.2 ${port}) > /tmp/${name}.in 2>&1 &`,
    ];
    try {
      await guest.run(`${jobs.join("\n")}\nwait`, 60_000 + ((rounds * rampFrames) / rate) * 8000);
      assert.equal(await guest.run(`cat /tmp/${name}.out /tmp/${name}.in`), "");
      await until("all of it is heard", () => played.isWhole || played.wrongAt !== null);
      await until("all of it is recorded", () => recorded.isWhole);
    } finally {
      server.close();
    }
  }

  function judge({ device, hold, inRounds, played, recorded, rounds }: Card, context: TestContext): void {
    const { counters } = device;
    context.diagnostic(
      `${rounds * rampFrames} frames out, ${inRounds * rampFrames} in; ${counters.packets} packets out, ${counters.heardPackets} in, ${counters.missed} intervals without one, ${counters.feedbacks} feedbacks; the wire waited for the guest ${hold.holds} times, ${Math.round(hold.heldMs)} ms`,
    );
    assert.deepEqual([played.wrongAt, played.matched], [null, rounds * rampFrames]);
    assert.equal(recorded.noFrames, 0);
    assert.deepEqual([counters.missed, counters.broken], [0, 0]);
    assert.ok(counters.feedbacks > 0, "the feedback endpoint is asked");
  }

  for (const [index, what] of ["1.0", "2.0"].entries())
    test(`class ${what} over USB/IP: every sample both ways, a packet in each interval`, async (context) => {
      await playAndRecord(cards[index]);
      judge(cards[index], context);
      assert.deepEqual(cards[index].recorded.gaps, []);
    });

  test("class 1.0 over usbredir: the same; what QEMU drops when its machine is late is whole packets", async (context) => {
    const card = cards[2];
    // QEMU takes a packet each millisecond of real time, whether its guest has room for it or not; we send each.
    for (let attempt = 1; attempt <= attempts; attempt++) {
      Object.assign(card, freshEars(card.rounds, card.inRounds));
      await playAndRecord(card);
      judge(card, context);
      const { gaps } = card.recorded;
      if (gaps.length === 0) return;
      const lost = gaps.map(({ missing }) => Math.round(missing / packetFrames));
      context.diagnostic(`lost by QEMU: ${lost.reduce((sum, each) => sum + each, 0)} packets`);
      for (const { missing } of gaps)
        assert.ok(missing % packetFrames <= missing / packetFrames, `${missing} frames are no whole packets`);
    }
    assert.ok(asked !== undefined, `no recording without a loss in ${attempts} attempts`);
  });

  test("the kernel complains of nothing", async () => {
    // vhci_hcd has no frame numbers, and says so each time it is asked.
    const isFrameNumber = /Not yet implemented|vhci_get_frame_number/;
    const lines = (await complaints(guest)).filter((line) => !isFrameNumber.test(line));
    assert.deepEqual(lines, []);
  });
});

/** A recording of the microphone's ramps, as it comes: where it is not what follows, and how much is missing there. */
class RecordedRamps {
  /** Pairs of samples that are no frame of the ramps. */
  noFrames = 0;
  readonly gaps: { readonly frame: number; readonly missing: number }[] = [];
  readonly #total: number;
  #rest: Buffer = Buffer.alloc(0);
  #frames = 0;
  #expected = -1;

  constructor(totalFrames: number) {
    this.#total = totalFrames;
  }

  get isWhole(): boolean {
    return this.#frames >= this.#total;
  }

  hear(part: Buffer): void {
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    const whole = bytes.length - (bytes.length % frameBytes);
    for (let at = 0; at < whole; at += frameBytes)
      this.#frame(bytes.readInt16LE(at), bytes.readInt16LE(at + 2));
    this.#rest = bytes.subarray(whole);
  }

  #frame(left: number, right: number): void {
    // 7 has an inverse modulo 2^15: which frame this is.
    const number = (left * inverseOfSeven) & 0x7fff;
    const isPair = ((number * 13) & 0x7fff) === right;
    if (!isPair) this.noFrames++;
    else if (this.#expected >= 0 && number !== this.#expected)
      this.gaps.push({ frame: this.#frames, missing: (number - this.#expected) & 0x7fff });
    this.#expected = (number + 1) & 0x7fff;
    this.#frames++;
  }
}

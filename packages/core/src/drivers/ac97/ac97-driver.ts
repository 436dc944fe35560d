// The AC'97 dext: a ring that the audio server fills and the hardware plays, by a list of 32 buffers that never ends.
//
// Intel I/O Controller Hub AC '97; Audio Codec '97 2.3. Left out: recording, the modem's half, surround channels, S/PDIF,
// codecs other than the first.

import { IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import {
  Ac97Control,
  Ac97Engine,
  Ac97Global,
  Ac97GlobalStatus,
  Ac97Mixer,
  Ac97Register,
  Ac97Status,
  ac97ColdResetReleased,
  ac97Entries,
  ac97Mute,
  ac97PcmUnity,
  ac97StatusClearable,
  ac97VariableRate,
} from "../../codec/ac97/ac97.ts";
import { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import {
  IOUserAudioClockAlgorithm,
  IOUserAudioStreamDirection,
  IOUserAudioStreamTerminalType,
  IOUserAudioTransportType,
  linearPcm,
} from "../../families/audio/audio-format.ts";
import {
  IOUserAudioBooleanControl,
  type IOUserAudioControl,
  IOUserAudioLevelControl,
} from "../../families/audio/io-user-audio-control.ts";
import { IOUserAudioDevice } from "../../families/audio/io-user-audio-device.ts";
import { IOUserAudioDriver } from "../../families/audio/io-user-audio-driver.ts";
import { IOUserAudioStream } from "../../families/audio/io-user-audio-stream.ts";
import { IOPCIDevice, kIOPCIAccessLatencyTolerantHint } from "../../families/pci/io-pci-device.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  kIOInterruptTypeLevel,
} from "../../runtime/dispatch-source.ts";
import type { IOAddressSegment } from "../../runtime/dma-command.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { Ac97List, PreparedRing, piecesOf } from "./ac97-ring.ts";

const channels = 2;
const bitsPerChannel = 16;
const frameBytes = (channels * bitsPerChannel) / 8;
const rates = [48000, 44100] as const;
/** 10.7 ms of 48 kHz in each of the list's buffers. */
const usualRingFrames = 16384;
/** Of the personality: frames of the ring, a multiple of 32. Longer ones interrupt less often and are heard later. */
export const ringFramesKey = "RingFrames";
/** What the FIFO holds, beside the buffer that is prefetched. */
const fifoFrames = 64;
/** Of the master volume. */
const stepDecibel = 1.5;
const masterSteps = 31;
const codecTimeoutNs = 1000 * millisecond;
const haltTimeoutNs = 10 * millisecond;
const pollNs = 1 * millisecond;
const interruptQueueName = "AudioInterrupt";
/** QEMU's PCM volume is unity at 0, where the specification has +12 dB: known by the subsystem it says it is. */
const unityAtZero: readonly number[] = [0x1100_1af4];

/** Offsets of PCM out. */
const out = (register: number): number => Ac97Engine.pcmOut + register;

export class Ac97Driver extends IOUserAudioDriver {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    InterruptOccurred: interruptQueueName,
  };
  /** Frames of the ring, which is the zero-timestamp period. A multiple of 32. */
  protected ringFrames: number = usualRingFrames;
  /** The kind of memory that the ring is: direction bits, and nothing else that DriverKit would take. */
  protected readonly ringOptions: number = kIOMemoryDirectionOutIn;
  readonly counters = { interrupts: 0, wraps: 0, underruns: 0, fifoErrors: 0 };
  #device: IOPCIDevice | null = null;
  #mixer = 0;
  #bus = 1;
  #memory: IOBufferMemoryDescriptor | null = null;
  #ring: PreparedRing | null = null;
  #list: Ac97List | null = null;
  #audio: IOUserAudioDevice | null = null;
  #queue: IODispatchQueue | null = null;
  #interrupt: IOInterruptDispatchSource | null = null;
  #action: OSAction | null = null;
  #isRunning = false;
  /** Buffers of the endless row that have been played. */
  #played = 0;

  override async start(provider: IOService): Promise<void> {
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOPCIDevice");
    this.#device = provider;
    await provider.open(this);
    this.#queue = IODispatchQueue.create(this.process, interruptQueueName);
    this.setDispatchQueue(interruptQueueName, this.#queue);
    await super.start(provider);
    const asked = this.copyProperties()[ringFramesKey];
    if (typeof asked === "number" && asked >= ac97Entries && asked % ac97Entries === 0)
      this.ringFrames = asked;
    this.#mixer = provider.getBARInfo(0).memoryIndex;
    this.#bus = provider.getBARInfo(1).memoryIndex;
    const command = await provider.configurationRead16(PciConfig.command);
    // Memory space too: hardware that has only I/O ranges ignores it.
    provider.configurationWrite16(
      PciConfig.command,
      (command | PciCommand.ioSpace | PciCommand.busMaster) & ~PciCommand.interruptDisable,
    );
    await this.#resetCodec(provider);
    this.#makeInterrupt(provider);
    this.#makeDevice();
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    const device = this.#device;
    if (device !== null) {
      await this.#stopEngine(device);
      // Engine off, bus master off, read back; then memory may go (posts.md F12).
      const command = await device.configurationRead16(PciConfig.command);
      device.configurationWrite16(PciConfig.command, command & ~PciCommand.busMaster);
      await device.configurationRead16(PciConfig.command);
    }
    this.#interrupt?.setEnable(false);
    await cancelAndWait(this.kernel.scheduler, [this.#interrupt, this.#action]);
    this.#queue?.release();
    this.releaseDma();
    this.#memory?.release();
    this.#memory = null;
    device?.close(this);
    await super.stop(provider);
  }

  // Bring-up.

  /** Cold reset released, the codec ready, its own reset, volumes at unity, variable rates. */
  async #resetCodec(device: IOPCIDevice): Promise<void> {
    this.#write32(Ac97Global.control, ac97ColdResetReleased);
    const deadline = this.nowNs + codecTimeoutNs;
    while (((await this.#read32(Ac97Global.status)) & Ac97GlobalStatus.codecReady) === 0) {
      if (this.nowNs >= deadline)
        throw this.failure(IOReturns.kIOReturnTimeout, "AC'97 codec", "not ready after a second");
      await this.kernel.scheduler.sleep(pollNs);
    }
    const subsystem = await device.configurationRead32(PciConfig.subsystemVendorId);
    this.#writeMixer(Ac97Mixer.reset, 0);
    this.#writeMixer(Ac97Mixer.masterVolume, 0);
    this.#writeMixer(Ac97Mixer.pcmOutVolume, unityAtZero.includes(subsystem) ? 0 : ac97PcmUnity);
    this.#writeMixer(Ac97Mixer.extendedControl, ac97VariableRate);
    this.#writeMixer(Ac97Mixer.frontRate, rates[0]);
    const rate = await device.memoryRead16(this.#mixer, Ac97Mixer.frontRate, kIOPCIAccessLatencyTolerantHint);
    if (rate !== rates[0])
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "AC'97 codec",
        `plays at ${rate} Hz, not ${rates[0]}`,
      );
  }

  /** The line, which is all that this hardware has: the first specifier that is no message. */
  #makeInterrupt(device: IOPCIDevice): void {
    let index = 0;
    for (let type = device.interruptType(0); type !== null; type = device.interruptType(++index))
      if (type === kIOInterruptTypeLevel) break;
    const { status, source } = IOInterruptDispatchSource.create(
      device,
      index,
      this.#queue as IODispatchQueue,
    );
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.Create");
    this.#interrupt = source;
    this.#action = this.createAction("InterruptOccurred", () => this.#interruptOccurred());
    source.setHandler(this.#action);
    source.setEnable(true);
  }

  #makeDevice(): void {
    const { ringFrames } = this;
    const { status, value: memory } = IOBufferMemoryDescriptor.create(
      this.process.memory,
      this.ringOptions,
      ringFrames * frameBytes,
      16384,
    );
    if (memory === null) throw this.failure(status, "IOBufferMemoryDescriptor.Create", "audio ring");
    this.#memory = memory;
    const driver = this;
    const device = new (class extends IOUserAudioDevice {
      override async startIO(flags: number): Promise<void> {
        await super.startIO(flags);
        await driver.startEngine();
      }

      override async stopIO(flags: number): Promise<void> {
        await driver.stopEngine();
        await super.stopIO(flags);
      }
    })(this, {
      uid: "org.drydock.ac97",
      modelUID: "AC'97",
      manufacturerUID: "Drydock",
      zeroTimestampPeriod: ringFrames,
    });
    device.setName("AC'97 Audio");
    device.setTransportType(IOUserAudioTransportType.PCI);
    device.setClockAlgorithm(IOUserAudioClockAlgorithm.TwelvePtMovingWindowAverage);
    device.setOutputSafetyOffset(ringFrames / ac97Entries + fifoFrames);
    device.setCanBeDefaultOutputDevice(true);
    device.setAvailableSampleRates(rates);
    const stream = new IOUserAudioStream(this, IOUserAudioStreamDirection.Output, memory);
    stream.setTerminalType(IOUserAudioStreamTerminalType.Line);
    const formats = rates.map((rate) => linearPcm(rate, channels, bitsPerChannel));
    stream.setAvailableStreamFormats(formats);
    stream.setCurrentStreamFormat(formats[0]);
    device.addStream(stream);
    device.setSampleRate(rates[0]);
    this.setTransportType(IOUserAudioTransportType.PCI);
    for (const control of this.#controls()) {
      device.addControl(control);
      this.addObject(control);
    }
    this.addObject(device);
    this.#audio = device;
  }

  /** Mute and volume of both channels: the codec's master register, 1.5 dB a step downwards (§5.7.2). */
  #controls(): readonly IOUserAudioControl[] {
    const place = { isSettable: true, element: 0, scope: "output" as const };
    let isMuted = false;
    let steps = 0;
    const write = (): void =>
      this.#writeMixer(Ac97Mixer.masterVolume, (isMuted ? ac97Mute : 0) | (steps << 8) | steps);
    const mute = new (class extends IOUserAudioBooleanControl {
      override async handleChangeControlValue(value: boolean): Promise<void> {
        isMuted = value;
        write();
        await super.handleChangeControlValue(value);
      }
    })(this, place, false);
    const volume = new (class extends IOUserAudioLevelControl {
      override async handleChangeDecibelValue(decibel: number): Promise<void> {
        steps = Math.max(0, Math.min(masterSteps, Math.round(-decibel / stepDecibel)));
        write();
        await super.handleChangeDecibelValue(-steps * stepDecibel);
      }
    })(this, place, 0, { minimum: -masterSteps * stepDecibel, maximum: 0 });
    return [mute, volume];
  }

  // I/O. Called on the default queue, by the device.

  /** The ring prepared, the list over it, the engine on, and the first zero timestamp in the moment that it starts. */
  async startEngine(): Promise<void> {
    const device = this.#device;
    const audio = this.#audio;
    const memory = this.#memory;
    if (device === null || audio === null || memory === null || device.isGone)
      throw this.failure(IOReturns.kIOReturnNoDevice, "StartIO");
    const rate = audio.getSampleRate();
    this.#writeMixer(Ac97Mixer.frontRate, rate);
    memory.bytes.fill(0);
    this.#ring = PreparedRing.prepare(this, device, memory);
    try {
      const pieces = piecesOf(this.ringSegments(this.#ring, memory), memory.length / ac97Entries);
      this.#list = new Ac97List(this, device, pieces);
      this.#write8(out(Ac97Register.control), Ac97Control.reset);
      await this.#untilReset();
    } catch (error) {
      this.releaseDma();
      throw error;
    }
    this.#played = 0;
    this.#write32(out(Ac97Register.listAddress), this.#list.address);
    this.#write8(out(Ac97Register.lastValidIndex), ac97Entries - 1);
    this.#isRunning = true;
    this.#write8(
      out(Ac97Register.control),
      Ac97Control.run |
        Ac97Control.lastBufferInterrupt |
        Ac97Control.fifoInterrupt |
        Ac97Control.bufferInterrupt,
    );
    // A write is posted: it has arrived when a read behind it is answered.
    await this.#read8(out(Ac97Register.control));
    audio.updateCurrentZeroTimestamp(0, this.nowNs);
  }

  /** The engine off and halted, and only then the mapping. */
  async stopEngine(): Promise<void> {
    const device = this.#device;
    if (device === null) return;
    await this.#stopEngine(device);
    this.releaseDma();
  }

  /** What the list names, of where the ring lies for the hardware. A seam for drivers that are wrong on purpose. */
  protected ringSegments(ring: PreparedRing, _memory: IOBufferMemoryDescriptor): readonly IOAddressSegment[] {
    return ring.segments;
  }

  async #stopEngine(device: IOPCIDevice): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    if (device.isGone) return;
    this.#write8(out(Ac97Register.control), 0);
    const deadline = this.nowNs + haltTimeoutNs;
    for (;;) {
      const status = await this.#read16(out(Ac97Register.status));
      // All ones: it has left, and fetches nothing any more.
      if ((status & Ac97Status.halted) !== 0) return;
      if (this.nowNs >= deadline) {
        this.log("the engine does not halt: bus master goes off under it", "error");
        return;
      }
      await this.kernel.scheduler.sleep(pollNs);
    }
  }

  /** Only when the engine has halted: what it fetches afterwards is refused. */
  protected releaseDma(): void {
    this.#ring?.complete();
    this.#ring = null;
    this.#list?.release();
    this.#list = null;
  }

  async #untilReset(): Promise<void> {
    const deadline = this.nowNs + haltTimeoutNs;
    while (((await this.#read8(out(Ac97Register.control))) & Ac97Control.reset) !== 0) {
      if (this.nowNs >= deadline)
        throw this.failure(IOReturns.kIOReturnTimeout, "AC'97 engine", "does not reset");
      await this.kernel.scheduler.sleep(pollNs);
    }
  }

  /** InterruptOccurred: acknowledge, see how far it is, give the played buffers back, and tell the time at a wrap. */
  async #interruptOccurred(): Promise<void> {
    const device = this.#device;
    const timeNs = this.#interrupt?.getLastInterrupt().timeNs ?? this.nowNs;
    if (device === null || device.isGone) return;
    const status = await this.#read16(out(Ac97Register.status));
    // All ones: the device has left. None of ours: the line is shared.
    if (status === 0xffff || (status & ac97StatusClearable) === 0) return;
    this.counters.interrupts++;
    this.#write16(out(Ac97Register.status), status & ac97StatusClearable);
    if ((status & Ac97Status.fifoError) !== 0) this.counters.fifoErrors++;
    const index = await this.#read8(out(Ac97Register.currentIndex));
    const list = this.#list;
    if (!this.#isRunning || list === null || this.#audio === null || index >= ac97Entries) return;
    // It stands at the end of the list: the current buffer is over as well.
    const isDry = (status & Ac97Status.halted) !== 0 && (status & Ac97Status.lastBufferDone) !== 0;
    if (isDry) this.counters.underruns++;
    let done = (index - (this.#played % ac97Entries) + ac97Entries) % ac97Entries;
    if (isDry) done++;
    for (; done > 0; done--) {
      list.write(this.#played + ac97Entries);
      this.#played++;
      if (this.#played % list.pieces.length !== 0) continue;
      this.counters.wraps++;
      this.#audio.updateCurrentZeroTimestamp(this.counters.wraps * this.ringFrames, timeNs);
    }
    this.#write8(out(Ac97Register.lastValidIndex), (this.#played + ac97Entries - 1) % ac97Entries);
  }

  // Registers. Both ranges are I/O space: the kernel reads for us, and a device that left is all ones.

  #read8(offset: number): Promise<number> {
    return (this.#device as IOPCIDevice).memoryRead8(this.#bus, offset);
  }

  #read16(offset: number): Promise<number> {
    return (this.#device as IOPCIDevice).memoryRead16(this.#bus, offset);
  }

  #read32(offset: number): Promise<number> {
    return (this.#device as IOPCIDevice).memoryRead32(this.#bus, offset);
  }

  #write8(offset: number, value: number): void {
    this.#device?.memoryWrite8(this.#bus, offset, value);
  }

  #write16(offset: number, value: number): void {
    this.#device?.memoryWrite16(this.#bus, offset, value);
  }

  #write32(offset: number, value: number): void {
    this.#device?.memoryWrite32(this.#bus, offset, value);
  }

  #writeMixer(register: number, value: number): void {
    this.#device?.memoryWrite16(this.#mixer, register, value);
  }
}

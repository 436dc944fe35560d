// The USB audio dext: an audio device for each way in and out of a headset's function, class 1.0 or 2.0.
//
// USB Device Class Definition for Audio Devices 1.0 and 2.0. Left out: formats other than PCM, implicit feedback, the interrupt
// endpoint, clock selectors and multipliers as controls, mixers, effects.

import { DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { microsecond, second } from "../../base/units.ts";
import {
  type AudioFunctionView,
  type AudioStreamView,
  viewAudioFunction,
} from "../../codec/uac/audio-function.ts";
import { AudioTerminal } from "../../codec/uac/uac.ts";
import {
  IOUserAudioClockAlgorithm,
  IOUserAudioReservedConfigChangeAction,
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
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import { IOError } from "../../runtime/io-error.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { interfacesOf } from "../cdc-function.ts";
import { UsbAudioControls, volumeUnits } from "./usb-audio-controls.ts";
import { audioCompletion, transfersAhead, UsbAudioEngine } from "./usb-audio-engine.ts";

/** A third of a second of 48 kHz; also the zero-timestamp period. */
const ringFrames = 16384;
const queueName = "AudioIO";
/** What lies between the ring and the wire, and a transfer more for a completion that comes late. */
const aheadNs = (transfersAhead + 1) * 8000 * microsecond;
/** What has come is seen when its transfer is over. */
const behindNs = 2 * 8000 * microsecond;
const usualRate = 48_000;

/** One way of the function: a stream, the audio device made of it, and its engine while it runs. */
class UsbAudioWay {
  readonly stream: AudioStreamView;
  readonly usb: IOUSBHostInterface;
  readonly ring: IOBufferMemoryDescriptor;
  audio: IOUserAudioDevice | null = null;
  engine: UsbAudioEngine | null = null;

  constructor(stream: AudioStreamView, usb: IOUSBHostInterface, ring: IOBufferMemoryDescriptor) {
    this.stream = stream;
    this.usb = usb;
    this.ring = ring;
  }

  get frameBytes(): number {
    return this.stream.channels * this.stream.sampleBytes;
  }
}

/**
 * Matches the control interface and opens the streaming interfaces that its header or association names. Input and output are two
 * devices, as their clocks may be two.
 */
export class UsbAudioDriver extends IOUserAudioDriver {
  static override readonly queueNames: Readonly<Record<string, string>> = { [audioCompletion]: queueName };
  #usb: IOUSBHostInterface | null = null;
  #controls: UsbAudioControls | null = null;
  #queue: IODispatchQueue | null = null;
  readonly #ways: UsbAudioWay[] = [];

  /** Engines that run now, outputs first, for their counters. */
  get engines(): readonly UsbAudioEngine[] {
    return this.#ways.flatMap(({ engine }) => engine ?? []);
  }

  override async start(provider: IOService): Promise<void> {
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostInterface");
    this.#queue = IODispatchQueue.create(this.process, queueName);
    this.setDispatchQueue(queueName, this.#queue);
    await super.start(provider);
    const view = viewAudioFunction(provider.copyConfigurationDescriptor(), provider.number);
    if (view === null)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "start",
        "the control interface has no audio header",
      );
    await provider.open(this);
    this.#usb = provider;
    const controls = new UsbAudioControls(provider, view);
    this.#controls = controls;
    this.setTransportType(IOUserAudioTransportType.USB);
    const name = await this.#nameOf(provider);
    const others = interfacesOf(provider.device);
    for (const isOutput of [true, false]) {
      const stream = choose(view.streams.filter((each) => each.isOutput === isOutput));
      const usb = others.find(({ number }) => number === stream?.interfaceNumber);
      if (stream !== undefined && usb !== undefined) await this.#addWay(view, stream, usb, name);
    }
    if (this.#ways.length === 0)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "start",
        "the function has no stream of PCM with a rate that can be used",
      );
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    for (const way of this.#ways) {
      await this.#stopWay(way);
      way.ring.release();
      way.usb.close(this);
    }
    this.#ways.length = 0;
    this.#queue?.release();
    this.#usb?.close(this);
    await super.stop(provider);
  }

  // Devices.

  async #addWay(
    view: AudioFunctionView,
    stream: AudioStreamView,
    usb: IOUSBHostInterface,
    name: string,
  ): Promise<void> {
    const controls = this.#controls as UsbAudioControls;
    const rates = await this.#ratesOf(stream);
    if (rates.length === 0) return;
    await usb.open(this);
    const frameBytes = stream.channels * stream.sampleBytes;
    const memory = IOBufferMemoryDescriptor.create(
      this.process.memory,
      kIOMemoryDirectionOutIn,
      ringFrames * frameBytes,
      0,
    );
    if (memory.value === null) throw this.failure(memory.status, "IOBufferMemoryDescriptor.Create", "ring");
    const way = new UsbAudioWay(stream, usb, memory.value);
    const driver = this;
    const side = stream.isOutput ? "output" : "input";
    const audio = new (class extends IOUserAudioDevice {
      override async startIO(flags: number): Promise<void> {
        await super.startIO(flags);
        await driver.#startWay(way);
      }

      override async stopIO(flags: number): Promise<void> {
        await driver.#stopWay(way);
        await super.stopIO(flags);
      }

      override async performDeviceConfigurationChange(action: number, info: unknown): Promise<void> {
        await super.performDeviceConfigurationChange(action, info);
        if (action === IOUserAudioReservedConfigChangeAction.SampleRate)
          driver.#rateChanged(way, info as number);
      }
    })(this, {
      uid: `org.drydock.usb-audio.${this.#usb?.device.getAddress() ?? 0}.${stream.interfaceNumber}.${side}`,
      modelUID: name,
      manufacturerUID: "Drydock",
      zeroTimestampPeriod: ringFrames,
    });
    way.audio = audio;
    const rate = rates.includes(usualRate) ? usualRate : rates[0];
    audio.setName(name);
    audio.setTransportType(IOUserAudioTransportType.USB);
    audio.setClockAlgorithm(IOUserAudioClockAlgorithm.TwelvePtMovingWindowAverage);
    audio.setAvailableSampleRates(rates);
    const io = new IOUserAudioStream(
      this,
      stream.isOutput ? IOUserAudioStreamDirection.Output : IOUserAudioStreamDirection.Input,
      memory.value,
    );
    io.setTerminalType(terminalOf(view.plugOf(stream.terminal)));
    const formats = rates.map((each) => linearPcm(each, stream.channels, stream.sampleBytes * 8));
    io.setAvailableStreamFormats(formats);
    io.setCurrentStreamFormat(formats[rates.indexOf(rate)]);
    audio.addStream(io);
    audio.setSampleRate(rate);
    this.#setOffsets(way, rate);
    if (stream.isOutput) audio.setCanBeDefaultOutputDevice(true);
    else audio.setCanBeDefaultInputDevice(true);
    for (const control of await this.#controlsOf(view, stream, controls)) {
      audio.addControl(control);
      this.addObject(control);
    }
    this.#ways.push(way);
    this.addObject(audio);
  }

  /** A clock that says what cannot be has no rate; the log says why. */
  async #ratesOf(stream: AudioStreamView): Promise<readonly number[]> {
    try {
      return await (this.#controls as UsbAudioControls).ratesOf(stream);
    } catch (error) {
      if (!(error instanceof DecodeError) && !(error instanceof IOError)) throw error;
      this.log(`interface ${stream.interfaceNumber}: no rate: ${error.message}`, "error");
      return [];
    }
  }

  #setOffsets({ audio, stream }: UsbAudioWay, rate: number): void {
    if (stream.isOutput) audio?.setOutputSafetyOffset(Math.ceil((aheadNs * rate) / second));
    else audio?.setInputSafetyOffset(Math.ceil((behindNs * rate) / second));
  }

  /** The offsets follow the rate, and so does every other way with the same clock. */
  #rateChanged(way: UsbAudioWay, rate: number): void {
    this.#setOffsets(way, rate);
    const clock = this.#controls?.clockIdOf(way.stream) ?? null;
    if (clock === null) return;
    for (const other of this.#ways) {
      if (other === way || this.#controls?.clockIdOf(other.stream) !== clock) continue;
      if (other.audio === null || other.audio.getSampleRate() === rate) continue;
      other.audio.requestDeviceConfigurationChange(IOUserAudioReservedConfigChangeAction.SampleRate, rate);
    }
  }

  async #controlsOf(
    view: AudioFunctionView,
    stream: AudioStreamView,
    controls: UsbAudioControls,
  ): Promise<readonly IOUserAudioControl[]> {
    const features = view.featuresOf(stream.terminal);
    const place = { isSettable: true, element: 0, scope: stream.isOutput ? "output" : "input" } as const;
    const found: IOUserAudioControl[] = [];
    const mutes = controls.mutesOf(features);
    const volumes = controls.volumesOf(features);
    try {
      if (mutes.length > 0) {
        for (const mute of mutes) await controls.setMute(mute, false);
        found.push(
          new (class extends IOUserAudioBooleanControl {
            override async handleChangeControlValue(value: boolean): Promise<void> {
              for (const mute of mutes) await controls.setMute(mute, value);
              await super.handleChangeControlValue(value);
            }
          })(this, place, false),
        );
      }
      if (volumes.length > 0) {
        const range = await controls.volumeRange(volumes[0]);
        const now = await controls.volume(volumes[0]);
        found.push(
          new (class extends IOUserAudioLevelControl {
            override async handleChangeDecibelValue(decibel: number): Promise<void> {
              const wanted = Math.round(decibel * volumeUnits);
              const value = Math.max(range.minimum, Math.min(range.maximum, wanted));
              for (const volume of volumes) await controls.setVolume(volume, value);
              // A device takes the step that it has.
              await super.handleChangeDecibelValue((await controls.volume(volumes[0])) / volumeUnits);
            }
          })(this, place, now / volumeUnits, {
            minimum: range.minimum / volumeUnits,
            maximum: range.maximum / volumeUnits,
          }),
        );
      }
    } catch (error) {
      // Sound without a knob is better than none.
      if (!(error instanceof DecodeError) && !(error instanceof IOError)) throw error;
      this.log(`interface ${stream.interfaceNumber}: a control is left out: ${error.message}`, "error");
    }
    return found;
  }

  async #nameOf(provider: IOUSBHostInterface): Promise<string> {
    const { iProduct } = provider.device.deviceDescriptor;
    try {
      return (await provider.copyStringDescriptor(iProduct)) || "USB audio";
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      return "USB audio";
    }
  }

  // I/O. Called on the default queue, by the devices.

  /** Clock, setting, endpoint's rate, transfers: Audio 1.0 §5.2.3.2.3.1 sets an endpoint that is there, 2.0 §5.2.5.1 a clock before. */
  async #startWay(way: UsbAudioWay): Promise<void> {
    const { audio, ring, stream, usb } = way;
    const controls = this.#controls;
    if (audio === null || controls === null || usb.device.isGone)
      throw this.failure(IOReturns.kIOReturnNoDevice, "StartIO");
    await this.#stopWay(way);
    const rate = audio.getSampleRate();
    ring.bytes.fill(0);
    if (stream.rates === null) await controls.setRate(stream, rate);
    await usb.selectAlternateSetting(stream.alternate);
    try {
      if (stream.rates !== null) await controls.setRate(stream, rate);
      const engine = new UsbAudioEngine({
        driver: this,
        audio,
        usb,
        ring,
        frameBytes: way.frameBytes,
        isOutput: stream.isOutput,
        endpoint: stream.endpoint.descriptor.bEndpointAddress,
        feedback: stream.feedback?.descriptor.bEndpointAddress ?? null,
        failed: (status, call) => this.#failed(way, status, call),
      });
      way.engine = engine;
      engine.start();
    } catch (error) {
      await this.#stopWay(way);
      throw error;
    }
  }

  async #stopWay(way: UsbAudioWay): Promise<void> {
    const { engine, usb } = way;
    way.engine = null;
    await engine?.stop();
    if (usb.device.isGone || usb.getInterfaceDescriptor().bAlternateSetting === 0) return;
    try {
      await usb.selectAlternateSetting(0);
    } catch (error) {
      // It was pulled meanwhile.
      if (!(error instanceof IOError)) throw error;
    }
  }

  #failed({ audio, usb }: UsbAudioWay, status: IOReturn, call: string): void {
    if (usb.device.isGone) return;
    this.log(`${call} ended with ${status}: the stream stands still`, "error");
    audio?.setDeviceIsAlive(false);
  }
}

/** Two channels of 16 bits before others; of those alike the first. */
function choose(streams: readonly AudioStreamView[]): AudioStreamView | undefined {
  const worth = ({ bits, channels, sampleBytes }: AudioStreamView): number =>
    (channels === 2 ? 2 : 0) + (bits === 16 && sampleBytes === 2 ? 1 : 0);
  const usable = streams.filter(({ channels, sampleBytes }) => channels > 0 && sampleBytes > 0);
  return usable.reduce<AudioStreamView | undefined>(
    (best, each) => (best === undefined || worth(each) > worth(best) ? each : best),
    undefined,
  );
}

function terminalOf(type: number): number {
  if (type === AudioTerminal.speaker) return IOUserAudioStreamTerminalType.Speaker;
  if (type === AudioTerminal.headphones || type === AudioTerminal.headset)
    return IOUserAudioStreamTerminalType.Headphones;
  if (type === AudioTerminal.microphone) return IOUserAudioStreamTerminalType.Microphone;
  return IOUserAudioStreamTerminalType.Unknown;
}

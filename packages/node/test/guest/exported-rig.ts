// Device models on the real clock behind a USB/IP server on loopback, for a guest to attach.

import { CdcAcmDevice } from "@drydock/core/devices/cdc-acm/cdc-acm-device";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import type { UsbDevicePort } from "@drydock/core/ports/usb-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import type { Listener } from "@drydock/node/socket-stream";
import { listenUsbip } from "@drydock/node/usbip-listener";

/** Connector 1 has an FT232R, connector 2 a CDC-ACM modem, both with loop-back plugs; busids 1-1 and 1-2. */
export class ExportedSerialRig {
  readonly rig: UsbExportRig;
  readonly ftdi: FtdiDevice;
  readonly acm: CdcAcmDevice;
  readonly events: string[] = [];
  readonly #runner: LiveRunner;
  #listener: Listener | null = null;

  constructor() {
    this.rig = new UsbExportRig({
      seed: 1,
      turn: hostTurn,
      timing: "none",
      trace: false,
      onEvent: (text) => this.events.push(text),
    });
    const clock = this.rig.scheduler;
    this.ftdi = new FtdiDevice({ clock, pacing: "none", rings: "transfer" });
    this.acm = new CdcAcmDevice({ clock, pacing: "none" });
    this.plugIn(this.ftdi, 1);
    this.plugIn(this.acm, 2);
    this.#runner = new LiveRunner(clock);
    void this.#runner.start();
  }

  plugIn(device: UsbDevicePort, connector: number): void {
    this.rig.usb.bus.plugIn(device, connector);
  }

  /** Answers the port; the same one when `port` is given. */
  async listen(port = 0): Promise<number> {
    this.#listener = await listenUsbip(this.rig.server, { port, steps: this.rig.scheduler });
    return this.#listener.port;
  }

  /** The server goes: connections end, the devices stay plugged in. */
  async stopListening(): Promise<void> {
    this.rig.server.close();
    await this.#listener?.close();
    this.#listener = null;
  }

  async stop(): Promise<void> {
    await this.stopListening();
    await this.#runner.stop();
  }
}

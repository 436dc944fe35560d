// A machine with all of Drydock's USB drivers and nothing plugged in: for devices that come from elsewhere.

import { describeHidRequest } from "../codec/hid/hid.ts";
import { cdcAcmBundle } from "../drivers/cdc-acm/cdc-acm-driver.ts";
import { ftdiBundle } from "../drivers/ftdi/ftdi-driver.ts";
import { massStorageBundle } from "../drivers/mass-storage/mass-storage-driver.ts";
import { usbAudioBundle } from "../drivers/usb-audio/usb-audio-bundle.ts";
import { usbHidBundle } from "../drivers/usb-hid/usb-hid-driver.ts";
import { AudioFamily } from "../families/audio/audio-family.ts";
import { type HidInput, installHidFamily } from "../families/hid/hid-family.ts";
import { installNetworkFamily } from "../families/network/io-ethernet-interface.ts";
import { ScsiFamily } from "../families/scsi/scsi-family.ts";
import { installSerialFamily } from "../families/serial/io-serial-bsd-client.ts";
import { networkBundles, networkRequestNames } from "./network-rig.ts";
import { serialRequestNames } from "./serial-rig.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";
import { UsbRigDoors } from "./usb-rig-doors.ts";

export interface AnyUsbRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  /** Told of each input that comes up, at once: no event is missed by who opens it there. */
  readonly onInput?: (input: HidInput) => void;
  /** Which of our drivers are installed. Default all. */
  readonly drivers?: "all" | "none";
}

/** Whatever a driver of ours matches comes up: serial ports, inputs, disks, network interfaces, audio devices. */
export class AnyUsbRig extends UsbRigDoors {
  readonly scsi: ScsiFamily;
  readonly audio: AudioFamily;

  constructor(options: AnyUsbRigOptions) {
    super(
      new UsbRig({
        ...options,
        describeRequests: [...serialRequestNames, describeHidRequest, ...networkRequestNames],
      }),
    );
    installSerialFamily(this.machine);
    installHidFamily(this.machine, options.onInput ?? (() => {}));
    installNetworkFamily(this.machine);
    this.scsi = new ScsiFamily(this.machine);
    this.audio = new AudioFamily(this.machine);
    if (options.drivers === "none") return;
    // What comes from elsewhere comes over USB/IP, which has no word for streams: UAS of a SuperSpeed device would wait for one.
    const own = [
      ftdiBundle,
      cdcAcmBundle,
      usbHidBundle,
      massStorageBundle("bulk-only"),
      usbAudioBundle(),
      ...networkBundles,
    ];
    for (const bundle of own) this.machine.install(bundle);
  }
}

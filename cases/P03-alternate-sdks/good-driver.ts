// P03, right: built with the oldest SDK that has what the driver uses.

import { scsiDriverBundle } from "./scsi-driver.ts";

export const goodScsiBundle = scsiDriverBundle("24.0");

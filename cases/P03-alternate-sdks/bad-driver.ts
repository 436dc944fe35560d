// P03, wrong: built with the newest SDK, for systems that are older than it.

import { scsiDriverBundle } from "./scsi-driver.ts";

export const badScsiBundle = scsiDriverBundle("24.4");

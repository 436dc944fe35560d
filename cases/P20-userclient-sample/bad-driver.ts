// P20, wrong: the sample's driver after allow-any-userclient-access was removed, and an app without any key.

import { nullDriverBundle } from "./null-driver.ts";

export const badNullDriverBundle = nullDriverBundle({});

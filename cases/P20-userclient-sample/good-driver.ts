// P20, right: the driver's own App ID has DriverKit Allow Any UserClient (development), so its key is there.

import { nullDriverBundle } from "./null-driver.ts";

export const goodNullDriverBundle = nullDriverBundle({
  "com.apple.developer.driverkit.allow-any-userclient-access": true,
});

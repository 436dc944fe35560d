// P10, right: the stream's state is kept between transfers, and the pad word ends what would end on a full packet.

import { ethernetBundle, SmallReadsDriver } from "./ethernet-driver.ts";

export const goodEthernetBundle = ethernetBundle("good", SmallReadsDriver);

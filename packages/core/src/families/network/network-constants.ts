// Numbers of NetworkingDriverKit: link status, quality, media. Names as Apple has them (driverkit-families.md §4.2).

export const kIOUserNetworkLinkStatusInactive = 1;
export const kIOUserNetworkLinkStatusActive = 3;

export const kIOUserNetworkMediaEthernetAuto = 0x20;
export const kIOUserNetworkMediaEthernet10BaseT = 0x23;
export const kIOUserNetworkMediaEthernet100BaseTX = 0x26;
const kIOUserNetworkMediaEthernet1000BaseT = 0x30;
export const kIOUserNetworkMediaOptionFullDuplex = 0x0010_0000;
export const kIOUserNetworkMediaOptionHalfDuplex = 0x0020_0000;
/** Type and subtype of a media word. */
export const kIOUserNetworkMediaTypeMask = 0xfff;

export const kIOUserNetworkPacketDirectionNone = 0;
export const kIOUserNetworkPacketDirectionTx = 1;
export const kIOUserNetworkPacketDirectionRx = 2;

/** Pool memory is in the dext's address space: what the data path needs. */
export const PoolFlagMapToDext = 0x1;

const mediaRates: Readonly<Record<number, number>> = {
  [kIOUserNetworkMediaEthernet10BaseT]: 10_000_000,
  [kIOUserNetworkMediaEthernet100BaseTX]: 100_000_000,
  [kIOUserNetworkMediaEthernet1000BaseT]: 1_000_000_000,
};

/** Bits per second of a media word; 0 for Auto, None and what is not listed. */
export function mediaRate(media: number): number {
  return mediaRates[media & kIOUserNetworkMediaTypeMask] ?? 0;
}

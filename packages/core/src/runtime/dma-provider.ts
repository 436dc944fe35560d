// Whose hardware does a driver's DMA: the nearest provider that has a mapper.

import type { DmaProvider } from "./dma-command.ts";
import type { IOService } from "./service.ts";

/** Null: nobody below `service` does DMA. */
export function dmaProviderOf(service: IOService): DmaProvider | null {
  for (let entry: IOService | null = service.provider; entry !== null; entry = entry.provider)
    if ("dmaPort" in entry) return entry as IOService & DmaProvider;
  return null;
}

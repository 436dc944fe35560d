// The flush ledger: who was asked to flush, what each layer made of it, and where a flush was lost (posts.md F15).

/** Layers of the host from the file system downward; what they all let through went to the disk. */
export const flushLayers = ["block layer", "class driver"] as const;
export type FlushLayer = (typeof flushLayers)[number];

/** What one layer did with the flushes it was given. */
export interface FlushCounts {
  requested: number;
  /** Handed on as a command of the layer below. */
  converted: number;
  /** Answered with success, and nothing was sent. */
  suppressed: number;
  /** Success was reported before the layer below had answered. */
  completedEarly: number;
  failed: number;
}

/** One ledger per disk; every layer that handles flushes writes into it. */
export class FlushLedger {
  readonly #counts = new Map<FlushLayer, FlushCounts>();
  readonly #reasons = new Map<FlushLayer, string>();

  of(layer: FlushLayer): FlushCounts {
    let counts = this.#counts.get(layer);
    if (counts === undefined) {
      counts = { requested: 0, converted: 0, suppressed: 0, completedEarly: 0, failed: 0 };
      this.#counts.set(layer, counts);
    }
    return counts;
  }

  /** Why the last suppressed or early flush of a layer was so; null when there was none. */
  reasonOf(layer: FlushLayer): string | null {
    return this.#reasons.get(layer) ?? null;
  }

  suppress(layer: FlushLayer, reason: string): void {
    this.of(layer).suppressed++;
    this.#reasons.set(layer, reason);
  }

  completeEarly(layer: FlushLayer, reason: string): void {
    this.of(layer).completedEarly++;
    this.#reasons.set(layer, reason);
  }

  /** The uppermost layer that swallowed a flush; null when every one went all the way down. */
  get guilty(): FlushLayer | null {
    for (const layer of flushLayers) {
      const counts = this.#counts.get(layer);
      if (counts !== undefined && counts.suppressed + counts.completedEarly > 0) return layer;
    }
    return null;
  }

  /** "class driver: requested 1, sent 0, suppressed 1 (write cache deemed off: ...)", one line per layer with traffic. */
  lines(): string[] {
    const lines: string[] = [];
    for (const layer of flushLayers) {
      const counts = this.#counts.get(layer);
      if (counts === undefined || counts.requested === 0) continue;
      const reason = this.#reasons.get(layer);
      const parts = [`requested ${counts.requested}`, `sent ${counts.converted}`];
      if (counts.suppressed > 0) parts.push(`suppressed ${counts.suppressed}`);
      if (counts.completedEarly > 0) parts.push(`completed early ${counts.completedEarly}`);
      if (counts.failed > 0) parts.push(`failed ${counts.failed}`);
      lines.push(`${layer}: ${parts.join(", ")}${reason === undefined ? "" : ` (reason: ${reason})`}`);
    }
    return lines;
  }
}

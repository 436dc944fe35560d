// A host turn where it was before this package had rooms: scripts outside still go this way.

export * from "./host/host-turn.ts";

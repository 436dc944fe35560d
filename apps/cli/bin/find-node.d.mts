// Types of find-node.mjs, which is plain JavaScript for whatever Node is there first.

/** The Node that npm installed in a folder from `from` upwards; null when there is none. */
export function findNode(from: string, platform?: string, arch?: string): string | null;

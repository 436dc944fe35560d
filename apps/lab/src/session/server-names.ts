// Names under which the lab opens rigs that run on the server.

/** The rig of drydock start. */
export const startedName = "server";

/** Those of `--lab` are "server-NAME". */
export const isServerName = (name: string): boolean => /^server(?:-[a-z0-9-]+)?$/.test(name);

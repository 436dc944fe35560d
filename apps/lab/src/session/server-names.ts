// Names under which the lab opens what is in no catalogue: rigs of the server, devices of the visitor.

/** The rig of drydock start. */
export const startedName = "server";

/** Those of `--lab` are "server-NAME". */
export const isServerName = (name: string): boolean => /^server(?:-[a-z0-9-]+)?$/.test(name);

/** The rig that is made of the visitor's own devices. */
export const deviceName = "device";

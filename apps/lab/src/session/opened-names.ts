// Names of what the lab opens that is in no catalogue: cases, runs of campaigns, the server's rigs, own devices.

/** The rig of drydock start. */
export const startedName = "server";

/** Those of `--lab` are "server-NAME". */
export const isServerName = (name: string): boolean => /^server(?:-[a-z0-9-]+)?$/.test(name);

/** The rig that is made of the visitor's own devices. */
export const deviceName = "device";

export const isCase = (name: string): boolean => /^P\d{2,3}$/i.test(name);

/** One run of a campaign is "campaign-RIG"; its faults are those of the opening. */
export const campaignPrefix = "campaign-";
export const isCampaignRun = (name: string): boolean => name.startsWith(campaignPrefix);

/** It has run to its end before anything is shown. */
export const isEnded = (name: string): boolean => isCase(name) || isCampaignRun(name);

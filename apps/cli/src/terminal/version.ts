// The version that the command and its reports give.

export const drydockVersion = "0.1.0";

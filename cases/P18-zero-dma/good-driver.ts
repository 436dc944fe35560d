// P18, right: the kernel's address untouched, system memory in the entry, exact counts, and no look at the data.

/** What `zeroDmaDriver` is given for it. */
export const noFault = null;

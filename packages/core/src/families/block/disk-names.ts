// BSD names of disks: one row of numbers for a machine, whichever family brings a disk up.

const next = new WeakMap<object, number>();

/** disk2, disk3, ...: 0 and 1 are the machine's own. */
export function nextDiskName(machine: object): string {
  const number = next.get(machine) ?? 2;
  next.set(machine, number + 1);
  return `disk${number}`;
}

// Lines that look like failures and are printed on machines where nothing is wrong.

const harmless: readonly RegExp[] = [
  // system_profiler tries to open every USB device, and says so for those that it may not open.
  /\bsystem_profiler\b.*IOCreatePlugInInterfaceForService failed|SPUSBDevice: IOCreatePlugInInterfaceForService failed/,
  // The kernel prints the count at every launch of a driver.
  /has crashed 0 time\(?s?\)?/,
  // An isochronous frame that was not used, a pipe that was closed by the one who says it.
  /\b(?:Abort|Close|Stop)\b.*\bkIOReturnAborted\b.*(?:expected|ignored|as requested)/i,
  // ioreg and hidutil say this of properties that nobody published.
  /\b(?:ioreg|hidutil)\b.*(?:can't obtain properties|no matching services)/i,
];

export function isHarmless(line: string): boolean {
  return harmless.some((pattern) => pattern.test(line));
}

// Filters that the trace offers while one is typed.

/** What a filter may begin with. A test parses each. */
export const filterWords: readonly string[] = [
  "kind:usb",
  "kind:log",
  "kind:fault",
  "ep:0x81",
  "device:1",
  "length>0",
  "status:STALL",
  "who:deviceRequest",
  "what:SET_",
  "time>0.5",
  "no>=100 and no<=200",
  "usb.endpoint_address==0x81",
];

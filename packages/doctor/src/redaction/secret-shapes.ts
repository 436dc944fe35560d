// Where secrets stand in evidence: team ids, names of people and machines, addresses, serial numbers, device ids.

export type SecretShape =
  | "team"
  | "mail"
  | "name"
  | "user"
  | "host"
  | "serial"
  | "device"
  | "mac"
  | "ipv4"
  | "ipv6"
  | "bytes"
  | "path"
  | "volume";

interface Shape {
  readonly kind: SecretShape;
  /** The secret is group 1, or the whole match where there is none. Linear on foreign text. */
  readonly pattern: RegExp;
  readonly isSecret?: (text: string) => boolean;
}

const hasBoth = (text: string): boolean => /[A-Z]/.test(text) && /\d/.test(text);
/** Words that stand where a name stands, and name nobody. */
const nobody =
  /^(?:Shared|Guest|user|users|root|admin|runner|builder|build|test|localhost|kernel|USER|Default|Error|Fault|Info|Debug|Df|Db|E|F|I|A|0x[0-9a-f]+|\d+)$/i;
const isName = (text: string): boolean => text.length >= 2 && !nobody.test(text);

const certificates =
  "Apple Development|Apple Distribution|Mac Developer|iPhone Developer|iPhone Distribution|3rd Party Mac Developer \\w+|Developer ID (?:Application|Installer)";

export const secretShapes: readonly Shape[] = [
  // Teams: before a bundle id, in brackets, by their key, in a list's column.
  { kind: "team", pattern: /\b([A-Z0-9]{10})(?=\.(?:\*|[a-z][\w-]*(?:\.[\w*-]+)+))/g, isSecret: hasBoth },
  { kind: "team", pattern: /\(([A-Z0-9]{10})\)/g, isSecret: hasBoth },
  {
    kind: "team",
    pattern:
      /\b(?:team|DEVELOPMENT_TEAM|TeamIdentifier|teamI[Dd]|team[ _-]?id(?:entifier)?)["'(:=\s]{1,6}([A-Z0-9]{10})\b/gi,
    isSecret: (text) => /^[A-Z0-9]{10}$/.test(text),
  },
  {
    kind: "team",
    pattern:
      /<key>(?:TeamIdentifier|ApplicationIdentifierPrefix|com\.apple\.developer\.team-identifier)<\/key>\s*(?:<array>\s*)?<string>([A-Z0-9]{10})<\/string>/g,
  },
  { kind: "team", pattern: /\b(?:subject\.OU\]|OU)\s{0,2}=\s{0,2}"?([A-Z0-9]{10})\b/g },
  { kind: "team", pattern: /\bTEAMID\b["']?\s{0,3}[:=]\s{0,3}["']?([A-Z0-9]{10})\b/g },
  {
    kind: "team",
    pattern: /^[ \t]{0,16}\*?[ \t]{1,16}\*?[ \t]{0,16}([A-Z0-9]{10})[ \t]{1,16}[A-Za-z][\w.-]+[ \t]+\(/gm,
  },
  // People.
  {
    kind: "name",
    pattern:
      /^[ \t>|*/#]{0,8}(?:From|To|Cc|Reply-To|Sender|Von|An|Author|Committer|Signed-off-by|Reported-by|Tested-by): {0,3}"?([\p{L}][^"<\n@]{1,80}?)"? {0,2}<[^<>\s]{3,120}>/gmu,
  },
  { kind: "name", pattern: /\bCreated by ([\p{L}][^\n]{1,60}?) on \d{1,4}[./-]\d{1,2}[./-]\d{2,4}/gu },
  {
    kind: "name",
    pattern: /\b(?:Full ?Name|RealName|Real name|Owner)"?\s{0,3}[:=]\s{0,3}"?([\p{L}][^"\n<;,]{1,60})/gu,
  },
  { kind: "user", pattern: /\b(?:USER|LOGNAME|SUDO_USER|USERNAME)=([\w.-]{2,64})/g, isSecret: isName },
  {
    kind: "user",
    pattern: /\b(?:[Uu]ser ?[Nn]ame|[Ll]ogin|[Aa]ccount)"?\s{0,3}[:=]\s{0,3}"?([\w.-]{2,64})/g,
    isSecret: isName,
  },
  {
    kind: "user",
    pattern: /\b(?:for|by|of) user ([A-Za-z][\w.-]{2,64})\b(?! (?:client|space|land|mode|name))/g,
    isSecret: isName,
  },
  {
    kind: "user",
    pattern:
      /^[-dlbcps][-rwxsStT]{9}[@+.]? {1,8}\d{1,6} ([\w.-]{2,64}) {1,12}(?:staff|wheel|admin|_\w{1,32})\b/gm,
    isSecret: isName,
  },
  { kind: "user", pattern: /\bsudo(?:\[\d{1,9}\])?: {1,4}([\w.-]{2,64}) : /g, isSecret: isName },
  { kind: "user", pattern: /(?<![\w/])~([A-Za-z][\w.-]{2,64})\//g, isSecret: isName },
  {
    kind: "user",
    pattern: /\b(?:ssh|sftp|smb|afp|ftp|https?):\/\/([\w.-]{2,64})(?::[^@\s/]{0,64})?@/g,
    isSecret: isName,
  },
  { kind: "mail", pattern: /(?<![\w/])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b/gi },
  { kind: "name", pattern: new RegExp(`(?:${certificates}): ([^"(\\n@]{2,100}?)(?= ?\\(|"|$)`, "gm") },
  { kind: "name", pattern: /<key>TeamName<\/key>\s*<string>([^<]{2,200})<\/string>/g },
  { kind: "user", pattern: /(?:\/|\b[A-Z]:\\)(?:Users|home)[/\\]+([^/\\\s"':<>)]{1,64})/g, isSecret: isName },
  { kind: "user", pattern: /\buid=\d+\(([\w.-]{1,64})\)/g, isSecret: isName },
  { kind: "user", pattern: /^([\w.-]{1,32})@[\w.-]{1,64} [^\n]{0,80}?[%$#] /gm, isSecret: isName },
  { kind: "user", pattern: /^[\w.-]{1,64}:\S{1,80} ([\w.-]{1,32})\$ /gm, isSecret: isName },
  // Machines.
  { kind: "host", pattern: /^[\w.-]{1,32}@([\w.-]{1,64}) [^\n]{0,80}?[%$#] /gm, isSecret: isName },
  { kind: "host", pattern: /^([\w.-]{1,64}):\S{1,80} [\w.-]{1,32}\$ /gm, isSecret: isName },
  { kind: "host", pattern: /\b([\w-]{1,63})\.local\b/g, isSecret: isName },
  {
    kind: "host",
    pattern:
      /\b\d{4}-\d\d-\d\d[ T][\d:.]{8,18}(?:[+-]\d\d:?\d\d|Z)?\s{1,4}([A-Za-z][\w.-]{1,63})\s{1,4}[\w.()/-]{1,80}(?:\[\d{1,9}\])?:/g,
    isSecret: isName,
  },
  {
    kind: "host",
    pattern:
      /\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d:\d\d ([A-Za-z][\w.-]{1,63}) [\w.()/-]{1,80}(?:\[\d{1,9}\])?:/g,
    isSecret: isName,
  },
  {
    kind: "host",
    pattern:
      /(?:[Hh]ost ?[Nn]ame|[Cc]omputer ?[Nn]ame|LocalHostName)"?\s{0,4}[:=]\s{0,4}"?([A-Za-z0-9][\w.’' -]{1,63}?)(?=["\n<]|$)/gm,
    isSecret: isName,
  },
  {
    kind: "host",
    pattern:
      /\b[\w’'-]{1,40}(?:-|[’']s )(?:MacBook|iMac|Mac)(?:[- ](?:Pro|Air|mini|Studio|Neo)){0,2}(?:[- ]\d{1,3})?\b/g,
  },
  {
    kind: "host",
    pattern: /\b(?:smb|afp|ssh|sftp|nfs):\/\/(?:[\w.-]{1,64}(?::[^@\s/]{0,64})?@)?([A-Za-z][\w.-]{1,63})/g,
    isSecret: isName,
  },
  {
    kind: "host",
    pattern: /\bDarwin ([\w.-]{2,63}) \d{1,2}\.\d{1,2}\.\d{1,2} Darwin Kernel\b/g,
    isSecret: isName,
  },
  // Numbers of machines and devices.
  {
    kind: "serial",
    pattern: /\/dev\/(?:cu|tty)\.(?:usbserial-|usbmodem|SLAB_USBtoUART-?|wchusbserial)([A-Z0-9]{6,40})\b/g,
    isSecret: hasBoth,
  },
  {
    kind: "serial",
    pattern:
      /\b[Ss]erial(?: [Nn]umber)? (?:is |was )?["']?((?=[A-Z0-9-]{0,20}\d)(?=[A-Z0-9-]{0,20}[A-Z])[A-Z0-9][A-Z0-9-]{5,30})\b/g,
  },
  {
    kind: "bytes",
    pattern:
      /"[^"\n]{0,60}(?:[Ss]erial-?[Nn]umber|mlb-serial-number|MACAddress|mac-address|[Uu]nique-?[Cc]hip-?[Ii][Dd])[^"\n]{0,30}"\s{0,4}=\s{0,4}<([0-9a-f]{8,256})>/g,
  },
  {
    kind: "device",
    pattern:
      /(?:IOPlatformUUID|Hardware UUID|Provisioning UDID|UniqueDeviceID|Volume UUID|DiskUUID)"?\s{0,4}[:=]\s{0,4}"?([0-9A-Fa-f-]{16,64})\b/g,
  },
  {
    kind: "device",
    pattern:
      /\b(?:UDID|udid|device id|Device ID)s? (?:is |was )?["']?([0-9a-fA-F]{40}|[0-9A-Fa-f]{8}-[0-9A-Fa-f]{16})\b/g,
  },
  { kind: "serial", pattern: /"[^"\n]{0,60}[Ss]erial[^"\n]{0,60}"\s{0,4}[=:]\s{0,4}"([^"\n]{2,120})"/g },
  {
    kind: "serial",
    pattern:
      /\b(?:[Ss]erial[ _]?(?:[Nn]umber|[Nn]um|[Nn]o\.?)|S\/N)(?: \(system\))?\s{0,4}[:=]\s{0,4}([A-Za-z0-9][\w-]{3,60})/g,
  },
  { kind: "serial", pattern: /\biSerial\s{1,12}\d{1,3}\s{1,4}([^\s]{3,120})/g },
  { kind: "serial", pattern: /<key>[^<]{0,60}[Ss]erial[^<]{0,60}<\/key>\s*<string>([^<]{2,120})<\/string>/g },
  { kind: "device", pattern: /\b[0-9A-F]{8}-[0-9A-F]{16}\b/gi },
  {
    kind: "device",
    pattern:
      /\b(?:UDID|udid|ECID|crashReporterKey|CrashReporter Key|Anonymous UUID)\b["']?\s{0,12}[:=]\s{0,12}["']?([0-9A-Fa-f-]{8,64})\b/g,
  },
  { kind: "device", pattern: /<string>([0-9a-f]{40})<\/string>/g },
  { kind: "mac", pattern: /(?<![\w:])(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}(?![\w:])/gi, isSecret: isMac },
  { kind: "mac", pattern: /(?<![\w-])(?:[0-9a-f]{2}-){5}[0-9a-f]{2}(?![\w-])/gi },
  {
    kind: "ipv4",
    pattern: /(?<![\w.])((?:10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3})(?![\w.]*\d)/g,
    isSecret: isIpv4,
  },
  {
    kind: "ipv4",
    pattern:
      /(?:\binet |\b(?:ip|addr|address|host|peer|server|remote|gateway|from|to|at|via)\b["']?[ :=]{1,3}|:\/\/)((?:\d{1,3}\.){3}\d{1,3})(?![\w.]*\d)/gi,
    isSecret: isIpv4,
  },
  {
    kind: "ipv4",
    pattern: /(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?=:\d{2,5}\b|\/\d{1,2}\b)/g,
    isSecret: isIpv4,
  },
  {
    kind: "ipv6",
    pattern: /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%[a-z]{1,8}\d{0,3})?(?![\w:])/gi,
    isSecret: isIpv6,
  },
  { kind: "path", pattern: /\bfile:\/\/(\/[^\s"'<>)]{1,1000})/g },
  {
    kind: "volume",
    pattern: /\/Volumes\/([^/"'\n<>:]{2,80}?)(?=[/"'\n<>:]|$)/gm,
    isSecret: (text) => !/^(?:Macintosh HD|Preboot|Recovery|VM|Data)$/.test(text),
  },
];

/** Four numbers up to 255; neither this machine itself nor a mask. */
function isIpv4(text: string): boolean {
  const parts = text.split(".").map(Number);
  return (
    parts.length === 4 &&
    parts.every((part) => part <= 255) &&
    parts[0] !== 0 &&
    parts[0] !== 127 &&
    parts[0] !== 255
  );
}

/** Six bytes, most of them written with two digits: "1:2:3:4:5:6" is a list of numbers. */
function isMac(text: string): boolean {
  return text.split(":").filter((part) => part.length === 2).length >= 4;
}

/** Eight groups, or fewer with "::" and a beginning that networks have; times and names of C++ are none. */
function isIpv6(text: string): boolean {
  const bare = text.replace(/%.*$/, "");
  const groups = bare.split(":").filter((group) => group !== "");
  if (!bare.includes("::")) return groups.length === 8;
  return (
    groups.length >= 2 &&
    (/^(?:fe80|fd[0-9a-f]{2}|fc[0-9a-f]{2}|2[0-9a-f]{3}|3[0-9a-f]{3}|ff0[0-9a-f]):/i.test(bare) ||
      groups.length >= 4)
  );
}

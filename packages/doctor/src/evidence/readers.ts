// Every reader there is. The order is the order in which kinds are named for a file.

import { gzipReader, tarReader, zipReader } from "./archive.ts";
import { captureReader } from "./capture.ts";
import { crashReader } from "./crash.ts";
import { descriptorBytesReader, descriptorTextReader } from "./descriptor-files.ts";
import { extensionsReader } from "./extensions-list.ts";
import { cpioReader, packageReader } from "./installer-package.ts";
import { panicReader } from "./panic.ts";
import { profileReader } from "./profile-file.ts";
import { projectReader, xcconfigReader } from "./project-settings.ts";
import { binaryPlistReader, plainPlistReader, plistReader } from "./property-list.ts";
import type { BinaryReader, TextReader } from "./reader.ts";
import { registryReader } from "./registry.ts";
import { machOReader, signatureReader } from "./signed-code.ts";
import { documentationReader, otherSourceReader, sourceReader } from "./source-text.ts";
import { usbListingReader } from "./usb-listing.ts";

export const textReaders: readonly TextReader[] = [
  panicReader,
  crashReader,
  registryReader,
  extensionsReader,
  usbListingReader,
  plistReader,
  plainPlistReader,
  descriptorTextReader,
  projectReader,
  xcconfigReader,
  sourceReader,
  otherSourceReader,
  documentationReader,
];

export const binaryReaders: readonly BinaryReader[] = [
  captureReader,
  descriptorBytesReader,
  machOReader,
  signatureReader,
  profileReader,
  binaryPlistReader,
  packageReader,
  zipReader,
  gzipReader,
  cpioReader,
  tarReader,
];

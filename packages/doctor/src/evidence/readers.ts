// Every reader there is. The order is the order in which kinds are named for a file.

import { panicReader } from "./panic.ts";
import type { BinaryReader, TextReader } from "./reader.ts";

export const textReaders: readonly TextReader[] = [panicReader];

export const binaryReaders: readonly BinaryReader[] = [];

// One request of a client from its header to its reply.

/** Records are used again: a connection makes as many as it ever had at once. */
export class NbdRequest {
  command = 0;
  handleHigh = 0;
  handleLow = 0;
  isForced = false;
  mayTrim = false;
  /** Bytes of the disk: the next one to submit, and where it ends. */
  cursor = 0;
  end = 0;
  start = 0;
  /** Pieces at the disk. */
  pending = 0;
  /** No further piece will be submitted. */
  isWhole = false;
  /** The first error; 0 while all is well. */
  error = 0;
  /** A flush follows the last piece (FUA on a trim). */
  flushAfter = false;
  /** Its answer must come in one row (a long read without structured replies). */
  isSerial = false;
  /** One extent is enough (block status). */
  isOne = false;
}

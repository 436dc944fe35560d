// Why there is no dext where one was looked for.

/** There is no dext there, or more than one, or a file of it cannot be read; the message says which. */
export class NoDextError extends Error {
  override readonly name = "NoDextError";
}

// The DOMExceptions of WebUSB, without a DOM library: Node and browsers both have the class.

/** The names that the methods of WebUSB reject with, and NotSupportedError for what we do not carry. */
export type WebUsbErrorName =
  | "AbortError"
  | "DataError"
  | "IndexSizeError"
  | "InvalidAccessError"
  | "InvalidStateError"
  | "NetworkError"
  | "NotFoundError"
  | "NotSupportedError"
  | "SecurityError";

interface DomExceptionHost {
  readonly DOMException: new (message: string, name: string) => Error;
}

export function webUsbError(name: WebUsbErrorName, message: string): Error {
  const { DOMException } = globalThis as unknown as DomExceptionHost;
  return new DOMException(message, name);
}

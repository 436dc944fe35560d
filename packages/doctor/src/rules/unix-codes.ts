// Numbers of Unix that people paste: errno of Darwin, signals, libusb's; each with what it means for a driver's author.

import type { OtherCode } from "./other-code.ts";

type Row = readonly [number: number, name: string, sentence: string, means: string, fix: string];

const asked = "See which call gave it, and with what.";
const log = "Look at the driver's lines of the same second.";
const report =
  "Give the crash report to drydock diagnose; it lies in ~/Library/Logs/DiagnosticReports or /Library/Logs/DiagnosticReports.";

/** sys/errno.h of Darwin; the numbers of Linux differ from 11 on. */
const posix: readonly Row[] = [
  [3, "ESRCH", "No such process", "the process has ended, or never was", asked],
  [4, "EINTR", "Interrupted system call", "a signal came while the call waited", "Make the call again."],
  [7, "E2BIG", "Argument list too long", "arguments and environment are longer than the system takes", asked],
  [
    9,
    "EBADF",
    "Bad file descriptor",
    "the descriptor was closed, or is not open for this",
    "Look for who closed it: often a second close of the same number.",
  ],
  [
    11,
    "EDEADLK",
    "Resource deadlock avoided",
    "waiting would never end: the lock is the caller's own",
    asked,
  ],
  [
    12,
    "ENOMEM",
    "Cannot allocate memory",
    "no memory, or none that fits: also a mapping that is too large",
    asked,
  ],
  [
    14,
    "EFAULT",
    "Bad address",
    "a pointer that was handed in points to nothing",
    "Check the buffers of the call.",
  ],
  [17, "EEXIST", "File exists", "something of that name is there already", asked],
  [
    18,
    "EXDEV",
    "Cross-device link",
    "a rename or link from one file system to another",
    "Copy, then remove.",
  ],
  [
    19,
    "ENODEV",
    "Operation not supported by device",
    "the device is gone, or its driver does not do that",
    "Look at ioreg: is the driver still there?",
  ],
  [20, "ENOTDIR", "Not a directory", "a part of the path is a file", asked],
  [21, "EISDIR", "Is a directory", "a folder was given where a file is needed", asked],
  [
    22,
    "EINVAL",
    "Invalid argument",
    "an argument does not fit: of a serial port, often a speed or a mode that it does not have",
    asked,
  ],
  [
    24,
    "EMFILE",
    "Too many open files",
    "the process has as many files open as it may",
    "Close what is not needed; ulimit -n shows the limit.",
  ],
  [
    25,
    "ENOTTY",
    "Inappropriate ioctl for device",
    "the file does not know this control: it is no terminal, or another kind of device",
    "Check which path was opened.",
  ],
  [26, "ETXTBSY", "Text file busy", "the program runs and is written to", "Write a new file and rename it."],
  [27, "EFBIG", "File too large", "the file would be larger than the file system takes", asked],
  [28, "ENOSPC", "No space left on device", "the disk is full; of a USB host, no bandwidth is left", asked],
  [
    30,
    "EROFS",
    "Read-only file system",
    "it may only be read: the sealed system volume, or a disk that is write-protected",
    asked,
  ],
  [
    32,
    "EPIPE",
    "Broken pipe",
    "the reader is gone; of a USB pipe on Linux, the endpoint answered STALL",
    asked,
  ],
  [34, "ERANGE", "Result too large", "the result does not fit the buffer or the number", asked],
  [
    35,
    "EAGAIN",
    "Resource temporarily unavailable",
    "it would have to wait, and was asked not to",
    "Wait until it is ready (poll, kqueue), then again.",
  ],
  [36, "EINPROGRESS", "Operation now in progress", "it has begun and goes on", "Wait for its end with poll."],
  [
    37,
    "EALREADY",
    "Operation already in progress",
    "it was begun before and has not ended",
    "Wait for its end.",
  ],
  [40, "EMSGSIZE", "Message too long", "the message is larger than what is carried", asked],
  [
    45,
    "ENOTSUP",
    "Operation not supported",
    "nobody here does that: of a port, its driver does not know the control",
    asked,
  ],
  [
    48,
    "EADDRINUSE",
    "Address already in use",
    "another program listens there",
    "lsof -i shows which; or choose another port.",
  ],
  [49, "EADDRNOTAVAIL", "Can't assign requested address", "the machine has no such address", asked],
  [51, "ENETUNREACH", "Network is unreachable", "there is no way to that network", asked],
  [53, "ECONNABORTED", "Software caused connection abort", "this side gave the connection up", asked],
  [
    54,
    "ECONNRESET",
    "Connection reset by peer",
    "the other side ended the connection at once",
    "Look at the other side's log.",
  ],
  [55, "ENOBUFS", "No buffer space available", "the queue or the buffers are full", "Slow down, or wait."],
  [57, "ENOTCONN", "Socket is not connected", "there is no connection", asked],
  [60, "ETIMEDOUT", "Operation timed out", "no answer came in the time given", asked],
  [
    61,
    "ECONNREFUSED",
    "Connection refused",
    "nobody listens at that address and port",
    "Is the server started, and on this port?",
  ],
  [62, "ELOOP", "Too many levels of symbolic links", "links lead in a circle", "ls -l along the path."],
  [63, "ENAMETOOLONG", "File name too long", "a name is longer than the system takes", asked],
  [65, "EHOSTUNREACH", "No route to host", "the host does not answer on this network", asked],
  [66, "ENOTEMPTY", "Directory not empty", "there is something in the folder", asked],
  [70, "ESTALE", "Stale NFS file handle", "the file is gone on the server", asked],
  [78, "ENOSYS", "Function not implemented", "this system does not have the call", asked],
  [79, "EFTYPE", "Inappropriate file type or format", "the file is not of the kind that is needed", asked],
  [82, "EPWROFF", "Device power is off", "the device has no power", log],
  [83, "EDEVERR", "Device error", "the device reported an error, for example no paper", log],
  [84, "EOVERFLOW", "Value too large to be stored in data type", "the number does not fit", asked],
  [
    85,
    "EBADEXEC",
    "Bad executable (or shared library)",
    "the executable is damaged, or not for this system",
    "otool -hv and otool -l FILE; build it again.",
  ],
  [
    88,
    "EBADMACHO",
    "Malformed Mach-o file",
    "the executable is damaged: cut off, or changed after linking",
    "Copy or build it again, then sign it.",
  ],
  [89, "ECANCELED", "Operation canceled", "somebody cancelled it", asked],
  [
    100,
    "EPROTO",
    "Protocol error",
    "the other side does not keep to the protocol; of USB on Linux, no or a damaged answer on the wire",
    asked,
  ],
];

/** signal(3) of Darwin. */
const signals: readonly Row[] = [
  [1, "SIGHUP", "Hangup: 1", "its terminal was closed", "Nothing, or start it with nohup."],
  [2, "SIGINT", "Interrupt: 2", "somebody pressed control-C", "Nothing."],
  [
    9,
    "SIGKILL",
    "",
    "it was killed and could not object: by the system for its signature or for memory, or by a person",
    "A crash report, if there is one, names who; else the kernel's and amfid's lines of that second.",
  ],
  [
    10,
    "SIGBUS",
    "",
    "an access that cannot be made: past the end of a mapped file, or not as the memory demands",
    report,
  ],
  [12, "SIGSYS", "Bad system call: 12", "a system call that is not allowed or not there", report],
  [13, "SIGPIPE", "Broken pipe: 13", "it wrote to a reader that was gone", asked],
  [14, "SIGALRM", "Alarm clock: 14", "its own alarm went off", asked],
  [15, "SIGTERM", "", "somebody asked it to end", "Look for who: launchd, a timeout of CI, a person."],
  [17, "SIGSTOP", "Suspended (signal): 17", "it was stopped, and can be continued", "kill -CONT PID."],
  [24, "SIGXCPU", "Cputime limit exceeded: 24", "it used more processor time than it may", asked],
];

/** libusb_error of libusb 1.0. */
const libusb: readonly Row[] = [
  [
    -1,
    "LIBUSB_ERROR_IO",
    "Input/Output Error",
    "the transfer failed on the bus, or the system's call did; libusb has no better name",
    "The line before has the code of the system; a capture shows whether the device answered.",
  ],
  [
    -2,
    "LIBUSB_ERROR_INVALID_PARAM",
    "Invalid parameter",
    "an argument does not fit: an endpoint, interface or length that the device does not have",
    "Compare with the descriptors.",
  ],
  [
    -8,
    "LIBUSB_ERROR_OVERFLOW",
    "Overflow",
    "the device sent more than was asked for (babble)",
    "Ask for a multiple of the endpoint's packet size.",
  ],
  [
    -10,
    "LIBUSB_ERROR_INTERRUPTED",
    "System call interrupted (perhaps due to signal)",
    "a signal came while libusb waited",
    "Make the call again.",
  ],
  [
    -11,
    "LIBUSB_ERROR_NO_MEM",
    "Insufficient memory",
    "no memory, or more transfers under way than the system allows",
    "Submit fewer or smaller transfers.",
  ],
];

const table = (
  domain: string,
  rows: readonly Row[],
  more: (number: number) => readonly string[] = () => [],
) =>
  rows.map(
    ([number, name, sentence, means, fix]): OtherCode => ({
      domain,
      number,
      names: [name, ...more(number)],
      means,
      fix,
      sentence,
    }),
  );

export const unixCodes: readonly OtherCode[] = [
  ...table("POSIX", posix, (number) => [`NSPOSIXErrorDomain ${number}`]),
  ...table("signal", signals, (number) => [`signal ${number}`]),
  ...table("libusb", libusb),
];

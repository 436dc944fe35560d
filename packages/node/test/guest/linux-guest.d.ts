import { type GuestImageOptions } from "./guest-image.ts";
/** For `test(..., { skip: guestSkip() })`: false, or the sentence that names what is missing. */
export declare function guestSkip(options?: GuestImageOptions): string | false;
export interface GuestOptions extends GuestImageOptions {
    /** More QEMU arguments: controllers and devices. The machine is a q35 without default devices. */
    readonly qemu?: readonly string[];
    /** Ports of the guest that this machine's loopback shall lead to; `guest.forwarded(port)` says where. */
    readonly forward?: readonly number[];
    /** Default 256. */
    readonly memoryMiB?: number;
}
export interface CommandResult {
    readonly code: number;
    readonly output: string;
}
/**
 * Commands run one after the other, as root, in one shell: variables and the folder stay. The host is 10.0.2.2 from
 * inside. One boot serves a whole test file. It ends by itself when this process ends, because its init lives from the
 * connection to it.
 */
export declare class LinuxGuest {
    #private;
    private constructor();
    /** Rejects with the console's text when it does not come up within two minutes. */
    static boot(options?: GuestOptions): Promise<LinuxGuest>;
    /** The process id of QEMU. */
    get pid(): number;
    /** The port of 127.0.0.1 that leads to `guestPort`, which was named in `forward`. */
    forwarded(guestPort: number): number;
    /** Runs a command; rejects when it fails. Answers what it printed, both streams, without the last line feed. */
    run(command: string, timeoutMs?: number): Promise<string>;
    /** As `run`, also for commands that may fail. Rejects when the command does not end in time or the guest has. */
    tryRun(command: string, timeoutMs?: number): Promise<CommandResult>;
    /** Repeats a command until its output matches; rejects with the last output after `timeoutMs`. */
    waitFor(command: string, pattern: RegExp, timeoutMs?: number): Promise<string>;
    /** Puts a file into the guest. */
    put(path: string, bytes: Uint8Array | string): Promise<void>;
    /** Gets a file out of the guest. */
    get(path: string): Promise<Buffer>;
    /** Kernel messages since the boot or the last `clearDmesg`. */
    dmesg(): Promise<string>;
    clearDmesg(): Promise<void>;
    /**
     * Imports a device from a USB/IP server on this machine with Linux's own tool. Answers the number of the virtual port
     * it sits in, for `detach`.
     */
    attach(port: number, busId: string): Promise<number>;
    /** Gives back what is in a virtual port. */
    detach(virtualPort: number): Promise<void>;
    /**
     * Offers a device of the guest over USB/IP, from the `forward`ed port 3240. `busId` is its name in
     * /sys/bus/usb/devices.
     */
    offer(busId: string): Promise<void>;
    /** Switches it off; kills it by its process id when it does not obey. */
    stop(): Promise<void>;
}
/** A port of loopback that nobody has at the moment: for QEMU to listen on. */
export declare function freePort(): Promise<number>;

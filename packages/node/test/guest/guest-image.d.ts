export interface GuestImageOptions {
    /** Kernel modules beside the usual ones, with what they depend on; tests load them with `modprobe`. */
    readonly modules?: readonly string[];
    /** Programs of this machine (names or absolute paths), copied with the libraries they are linked with. */
    readonly programs?: readonly string[];
}
/** What is missing, by Debian package; null when the guest can be built. */
export declare function missingForGuest(options?: GuestImageOptions): string | null;
export interface GuestImage {
    readonly kernel: string;
    readonly initramfs: string;
    readonly version: string;
}
/** Builds the image once per kernel, per version of this file and per wish. */
export declare function buildGuestImage(options?: GuestImageOptions): GuestImage;

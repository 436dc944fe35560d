// USB speeds where they were before they moved to codec: scripts outside still go this way.

export * from "../codec/usb/usb-speed.ts";

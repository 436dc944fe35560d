// Programs without declarations of their own: whatever they export.

declare module "ftdi-js";
declare module "webdfu";

// One HID interface as WebHID's HIDDevice: open and close, reports both ways, names of errors.
// WebHID API, Draft Community Group Report, §HIDDevice Interface; where it is silent, Chromium's names.

import { UsbStatus } from "../../ports/usb-host.ts";
import { EventHandler, type FaceEvent, FaceEventBase, FaceEventTarget, faceError } from "../page-face.ts";
import type { EnumeratedDevice } from "../webusb/enumerate.ts";
import type { PortRequests } from "../webusb/port-requests.ts";
import { copyBufferSource } from "../webusb/transfer-results.ts";
import { collectionInfo, type HIDCollectionInfo } from "./collection-info.ts";
import { type HidInterfaceFacts, HidLink } from "./hid-link.ts";

/** What a device asks of the `HID` object that it belongs to. */
export interface WebHidOwner {
  settled(): void;
  forget(device: WebHidDevice): void;
  problem(reason: string): void;
}

/** §HIDInputReportEvent Interface. `data` is without the report id. */
export class WebHidInputReportEvent extends FaceEventBase {
  readonly #device: WebHidDevice;
  readonly #reportId: number;
  readonly #data: DataView;

  constructor(device: WebHidDevice, reportId: number, data: Uint8Array) {
    super("inputreport");
    this.#device = device;
    this.#reportId = reportId;
    this.#data = new DataView(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  }

  get [Symbol.toStringTag](): string {
    return "HIDInputReportEvent";
  }

  get device(): WebHidDevice {
    return this.#device;
  }

  get reportId(): number {
    return this.#reportId;
  }

  get data(): DataView {
    return this.#data;
  }
}

/** The face; members are those of Chromium's HIDDevice and no others. */
export class WebHidDevice extends FaceEventTarget {
  readonly #core: HidDeviceCore;
  readonly #oninputreport = new EventHandler<WebHidInputReportEvent & FaceEvent>(this, "inputreport");

  constructor(core: HidDeviceCore) {
    super();
    this.#core = core;
  }

  get [Symbol.toStringTag](): string {
    return "HIDDevice";
  }

  get oninputreport() {
    return this.#oninputreport.value;
  }

  set oninputreport(handler) {
    this.#oninputreport.value = handler;
  }

  get opened(): boolean {
    return this.#core.isOpened;
  }

  get vendorId(): number {
    return this.#core.vendorId;
  }

  get productId(): number {
    return this.#core.productId;
  }

  get productName(): string {
    return this.#core.productName;
  }

  /** The outermost ones that are not protected. */
  get collections(): readonly HIDCollectionInfo[] {
    return this.#core.collections;
  }

  /** InvalidStateError when it is open already or changing; NotAllowedError when the device has left or refuses. */
  async open(): Promise<void> {
    await this.#core.open();
  }

  /** Reports under way are rejected with NotAllowedError. Nothing happens when it is not open. */
  async close(): Promise<void> {
    this.#core.close();
  }

  /** Closes it, and takes the grant away. */
  async forget(): Promise<void> {
    this.#core.forget();
  }

  /** InvalidStateError unless open; NotAllowedError for a report that is not there, is too long, or did not go out. */
  async sendReport(reportId: number, data: ArrayBuffer | ArrayBufferView): Promise<void> {
    await this.#core.send("output", reportId, data);
  }

  /** As sendReport. */
  async sendFeatureReport(reportId: number, data: ArrayBuffer | ArrayBufferView): Promise<void> {
    await this.#core.send("feature", reportId, data);
  }

  /** The first byte is the report id where the device has ids. Errors as sendReport's. */
  async receiveFeatureReport(reportId: number): Promise<DataView> {
    return this.#core.receive(reportId);
  }
}

const unexpected = () => faceError("NotAllowedError", "the device was closed before the report was through");

/** Between the face and the interface. */
export class HidDeviceCore {
  readonly face: WebHidDevice;
  readonly vendorId: number;
  readonly productId: number;
  readonly productName: string;
  readonly serialNumber: string | null;
  readonly manufacturer: string | null;
  /** bcdDevice. */
  readonly release: number;
  readonly interfaceNumber: number;
  readonly usesReportIds: boolean;
  readonly collections: readonly HIDCollectionInfo[];
  readonly #link: HidLink;
  readonly #owner: WebHidOwner;
  readonly #pending = new Set<(error: Error) => void>();
  #state: "closed" | "opening" | "opened" | "forgotten" = "closed";
  #isConnected = true;

  constructor(found: EnumeratedDevice, facts: HidInterfaceFacts, requests: PortRequests, owner: WebHidOwner) {
    const { device, strings } = found;
    this.vendorId = device.idVendor;
    this.productId = device.idProduct;
    this.productName = strings.get(device.iProduct) ?? "";
    this.serialNumber = strings.get(device.iSerialNumber) ?? null;
    this.manufacturer = strings.get(device.iManufacturer) ?? null;
    this.release = device.bcdDevice;
    this.interfaceNumber = facts.number;
    this.usesReportIds = facts.descriptor.usesReportIds;
    this.collections = facts.collections.map(collectionInfo);
    this.#owner = owner;
    this.face = new WebHidDevice(this);
    this.#link = new HidLink(
      facts,
      requests,
      (reportId, data) => {
        this.face.dispatchEvent(new WebHidInputReportEvent(this.face, reportId, data) as FaceEvent);
        owner.settled();
      },
      (reason) => owner.problem(reason),
    );
  }

  get isOpened(): boolean {
    return this.#state === "opened";
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  async open(): Promise<void> {
    if (this.#state === "opened") throw faceError("InvalidStateError", "the device is open already");
    if (this.#state === "opening")
      throw faceError("InvalidStateError", "an operation that changes the device state is in progress");
    if (this.#state === "forgotten" || !this.#isConnected)
      throw faceError("NotAllowedError", "the device cannot be opened: it has left or was forgotten");
    this.#state = "opening";
    // Never inside the call.
    await null;
    if (this.#state !== "opening") throw unexpected();
    this.#state = "opened";
    this.#link.start();
  }

  close(): void {
    if (this.#state !== "opened") return;
    this.#state = "closed";
    this.#end();
  }

  forget(): void {
    if (this.#state === "forgotten") return;
    this.#state = "forgotten";
    this.#end();
    this.#owner.forget(this.face);
  }

  left(): void {
    this.#isConnected = false;
    if (this.#state !== "forgotten") this.#state = "closed";
    this.#end();
  }

  async send(
    kind: "output" | "feature",
    reportId: number,
    data: ArrayBuffer | ArrayBufferView,
  ): Promise<void> {
    const bytes = copyBufferSource(data);
    const id = reportId & 0xff;
    this.#check(kind, id, bytes.length);
    await this.#run<void>((resolve, reject) => {
      this.#link.send(kind, id, bytes, (status) => {
        if (status === UsbStatus.ok) resolve();
        else if (status === UsbStatus.gone) this.#leaveFor(reject);
        else reject(faceError("NotAllowedError", `${kind} report ${id} was not taken: ${wordOf(status)}`));
      });
    });
  }

  receive(reportId: number): Promise<DataView> {
    const id = reportId & 0xff;
    this.#check("feature", id, null);
    return this.#run<DataView>((resolve, reject) => {
      this.#link.receive(id, (status, bytes) => {
        if (status === UsbStatus.ok) resolve(new DataView(bytes.slice().buffer as ArrayBuffer));
        else if (status === UsbStatus.gone) this.#leaveFor(reject);
        else reject(faceError("NotAllowedError", `feature report ${id} did not come: ${wordOf(status)}`));
      });
    });
  }

  #check(kind: "output" | "feature", reportId: number, lengthBytes: number | null): void {
    if (this.#state !== "opened") throw faceError("InvalidStateError", "the device must be opened first");
    const problem = this.#link.problemOf(kind, reportId, lengthBytes);
    if (problem !== null) throw faceError("NotAllowedError", problem);
  }

  /** One request; what ends the device's being open ends it too. */
  #run<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      start(
        (value) => {
          this.#pending.delete(reject);
          resolve(value);
          this.#owner.settled();
        },
        (error) => {
          this.#pending.delete(reject);
          reject(error);
          this.#owner.settled();
        },
      );
    });
  }

  /** It stays pending until `left`, which is about to come: whoever tries again while `opened` is true must not go round for ever. */
  #leaveFor(reject: (error: Error) => void): void {
    if (!this.#isConnected) reject(unexpected());
  }

  #end(): void {
    this.#link.stop();
    for (const reject of this.#pending) reject(unexpected());
    this.#pending.clear();
    this.#owner.settled();
  }
}

function wordOf(status: UsbStatus): string {
  return Object.entries(UsbStatus).find(([, value]) => value === status)?.[0] ?? String(status);
}

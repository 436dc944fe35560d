// Which endpoints a device has right now, learnt from the control transfers that pass by.

import { DecodeError } from "../base/errors.ts";
import { viewConfiguration } from "../codec/usb/configuration-view.ts";
import {
  type Configuration,
  type Endpoint,
  type EndpointCompanion,
  type EndpointDescriptor,
  type InterfaceSetting,
  streamsOf,
  TransferType,
} from "../codec/usb/descriptors.ts";
import {
  directionIn,
  Feature,
  isIn,
  Recipient,
  RequestType,
  type Setup,
  StandardRequest,
} from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";

/** What a control transfer that succeeded has changed: `endpoints` all of them, `interface` those of wIndex. */
export type EndpointChange = "nothing" | "endpoints" | "interface" | "halt-cleared";

interface PlacedEndpoint {
  readonly endpoint: Endpoint;
  readonly interfaceNumber: number;
}

/**
 * Followed by everything that carries transfers: a bus, a network client, an exporter. Configurations are learnt from
 * GET_DESCRIPTOR answers; SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(ENDPOINT_HALT) choose among them.
 */
export class UsbEndpointTable {
  readonly #configurations = new Map<number, Configuration>();
  readonly #alternates = new Map<number, number>();
  readonly #endpoints = new Map<number, PlacedEndpoint>();
  #configuration: Configuration | null = null;

  /** In the order of the descriptors; without endpoint 0. */
  *endpoints(): Generator<EndpointDescriptor> {
    for (const { endpoint } of this.#endpoints.values()) yield endpoint.descriptor;
  }

  /** The configuration in force, null before SET_CONFIGURATION. */
  get configuration(): Configuration | null {
    return this.#configuration;
  }

  /** By address with direction bit. */
  find(address: number): EndpointDescriptor | undefined {
    return this.#endpoints.get(address)?.endpoint.descriptor;
  }

  /** Its SuperSpeed companion; null without one. */
  companionOf(address: number): EndpointCompanion | null {
    return this.#endpoints.get(address)?.endpoint.companion ?? null;
  }

  /** The interface that the endpoint belongs to, -1 when there is no such endpoint. */
  interfaceOf(address: number): number {
    return this.#endpoints.get(address)?.interfaceNumber ?? -1;
  }

  /** Bulk streams that the endpoint has (USB 3.2 §9.6.7, MaxStreams), 0 for none. */
  streamsOf(address: number): number {
    const endpoint = this.#endpoints.get(address)?.endpoint;
    if (endpoint === undefined || (endpoint.descriptor.bmAttributes & 3) !== TransferType.bulk) return 0;
    return streamsOf(endpoint.companion?.bmAttributes ?? 0);
  }

  /** The alternate settings in force, in the order of the descriptors. */
  *settings(): Generator<InterfaceSetting> {
    for (const { number, settings } of this.#configuration?.interfaces ?? []) {
      const alternate = this.#alternates.get(number);
      const setting =
        settings.find(({ descriptor }) => descriptor.bAlternateSetting === (alternate ?? 0)) ??
        (alternate === undefined ? settings[0] : undefined);
      if (setting !== undefined) yield setting;
    }
  }

  knows(configurationValue: number): boolean {
    return this.#configurations.has(configurationValue);
  }

  /**
   * Keeps a configuration that passed by whole: all that wTotalLength promises, or all that the device has (`isAll`).
   * Wrong ones are kept as far as they can be read, as hosts keep them.
   */
  learn(bytes: Uint8Array, isAll = true): void {
    if (bytes.length < 4 || (!isAll && bytes.length < (bytes[2] | (bytes[3] << 8)))) return;
    try {
      const { configuration } = viewConfiguration(bytes);
      this.#configurations.set(configuration.descriptor.bConfigurationValue, configuration);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }

  /** Of a control transfer that succeeded: what it brought matters to `note`. */
  static reads({ bmRequestType, bRequest, wValue }: Setup): boolean {
    return (
      bRequest === StandardRequest.getDescriptor &&
      wValue >> 8 === 2 &&
      (bmRequestType & (RequestType.mask | directionIn)) === (RequestType.standard | directionIn)
    );
  }

  /** A control transfer succeeded; `data` is what an IN brought, looked at only where `reads` says so. */
  note(setup: Setup, data: Uint8Array): EndpointChange {
    const { bmRequestType, bRequest, wValue, wIndex } = setup;
    if ((bmRequestType & RequestType.mask) !== RequestType.standard) return "nothing";
    const recipient = bmRequestType & Recipient.mask;
    if (bRequest === StandardRequest.getDescriptor && isIn(setup) && wValue >> 8 === 2) {
      this.learn(data, data.length < setup.wLength);
    } else if (bRequest === StandardRequest.setConfiguration && recipient === Recipient.device) {
      this.#alternates.clear();
      this.#configuration = this.#configurations.get(wValue & 0xff) ?? null;
      this.#rebuild();
      return "endpoints";
    } else if (bRequest === StandardRequest.setInterface && recipient === Recipient.interface) {
      this.#alternates.set(wIndex & 0xff, wValue & 0xff);
      this.#rebuild();
      return "interface";
    } else if (
      bRequest === StandardRequest.clearFeature &&
      recipient === Recipient.endpoint &&
      wValue === Feature.endpointHalt
    ) {
      return "halt-cleared";
    }
    return "nothing";
  }

  #rebuild(): void {
    this.#endpoints.clear();
    for (const { descriptor, endpoints } of this.settings()) {
      const interfaceNumber = descriptor.bInterfaceNumber;
      for (const endpoint of endpoints) {
        this.#endpoints.set(endpoint.descriptor.bEndpointAddress, { endpoint, interfaceNumber });
      }
    }
  }
}

/** bInterval of an interrupt endpoint in nanoseconds: frames at low and full speed, 2^(n-1) microframes above. */
export function intervalNs(speed: UsbSpeed, endpoint: EndpointDescriptor): number {
  if ((endpoint.bmAttributes & 3) !== TransferType.interrupt) return 0;
  if (speed === UsbSpeed.low || speed === UsbSpeed.full) return Math.max(1, endpoint.bInterval) * 1_000_000;
  return 2 ** (Math.min(16, Math.max(1, endpoint.bInterval)) - 1) * 125_000;
}

/** Service interval of an isochronous endpoint in nanoseconds: 2^(n-1) frames at full speed, microframes above (USB 2.0 §9.6.6). */
export function isochronousIntervalNs(speed: UsbSpeed, endpoint: EndpointDescriptor): number {
  const unit = speed >= UsbSpeed.high ? 125_000 : 1_000_000;
  return 2 ** (Math.min(16, Math.max(1, endpoint.bInterval)) - 1) * unit;
}

/** Most bytes that a periodic endpoint moves in one interval: high bandwidth and bursts counted. */
export function mostPerInterval(
  speed: UsbSpeed,
  endpoint: EndpointDescriptor,
  companion: EndpointCompanion | null,
): number {
  const packetBytes = endpoint.wMaxPacketSize & 0x7ff;
  if (speed >= UsbSpeed.super)
    return (
      packetBytes * (((companion?.bMaxBurst ?? 0) & 0xf) + 1) * (((companion?.bmAttributes ?? 0) & 3) + 1)
    );
  const extra = speed === UsbSpeed.high ? (endpoint.wMaxPacketSize >>> 11) & 3 : 0;
  return packetBytes * (Math.min(2, extra) + 1);
}

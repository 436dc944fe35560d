// Which endpoints a device has right now, learnt from the control transfers that pass by.

import { DecodeError } from "../base/errors.ts";
import {
  type Configuration,
  type EndpointDescriptor,
  parseConfiguration,
  TransferType,
} from "../codec/usb/descriptors.ts";
import { Feature, isIn, Recipient, RequestType, type Setup, StandardRequest } from "../codec/usb/setup.ts";
import { UsbSpeed } from "./usb-speed.ts";

/** What a control transfer that succeeded has changed. */
export type EndpointChange = "nothing" | "endpoints" | "halt-cleared";

/**
 * Followed by everything that carries transfers: a bus, a network client, an exporter. Configurations are learnt from
 * GET_DESCRIPTOR answers; SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(ENDPOINT_HALT) choose among them.
 */
export class UsbEndpointTable {
  readonly #configurations = new Map<number, Configuration>();
  readonly #alternates = new Map<number, number>();
  readonly #endpoints = new Map<number, EndpointDescriptor>();
  #configuration: Configuration | null = null;

  /** In the order of the descriptors; without endpoint 0. */
  get endpoints(): Iterable<EndpointDescriptor> {
    return this.#endpoints.values();
  }

  /** The configuration in force, null before SET_CONFIGURATION. */
  get configuration(): Configuration | null {
    return this.#configuration;
  }

  /** By address with direction bit. */
  find(address: number): EndpointDescriptor | undefined {
    return this.#endpoints.get(address);
  }

  knows(configurationValue: number): boolean {
    return this.#configurations.has(configurationValue);
  }

  /** Keeps a configuration that passed by whole; cut or broken ones are ignored. */
  learn(bytes: Uint8Array): void {
    try {
      const configuration = parseConfiguration(bytes);
      this.#configurations.set(configuration.descriptor.bConfigurationValue, configuration);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }

  /** A control transfer succeeded; `data` is what an IN brought. */
  note(setup: Setup, data: Uint8Array): EndpointChange {
    const { bmRequestType, bRequest, wValue, wIndex } = setup;
    if ((bmRequestType & RequestType.mask) !== RequestType.standard) return "nothing";
    const recipient = bmRequestType & Recipient.mask;
    if (bRequest === StandardRequest.getDescriptor && isIn(setup) && wValue >> 8 === 2) {
      this.learn(data);
    } else if (bRequest === StandardRequest.setConfiguration && recipient === Recipient.device) {
      this.#alternates.clear();
      this.#configuration = this.#configurations.get(wValue & 0xff) ?? null;
      this.#rebuild();
      return "endpoints";
    } else if (bRequest === StandardRequest.setInterface && recipient === Recipient.interface) {
      this.#alternates.set(wIndex & 0xff, wValue & 0xff);
      this.#rebuild();
      return "endpoints";
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
    for (const { number, settings } of this.#configuration?.interfaces ?? []) {
      const alternate = this.#alternates.get(number) ?? 0;
      const setting = settings.find(({ descriptor }) => descriptor.bAlternateSetting === alternate);
      for (const { descriptor } of setting?.endpoints ?? []) {
        this.#endpoints.set(descriptor.bEndpointAddress, descriptor);
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

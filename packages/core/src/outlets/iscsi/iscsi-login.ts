// The login phase of one iSCSI connection: stages, authentication, negotiated values. RFC 7143 §6, §12, §13.

import { md5 } from "../../base/md5.ts";
import { encodeUtf8 } from "../../base/text.ts";
import { LoginStage, LoginStatus } from "../../codec/iscsi/pdu.ts";
import {
  formatIscsiBinary,
  isIscsiName,
  maximumRecvDataSegment,
  negotiate,
  negotiationRules,
  parseIscsiBinary,
  parseIscsiNumber,
  type TextPairs,
} from "../../codec/iscsi/text.ts";

export interface ChapSecret {
  readonly user: string;
  readonly secret: string;
  /** Also prove ourselves, when the initiator asks for it. */
  readonly mutual?: { readonly user: string; readonly secret: string };
}

export interface LoginOptions {
  readonly targetName: string;
  readonly alias: string;
  /** Null: everybody is let in. */
  readonly chap: ChapSecret | null;
  /** Fills an array with bytes nobody can guess. */
  readonly randomBytes: (into: Uint8Array) => void;
}

/** What both sides agreed on; sizes in bytes. */
export interface SessionParameters {
  headerDigest: boolean;
  dataDigest: boolean;
  initialR2T: boolean;
  immediateData: boolean;
  maximumBurst: number;
  firstBurst: number;
  /** Most data bytes in a PDU that the initiator takes. */
  initiatorSegment: number;
}

export interface LoginAnswer {
  readonly status: number;
  readonly pairs: TextPairs;
  /** Stage that follows, when the transition is agreed; -1: stays. */
  readonly nextStage: number;
}

const declaredByInitiator = new Set(["InitiatorName", "InitiatorAlias", "TargetName", "SessionType"]);

const fail = (status: number): LoginAnswer => ({ status, pairs: [], nextStage: -1 });

export class IscsiLogin {
  readonly parameters: SessionParameters = {
    headerDigest: false,
    dataDigest: false,
    initialR2T: true,
    immediateData: true,
    maximumBurst: 262144,
    firstBurst: 65536,
    initiatorSegment: 8192,
  };
  initiatorName = "";
  isDiscovery = false;
  readonly #options: LoginOptions;
  #stage = -1;
  #isAuthenticated: boolean;
  #hasChosenChap = false;
  #challenge: Uint8Array | null = null;
  #identifier = 0;
  #hasDeclared = false;
  readonly #negotiated = new Set<string>();

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#isAuthenticated = options.chap === null;
  }

  /** One whole login request (its continuation PDUs joined). */
  step(current: number, next: number, wantsTransit: boolean, pairs: TextPairs): LoginAnswer {
    if (current !== LoginStage.security && current !== LoginStage.operational)
      return fail(LoginStatus.initiatorError);
    const isFirst = this.#stage < 0;
    if (!isFirst && current < this.#stage) return fail(LoginStatus.initiatorError);
    if (
      wantsTransit &&
      (next <= current || (next !== LoginStage.operational && next !== LoginStage.fullFeature))
    )
      return fail(LoginStatus.initiatorError);
    const keys = new Map<string, string>();
    for (const [key, value] of pairs) {
      if (keys.has(key)) return fail(LoginStatus.initiatorError);
      keys.set(key, value);
    }
    if (isFirst) {
      const problem = this.#introduce(keys);
      if (problem !== LoginStatus.success) return fail(problem);
    }
    this.#stage = current;
    const answers: [string, string][] = [];
    if (isFirst) {
      if (!this.isDiscovery) answers.push(["TargetPortalGroupTag", "1"]);
      if (this.#options.alias !== "") answers.push(["TargetAlias", this.#options.alias]);
    }
    if (current === LoginStage.security) {
      const status = this.#authenticate(keys, answers);
      if (status !== LoginStatus.success) return fail(status);
    } else if (!this.#isAuthenticated) return fail(LoginStatus.authenticationFailed);
    else this.#operate(keys, answers);
    // Authentication that is under way holds the stage.
    const mayTransit = wantsTransit && this.#isAuthenticated;
    if (wantsTransit && !this.#isAuthenticated && this.#challenge === null && !this.#hasChosenChap)
      return fail(LoginStatus.authenticationFailed);
    if (mayTransit) this.#stage = next;
    return { status: LoginStatus.success, pairs: answers, nextStage: mayTransit ? next : -1 };
  }

  #introduce(keys: ReadonlyMap<string, string>): number {
    const name = keys.get("InitiatorName");
    if (name === undefined) return LoginStatus.missingParameter;
    if (!isIscsiName(name)) return LoginStatus.initiatorError;
    this.initiatorName = name;
    const type = keys.get("SessionType") ?? "Normal";
    if (type !== "Normal" && type !== "Discovery") return LoginStatus.sessionTypeNotSupported;
    this.isDiscovery = type === "Discovery";
    if (this.isDiscovery) return LoginStatus.success;
    const target = keys.get("TargetName");
    if (target === undefined) return LoginStatus.missingParameter;
    return target === this.#options.targetName ? LoginStatus.success : LoginStatus.targetNotFound;
  }

  /** Security stage: None, or CHAP with MD5 (RFC 7143 §12.1.3). */
  #authenticate(keys: ReadonlyMap<string, string>, answers: [string, string][]): number {
    const { chap } = this.#options;
    const offered = keys.get("AuthMethod")?.split(",");
    if (offered !== undefined) {
      const chosen = chap === null ? "None" : "CHAP";
      if (!offered.includes(chosen)) return LoginStatus.authenticationFailed;
      answers.push(["AuthMethod", chosen]);
      this.#hasChosenChap = chap !== null;
    }
    const algorithms = keys.get("CHAP_A");
    if (algorithms !== undefined) {
      if (!this.#hasChosenChap || !algorithms.split(",").includes("5"))
        return LoginStatus.authenticationFailed;
      const random = new Uint8Array(17);
      this.#options.randomBytes(random);
      this.#identifier = random[16];
      this.#challenge = random.slice(0, 16);
      answers.push(["CHAP_A", "5"], ["CHAP_I", String(this.#identifier)]);
      answers.push(["CHAP_C", formatIscsiBinary(this.#challenge)]);
    }
    const response = keys.get("CHAP_R");
    if (response !== undefined) {
      if (chap === null || this.#challenge === null) return LoginStatus.authenticationFailed;
      const wanted = chapResponse(this.#identifier, chap.secret, this.#challenge);
      const given = parseIscsiBinary(response);
      if (keys.get("CHAP_N") !== chap.user || given === null || !sameBytes(given, wanted))
        return LoginStatus.authenticationFailed;
      const mutual = this.#proveOurselves(keys, answers);
      if (mutual !== LoginStatus.success) return mutual;
      this.#isAuthenticated = true;
    }
    // Operational keys may come early; they are answered where they come.
    this.#operate(keys, answers);
    return LoginStatus.success;
  }

  #proveOurselves(keys: ReadonlyMap<string, string>, answers: [string, string][]): number {
    const challengeText = keys.get("CHAP_C");
    if (challengeText === undefined) return LoginStatus.success;
    const mutual = this.#options.chap?.mutual;
    const identifier = parseIscsiNumber(keys.get("CHAP_I") ?? "");
    const challenge = parseIscsiBinary(challengeText);
    if (mutual === undefined || identifier === null || identifier > 255 || challenge === null)
      return LoginStatus.authenticationFailed;
    // Our own challenge sent back is an attempt to make us answer it.
    if (this.#challenge !== null && sameBytes(challenge, this.#challenge))
      return LoginStatus.authenticationFailed;
    answers.push(["CHAP_N", mutual.user]);
    answers.push(["CHAP_R", formatIscsiBinary(chapResponse(identifier, mutual.secret, challenge))]);
    return LoginStatus.success;
  }

  #operate(keys: ReadonlyMap<string, string>, answers: [string, string][]): void {
    for (const [key, value] of keys) {
      if (declaredByInitiator.has(key) || key === "AuthMethod" || key.startsWith("CHAP_")) continue;
      if (key === "MaxRecvDataSegmentLength") {
        const bytes = parseIscsiNumber(value);
        if (bytes === null || bytes < 512 || bytes > 0xffffff) answers.push([key, "Reject"]);
        else this.parameters.initiatorSegment = bytes;
        continue;
      }
      const rule = Object.hasOwn(negotiationRules, key) ? negotiationRules[key] : undefined;
      if (rule === undefined) {
        answers.push([key, "NotUnderstood"]);
        continue;
      }
      // A key is negotiated once per login (§6.3).
      if (this.#negotiated.has(key)) {
        answers.push([key, "Reject"]);
        continue;
      }
      this.#negotiated.add(key);
      const result = negotiate(rule, value);
      answers.push([key, result]);
      if (result !== "Reject") this.#note(key, result);
    }
    if (this.#stage === LoginStage.operational && !this.#hasDeclared) {
      this.#hasDeclared = true;
      answers.push(["MaxRecvDataSegmentLength", String(maximumRecvDataSegment)]);
    }
    const { parameters } = this;
    parameters.firstBurst = Math.min(parameters.firstBurst, parameters.maximumBurst);
  }

  #note(key: string, value: string): void {
    const { parameters } = this;
    if (key === "HeaderDigest") parameters.headerDigest = value === "CRC32C";
    else if (key === "DataDigest") parameters.dataDigest = value === "CRC32C";
    else if (key === "InitialR2T") parameters.initialR2T = value === "Yes";
    else if (key === "ImmediateData") parameters.immediateData = value === "Yes";
    else if (key === "MaxBurstLength") parameters.maximumBurst = Number(value);
    else if (key === "FirstBurstLength") parameters.firstBurst = Number(value);
  }
}

/** MD5 over identifier, secret and challenge (RFC 1994 §4.1). */
export function chapResponse(identifier: number, secret: string, challenge: Uint8Array): Uint8Array {
  const text = encodeUtf8(secret);
  const message = new Uint8Array(1 + text.length + challenge.length);
  message[0] = identifier;
  message.set(text, 1);
  message.set(challenge, 1 + text.length);
  return md5(message);
}

/** Takes the same time wherever they differ. */
function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left[index] ^ right[index];
  return difference === 0;
}

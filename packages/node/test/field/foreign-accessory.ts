// A public program of the accessory's side, as it is, against our phone's end of the link, over TCP.
//
// The program has no licence file, so it is neither kept nor fetched here: DRYDOCK_IAP2 names a folder with a clone of
// github.com/wiomoc/iap2 (commit 032135e), and Python 3 runs it: node --test THIS-FILE. What is of ours in that process only answers what it hears.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Iap2Identification } from "@drydock/core/codec/iap2/control-message";
import { PhoneEnd } from "@drydock/core/drivers/iap/phone-end";
import type { ByteStream } from "@drydock/core/ports/byte-stream";
import { HostClock } from "@drydock/node/host-clock";
import { listen } from "@drydock/node/socket-stream";

const clone = process.env.DRYDOCK_IAP2 ?? "";
const skip = clone === "" ? "DRYDOCK_IAP2 names no clone of github.com/wiomoc/iap2" : false;

const accessory = `
import asyncio, sys
sys.path.insert(0, sys.argv[1])
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
from iap2.link_layer import IAP2Connection
from iap2.control_session_message import read_csm, write_csm, register_csm, Uint8, Uint16
from iap2.control_session_message import authentication as au, identification as idn, eap
for known in (au.RequestAuthenticationCertificate, au.RequestAuthenticationChallengeResponse, au.AuthenticationSucceeded,
              au.AuthenticationFailed, idn.StartIdentification, idn.IdentificationAccepted, idn.IdentificationRejected,
              eap.StartExternalAccessoryProtocolSession, eap.StopExternalAccessoryProtocolSession):
    register_csm(known)

async def echo(stream):
    while True:
        byte = await stream.readexactly(1)
        rest = bytes(stream.in_buffer)
        del stream.in_buffer[:]
        stream.write(bytes(byte) + rest)
        await stream.drain()

def made(kind, **values):
    message = kind.__new__(kind)
    for name, value in values.items():
        setattr(message, name, value)
    return message

async def main():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    link = IAP2Connection(writer, reader, loop)
    link.start()
    control = link.control_session
    protocol = lambda number, name: idn.ExternalAccessoryProtocol(
        id=Uint8(number), name=name, match_action=idn.MatchAction.NONE)
    while True:
        heard = await read_csm(control)
        if isinstance(heard, au.RequestAuthenticationCertificate):
            await write_csm(control, made(au.AuthenticationCertificate, certificate=b"DRYDOCK-NO-MFI-CERTIFICATE"))
        elif isinstance(heard, au.RequestAuthenticationChallengeResponse):
            await write_csm(control, made(au.AuthenticationResponse, response=b"DRYDOCK-STAND-IN-ACCEPT"))
        elif isinstance(heard, idn.StartIdentification):
            await write_csm(control, idn.IdentificationInformation(
                name="Foreign", model_identifier="F1", manufacturer="Somebody", serial_number="7", fireware_version="1.0",
                hardware_version="2.0", messages_sent_by_accessory=b"\\xea\\x03",
                messages_received_from_accessory=b"\\xea\\x00\\xea\\x01",
                power_providing_capability=idn.PowerProvidingCapability.NONE,
                maximum_current_drawn_from_device=Uint16(20),
                supported_external_accessory_protocol=[protocol(1, "org.foreign.one"), protocol(2, "org.foreign.two")],
                app_match_team_id=None, current_language="en", supported_language=["en", "de"]))
        elif isinstance(heard, eap.StartExternalAccessoryProtocolSession):
            loop.create_task(echo(link.create_ea_stream(heard.session_id)))
            await write_csm(control, made(eap.StatusExternalAccessoryProtocolSession, session_id=heard.session_id,
                                          status=eap.SessionStatus.OK))

loop.run_until_complete(main())
`;

const payloadBytes = 20_000;

/** Plays phone: identification, one session, every byte there and back. `lossOf`: of so many packets of ours one is lost. */
async function meet(lossOf: number) {
  const folder = mkdtempSync(join(tmpdir(), "drydock-iap2-"));
  const clock = new HostClock();
  const payload = new Uint8Array(payloadBytes).map((_, index) => index * 31);
  const seen = {
    identification: null as Iap2Identification | null,
    bytes: [] as number[],
    said: [] as string[],
    lost: 0,
  };
  let done: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  let packets = 0;
  const listener = await listen({ port: 0 }, (stream: ByteStream) => {
    const session = 5;
    const phone: PhoneEnd = new PhoneEnd(
      clock,
      {
        identified: (wire, identification) => {
          seen.identification = identification;
          wire.startSession(identification.protocols[1]?.id ?? 0, session);
        },
        // Before that this program has no stream for the session, and leaves out what comes for it.
        began: () => {
          for (let at = 0; at < payload.length; at += 128)
            phone.sendData(session, payload.slice(at, at + 128));
        },
        received: (from, bytes) => {
          assert.equal(from, session);
          seen.bytes.push(...bytes);
          if (seen.bytes.length >= payload.length) done();
        },
        sent: () => {},
        gone: () => {},
        refused: () => done(),
        offers: () => {},
      },
      {
        place: stream,
        send: (bytes) => {
          if (lossOf > 0 && ++packets > 20 && packets % lossOf === 0) seen.lost++;
          else stream.write(bytes);
        },
        log: (text) => seen.said.push(text),
        over: done,
      },
    );
    stream.connect({
      received: (bytes) => phone.take(bytes),
      drained: () => {},
      closed: () => phone.close(),
    });
    phone.start();
  });
  const script = join(folder, "accessory.py");
  writeFileSync(script, accessory);
  const python = spawn("python3", [script, clone, String(listener.port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let trouble = "";
  python.stderr.setEncoding("utf8").on("data", (piece: string) => {
    trouble = (trouble + piece).slice(-4000);
  });
  python.on("exit", () => done());
  try {
    await finished;
  } finally {
    python.kill();
    await listener.close();
    clock.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return { ...seen, payload, trouble };
}

test("wiomoc/iap2 comes up on our link, identifies with two protocols, and echoes 20,000 bytes of a session", {
  skip,
  timeout: 30_000,
}, async () => {
  const { bytes, identification, payload, said, trouble } = await meet(0);
  assert.deepEqual(
    identification?.protocols.map(({ name }) => name),
    ["org.foreign.one", "org.foreign.two"],
    `${said} ${trouble}`,
  );
  assert.deepEqual([identification?.name, identification?.maximumCurrentMa], ["Foreign", 20]);
  assert.deepEqual(Uint8Array.from(bytes), payload, `${said} ${trouble}`);
});

test("the same with one of our packets in 40 lost: what it misses is sent again, every byte once and in order", {
  skip,
  timeout: 60_000,
}, async () => {
  const { bytes, lost, payload, said, trouble } = await meet(40);
  assert.ok(lost > 0, "packets were lost");
  assert.deepEqual(Uint8Array.from(bytes), payload, `${said} ${trouble}`);
});

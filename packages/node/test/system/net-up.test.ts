// drydock net up --cable passt: what its station reaches with --lan, and what it does not reach without.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Namespace, namespaceSkip } from "../guest/namespace.ts";
import { until } from "../guest/until.ts";

const main = join(import.meta.dirname, "../../../../apps/cli/src/main.ts");
const hasPasst = spawnSync("passt", ["--version"]).error === undefined;
const skip =
  namespaceSkip !== false ? namespaceSkip : hasPasst ? false : "passt is missing (Debian package passt)";

const serve = (address: string, port: number, text: string) =>
  `require("http").createServer((q,r)=>r.end("${text}")).listen(${port},"${address}",()=>console.log("serves"))`;

/** One machine with its command, one station behind its cable, and one more on its network. */
class Scene {
  readonly machine: Namespace;
  readonly other = new Namespace(
    `ip link set lo up; "$0" -e '${serve("0.0.0.0", 8081, "another one")}' & echo pid $!; wait`,
    [process.execPath],
  );
  readonly station = new Namespace("sleep 60 & echo pid $!; wait");

  constructor(lan: boolean) {
    const script = `ip link set lo up
      "$0" -e '${serve("127.0.0.1", 8080, "this machine")}' & echo pid $!
      "$0" "$1" net up --stack tap --tap dry0 --cable passt --json ${lan ? "--lan" : ""} & echo pid $!; wait`;
    this.machine = new Namespace(script, [process.execPath, main]);
  }

  /** One echo from the station; what ping says. */
  echo(address: string): Promise<string> {
    return this.station.run("busybox", "ping", "-c", "1", "-W", "2", address);
  }

  async begin(): Promise<void> {
    const { machine, other, station } = this;
    await until("the others are there", () => other.said.includes("serves") && station.said.includes("pid"));
    // Who may send echoes without privileges is a setting of each network (systemd lets everybody), and passt drops its own.
    await machine.run(
      "sh",
      "-c",
      `ip link add v0 type veth peer name v1; ip link set v1 netns ${other.pid}; ip addr add 192.0.2.1/24 dev v0; ip link set v0 up
       ip route add default via 192.0.2.2
       echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range`,
    );
    await other.run("sh", "-c", "ip addr add 192.0.2.2/24 dev v1; ip link set v1 up");
    await until("net up is up", () => machine.said.includes("is up") && machine.said.includes("serves"));
    // The TAP device goes to the station: its routes are not this machine's.
    await machine.run("ip", "link", "set", "dry0", "netns", station.pid);
    await station.run(
      "sh",
      "-c",
      "ip addr add 10.90.0.2/24 dev dry0; ip link set dry0 up; ip route add default via 10.90.0.1",
    );
  }

  /** What is answered on a busy machine is answered late; what is never answered is waited for as long as `seconds` says. */
  ask(url: string, seconds = 20): Promise<string> {
    return this.station.run("curl", "-sS", "--max-time", String(seconds), "--stderr", "-", url);
  }

  async end(): Promise<void> {
    for (const each of [this.machine, this.other, this.station]) await each.end();
  }
}

describe("drydock net up with passt at the cable's far end", { skip }, () => {
  const alone = new Scene(false);
  const withLan = new Scene(true);
  before(async () => {
    await Promise.all([alone.begin(), withLan.begin()]);
  });
  after(async () => {
    await Promise.all([alone.end(), withLan.end()]);
  });

  test("a station behind it reaches this machine through the router's address", async () => {
    assert.equal(await alone.ask("http://10.90.0.1:8080/"), "this machine");
    assert.equal(await withLan.ask("http://10.90.0.1:8080/"), "this machine");
  });

  test("it reaches others with --lan alone: by TCP, and by echoes", async () => {
    assert.equal(await withLan.ask("http://192.0.2.2:8081/"), "another one");
    const [answered, refused, echoes] = await Promise.all([
      withLan.echo("192.0.2.2"),
      alone.ask("http://192.0.2.2:8081/", 2),
      alone.echo("192.0.2.2"),
    ]);
    assert.match(answered, /1 packets received, 0% packet loss/);
    assert.match(refused, /curl: \(/);
    assert.match(echoes, /100% packet loss/);
    assert.match(alone.machine.said, /reaches this machine alone/);
    assert.match(withLan.machine.said, /reaches this machine and others/);
  });
});

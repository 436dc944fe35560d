// 2,000 attack strings through every field, rendered in Chromium: no alert, no request, no broken page.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { startBoard } from "../../src/server.ts";
import { attack } from "../attack-strings.ts";
import { startChromium, withoutChromium } from "../chromium.ts";

const skip = withoutChromium;
const count = 2000;

test(`${count} attack strings in titles, texts, answers, comments, tags, details, searches`, {
  skip,
  timeout: 600_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-attack-"));
  const troubles: unknown[] = [];
  const board = await startBoard({
    home: folder,
    port: 0,
    version: "0.1.0",
    onTrouble: (error) => troubles.push(error),
  });
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const wrong: string[] = [];
    page.on("dialog", (dialog) => {
      wrong.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("pageerror", (error) => wrong.push(`error ${error.message}`));
    page.on("request", (request) => {
      if (!request.url().startsWith(`${board.url}/`)) wrong.push(`request ${request.url()}`);
    });
    const random = new Random(2000);
    const send = async (path: string, fields: Readonly<Record<string, string>>): Promise<number> => {
      const response = await fetch(board.url + path, {
        method: "POST",
        body: JSON.stringify(fields),
        headers: { "content-type": "application/json" },
      });
      assert.ok(response.status < 500, `${response.status} ${JSON.stringify(fields)}`);
      return response.ok ? Number((await response.json()).id) : 0;
    };
    /** Five strings a post in its fields, and thirty in its answers and comments. */
    const perPost = 40;
    const posts: number[] = [];
    for (let made = 0; made < count; made += perPost) {
      const post = await send("/t/drivers/posts", {
        title: attack(random).replace(/\s+/g, " ").slice(0, 150),
        markdown: attack(random),
        tags: "usb",
      });
      assert.ok(post > 0);
      posts.push(post);
      await send("/t/drivers/posts", { title: "t", markdown: "m", tags: attack(random).slice(0, 400) });
      await send(`/p/${post}/boost`, {
        os: attack(random).slice(0, 60),
        hardware: attack(random).slice(0, 60),
      });
      let answer = 0;
      for (let index = 0; index < perPost - 5; index++) {
        const id = await send(`/p/${post}/replies`, {
          markdown: attack(random),
          ...(index % 3 === 2 && answer > 0 ? { parent: String(answer) } : {}),
        });
        if (index % 3 !== 2 && id > 0) answer = id;
      }
    }
    const look = async (path: string, isPost: boolean): Promise<void> => {
      await page.goto(board.url + path);
      const state = (await page.evaluate(`[
        document.querySelectorAll("script:not([src='/page.js']), iframe, object, embed, base, img, style, svg:not(.mark), math, video, form:not([action^='/'])").length,
        [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name) || a.name === "style" || a.name === "srcdoc")).length,
        [...document.querySelectorAll("a[href]")].filter((a) => !/^(https?:|mailto:)/.test(a.href)).length,
        document.querySelectorAll("body > header, body > main, body > footer").length,
        document.querySelectorAll("#answer textarea").length,
      ]`)) as number[];
      assert.deepEqual(state.slice(0, 4), [0, 0, 0, 3], path);
      if (isPost) assert.equal(state[4], 1, `${path} is whole to its end`);
    };
    for (const post of posts) await look(`/p/${post}`, true);
    for (const path of [
      "/t/drivers",
      "/tags/usb",
      "/search?q=alert",
      `/p/${posts[0]}/history`,
      `/p/${posts[1]}/edit`,
    ])
      await look(path, false);
    for (let index = 0; index < 20; index++)
      await look(
        `/search?q=${encodeURIComponent(attack(random).slice(0, 390))}&tag=${encodeURIComponent(attack(random))}&os=${encodeURIComponent(attack(random))}`,
        false,
      );
    assert.deepEqual(wrong, []);
    assert.deepEqual(troubles, []);
  } finally {
    await browser.close();
    await board.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

// The page still looks as the pictures of the documentation show it, but for smoothed edges and fonts. WHOLE=1 makes all of them again.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FOLDER, launch, MOCK, open, pixels, serve } from "./browser.mjs";
import { apart } from "./pictures.mjs";
import { PICTURES, presets, shown } from "./shown.mjs";

const CHOSEN = process.env.WHOLE ? presets : ["clusters", "hemisphere", "hardmax", "polytope"];
const skip = MOCK ? "the stand-in for the engine has tokens of its own" : false;

let server, browser, page;
before(async () => {
  [server, browser] = [await serve(FOLDER), await launch()];
  ({ page } = await open(browser, server.url));
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const stored = async (id) => pixels(page, await readFile(join(PICTURES, `${id}.png`)));

for (const id of CHOSEN) {
  test(`the page shows ${id} as its picture does`, { skip, timeout: 400_000 }, async (context) => {
    const difference = apart(await pixels(page, await shown(browser, server.url, id)), await stored(id));
    context.diagnostic(`pictures differ by ${difference.toFixed(4)}`);
    assert.ok(difference < 0.03, `pictures differ by ${difference}`);
  });
}

test("pictures of different presets differ", { skip }, async () => {
  const difference = apart(await stored("clusters"), await stored("common-noise"));
  assert.ok(difference > 0.06, `pictures differ by ${difference}`);
});

// WebGPU in the page, by a driver in software: the same samples as on the CPU, and a picture that is drawn anew after a restart.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { FOLDER, launch, MOCK, open, ready, serve } from "./browser.mjs";

const TOML = `name = "gpu"
[tokens]
count = 300
dim = 3
seed = 3
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.1
end = 1.0
[observe]
every = 0.5
quantities = ["moments", "energy"]
`;
const skip = MOCK ? "the stand-in for the engine has no WebGPU" : false;
const hash = `#${deflateRawSync(TOML).toString("base64url")}`;
const ended = (page) => page.waitForFunction(() => document.documentElement.dataset.ended === "true", null, { timeout: 120_000 });

let server, browser;
before(async () => {
  if (!skip) [server, browser] = [await serve(FOLDER), await launch({ gpu: true })];
});
after(async () => {
  await browser?.close();
  await server?.close();
});

async function saved(page, button) {
  const download = page.waitForEvent("download", { timeout: 60_000 });
  await page.locator(button).evaluate((element) => element.click());
  return readFile(await (await download).path());
}

const colours = (page, bytes) =>
  page.evaluate(async (bytes) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size;
  }, [...bytes]);

test("WebGPU measures and draws what the CPU does", { skip, timeout: 400_000 }, async () => {
  const tables = [];
  for (const query of ["", "?cpu"]) {
    const { page, context, problems } = await open(browser, `${server.url}${query}${hash}`);
    await ready(page);
    assert.match(await page.locator("#machine").textContent(), query ? /^CPU/ : /^WebGPU/, await page.locator("#status").textContent());
    await ended(page);
    tables.push((await saved(page, "#save-csv")).toString().trim().split("\n"));
    assert.ok((await colours(page, await saved(page, "#save-png"))) > 300, "tokens are drawn");
    await page.locator("#restart").click();
    await ready(page);
    await page.waitForTimeout(500);
    assert.ok((await colours(page, await saved(page, "#save-png"))) > 300, "tokens are drawn after a restart");
    assert.deepEqual(problems, []);
    await context.close();
  }
  const [gpu, cpu] = tables.map((lines) => lines.map((line) => line.split(",")));
  assert.equal(gpu.length, 4);
  assert.deepEqual(gpu[0], cpu[0]);
  for (const [i, row] of gpu.entries()) {
    if (i > 0) row.forEach((x, k) => assert.ok(Math.abs(x - cpu[i][k]) <= 1e-5 * (1 + Math.abs(cpu[i][k])), `${cpu[0][k]} of row ${i}: ${x} on WebGPU, ${cpu[i][k]} on the CPU`));
  }
});

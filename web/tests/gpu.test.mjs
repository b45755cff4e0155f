// WebGPU in the page, by a driver in software: samples, pictures, and a device that is lost.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { colours, ended, FOLDER, hurry, launch, link, MOCK, open, pixels, ready, saved, serve, time } from "./browser.mjs";
import { apart } from "./pictures.mjs";

const PRESETS = join(import.meta.dirname, "../page/presets");
// One of each kind of picture; WHOLE=1 takes all.
const KINDS = ["clusters", "hardmax", "hemisphere", "metastable", "polytope", "words"];
const presets = process.env.WHOLE ? (await readdir(PRESETS)).map((name) => name.replace(/\.toml$/, "")) : KINDS;
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

let server, browser;
before(async () => {
  if (!skip) [server, browser] = [await serve(FOLDER), await launch({ gpu: true })];
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Pictures of experiments at rest, each drawn by WebGPU and by the CPU. */
async function pictures(...tomls) {
  const { page, context, problems } = await open(browser, server.url, { viewport: { width: 1000, height: 600 }, reducedMotion: "reduce" });
  const shown = [];
  for (const toml of tomls) {
    for (const device of ["gpu", "cpu"]) {
      await page.goto(`${server.url}?device=${device}${link(toml)}`);
      await ready(page);
      assert.match(await page.locator("#machine").textContent(), device === "gpu" ? /^WebGPU/ : /^CPU/, await page.locator("#status").textContent());
      shown.push(await pixels(page, await saved(page, "#save-png")));
    }
  }
  assert.deepEqual(problems, []);
  await context.close();
  return shown;
}

for (const id of presets) {
  test(`WebGPU draws ${id} as the CPU does`, { skip, timeout: 120_000 }, async (context) => {
    const difference = apart(...(await pictures(await readFile(join(PRESETS, `${id}.toml`), "utf8"))));
    context.diagnostic(`pictures differ by ${difference.toFixed(4)}`);
    assert.ok(difference < 0.01, `pictures differ by ${difference}`);
  });
}

test("pictures of other tokens differ", { skip, timeout: 120_000 }, async (context) => {
  const [one, , other] = await pictures(TOML, TOML.replace("seed = 3", "seed = 4"));
  const difference = apart(one, other);
  context.diagnostic(`pictures differ by ${difference.toFixed(4)}`);
  assert.ok(difference > 0.04, `pictures differ by ${difference}`);
});

test("tokens are seen before the kernels are compiled", { skip, timeout: 120_000 }, async (context) => {
  const times = [];
  for (let k = 0; k < 3; k++) {
    const own = await browser.newContext({ viewport: { width: 800, height: 500 } });
    const page = await own.newPage();
    const start = performance.now();
    await page.goto(`${server.url}?device=gpu${link(TOML.replace("count = 300", "count = 4096"))}`);
    while ((await colours(page, await page.locator("#screen").screenshot())) < 300) await page.waitForTimeout(20);
    times.push((performance.now() - start) / 1000);
    await own.close();
  }
  context.diagnostic(`first picture after ${times.map((t) => t.toFixed(2)).join(", ")} s`);
});

test("a film is recorded of WebGPU", { skip, timeout: 120_000 }, async () => {
  const { page, context, problems, elsewhere } = await open(browser, `${server.url}?device=gpu${link(TOML.replace("end = 1.0", "end = 500.0"))}`);
  await ready(page);
  await page.locator("#record").click();
  await page.waitForFunction(() => /Stop, [1-9]/.test(document.getElementById("record").textContent), null, { timeout: 60_000 });
  const film = await saved(page, "#record");
  assert.ok(film.length > 5000, `${film.length} bytes`);
  assert.deepEqual([problems, elsewhere], [[], []]);
  await context.close();
});

test("a restart draws again", { skip, timeout: 240_000 }, async () => {
  const { page, context, problems } = await open(browser, `${server.url}?device=gpu${link(TOML)}`);
  await ready(page);
  await hurry(page);
  await ended(page);
  assert.ok((await colours(page, await saved(page, "#save-png"))) > 300, "tokens are drawn");
  await page.locator("#restart").click();
  await ready(page);
  assert.ok((await colours(page, await saved(page, "#save-png"))) > 300, "tokens are drawn after a restart");
  assert.deepEqual(problems, []);
  await context.close();
});

test("a window of another size while tokens move", { skip, timeout: 120_000 }, async () => {
  const { page, context, problems } = await open(browser, `${server.url}?device=gpu${link(TOML.replace("end = 1.0", "end = 500.0"))}`);
  await ready(page);
  for (let width = 700; width < 1200; width += 50) {
    await page.setViewportSize({ width, height: 600 });
    await page.waitForTimeout(100);
  }
  const before = await time(page);
  await page.waitForFunction((before) => Number(document.getElementById("time").textContent.slice(3)) > before, before);
  const { width, height } = await pixels(page, await saved(page, "#save-png"));
  assert.deepEqual([width, height], await page.evaluate(() => [document.getElementById("stage").clientWidth, 600]));
  assert.deepEqual(problems, []);
  await context.close();
});

test("a lost device is opened again", { skip, timeout: 240_000 }, async () => {
  const { page, context } = await open(browser, `${server.url}?device=gpu${link(TOML.replace("end = 1.0", "end = 500.0"))}`);
  await ready(page);
  // 0.8 of layer-time a second.
  await page.locator("#pace").evaluate((input) => ((input.value = "300"), input.dispatchEvent(new Event("input"))));
  await page.waitForFunction(() => Number(document.getElementById("time").textContent.slice(3)) > 2);
  const session = await browser.newBrowserCDPSession();
  await session.send("Browser.crashGpuProcess");
  await page.waitForFunction(() => /lost/.test(document.getElementById("status").textContent), null, { timeout: 60_000 });
  await page.waitForFunction(() => Number(document.getElementById("time").textContent.slice(3)) < 2, null, { timeout: 60_000 });
  await page.waitForFunction(() => Number(document.getElementById("time").textContent.slice(3)) > 0.5, null, { timeout: 60_000 });
  assert.match(await page.locator("#machine").textContent(), /^WebGPU/);
  assert.ok((await colours(page, await saved(page, "#save-png"))) > 300, "tokens are drawn");
  await context.close();
});

// An hour of the page does not grow in memory. The hour is simulated: the worker gets a clock on which a frame takes a sixtieth of a second,
// and frames that follow each other at once. HOUR=1 takes all 216,000 of them, and WebGPU as well: on a driver in software a sixth of
// them, in about an hour.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { FOLDER, launch, link, MOCK, open, ready, serve } from "./browser.mjs";

const toml = (count) => `algorithm = "harmonic"
name = "hour"
[tokens]
count = ${count}
dim = 3
seed = 3
initial = { law = "uniform" }
[attention]
beta = 1.0
normalization = "softmax"
[[attention.head]]
value = { scale = -1.0 }
[time]
scheme = "euler"
step = 0.01
end = 1000000.0
[observe]
every = 0.05
quantities = ["moments"]
`;
const RUNS = process.env.HOUR
  ? [{ device: "cpu", count: 1024, frames: 216_000 }, { device: "gpu", count: 1024, frames: 36_000 }]
  : [{ device: "cpu", count: 1024, frames: 18_000 }, { device: "gpu", count: 8192, frames: 400 }];
const ROUNDS = 12;

const CLOCK = `{
  let [frames, now] = [0, 0];
  const { port1, port2 } = new MessageChannel();
  let next = () => {};
  port1.onmessage = () => next(now);
  performance.now = () => now;
  globalThis.requestAnimationFrame = (f) => ((next = f), (now += 1000 / 60), (globalThis.frames = ++frames), port2.postMessage(0));
}
`;

let server;
before(async () => {
  server = await serve(FOLDER);
});
after(() => server?.close());

/** Bytes that a process has in memory of its own. */
async function resident(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/RssAnon:\s+(\d+)/)[1]) * 1024;
}

/** Bytes of the processes that draw and compute, once garbage is collected. */
async function measured(browser, page, worker) {
  for (const one of [worker, page]) await one.evaluate(() => globalThis.gc());
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const of = processInfo.filter(({ type }) => ["renderer", "GPU"].includes(type));
  return (await Promise.all(of.map(({ id }) => resident(id)))).reduce((sum, bytes) => sum + bytes, 0);
}

async function hour({ device, count, frames }, context) {
  const browser = await launch({ gpu: device === "gpu", args: ["--js-flags=--expose-gc"] });
  try {
    const blank = await open(browser, "about:blank", { serviceWorkers: "block", viewport: { width: 400, height: 300 } });
    const { page } = blank;
    await page.route(/\/assets\/worker-/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: CLOCK + (await response.text()) });
    });
    const worker = page.waitForEvent("worker");
    await page.goto(`${server.url}?device=${device}${link(toml(count))}`);
    await ready(page);
    // A step for each frame.
    await page.locator("#pace").evaluate((input) => ((input.value = "270"), input.dispatchEvent(new Event("input"))));
    const inside = await worker;
    const bytes = [];
    for (let round = 0; round < ROUNDS; round++) {
      const until = ((round + 1) * frames) / ROUNDS;
      await inside.evaluate(async (until) => {
        while (globalThis.frames < until) await new Promise((resolve) => setTimeout(resolve, 50));
      }, until);
      bytes.push(await measured(browser, page, inside));
    }
    const samples = await page.evaluate(() => Number(document.documentElement.dataset.samples));
    context.diagnostic(`${frames} frames, ${samples} samples, MB: ${bytes.map((x) => (x / 1e6).toFixed(0)).join(" ")}`);
    assert.deepEqual(blank.problems, []);
    return bytes;
  } finally {
    await browser.close();
  }
}

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

for (const run of RUNS) {
  test(`memory on ${run.device}`, { skip: MOCK ? "the stand-in has memory of its own" : false, timeout: 7_200_000 }, async (context) => {
    const bytes = await hour(run, context);
    // It takes some 50,000 frames until the browser's heap settles: a short run sees what grows by half the tokens in each frame.
    const growth = mean(bytes.slice(-4)) - mean(bytes.slice(4, 8));
    const allowed = process.env.HOUR ? 16e6 : (run.frames / 3) * (run.count / 2) * 12;
    assert.ok(growth < allowed, `${(growth / 1e6).toFixed(1)} MB in a third of ${run.frames} frames, where ${(allowed / 1e6).toFixed(1)} MB are allowed`);
  });
}

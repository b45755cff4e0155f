// The page as a person uses it, in Chromium, from a plain file server under a path of its own.
// MOCK=1 runs against the build with the stand-in for the engine.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { colours, ended, FOLDER, hurry, link, open, ready, saved, serve, time } from "./browser.mjs";
import { browser, drop, later, linked, LONG, named, page_test, server, slide, SMALL, toml, written } from "./page.mjs";

page_test("loads, plays to the end and stops", link(SMALL), async (page) => {
  await hurry(page);
  await ended(page);
  assert.equal(await time(page), 3);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.samples), "7");
  assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play");
});

page_test("pauses, takes one step and restarts", link(SMALL), async (page) => {
  await page.locator("#play").click();
  await page.waitForTimeout(300);
  const paused = await time(page);
  await page.waitForTimeout(500);
  assert.equal(await time(page), paused, "time stands still");
  await page.locator("#step").click();
  await page.waitForFunction((paused) => document.getElementById("time").textContent !== `t = ${paused.toFixed(1)}`, paused);
  assert.ok(Math.abs((await time(page)) - paused - 0.1) < 1e-9, "one step of 0.1");
  await page.locator("#restart").click();
  await hurry(page);
  await page.waitForFunction(() => document.documentElement.dataset.ended === "true");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.samples), "7");
});

page_test("sliders and choices change the experiment of the link", link(SMALL), async (page) => {
  await slide(page, "beta", 750);
  await page.waitForFunction(() => document.getElementById("beta-value").textContent === "100");
  await written(page, /^beta = 100$/m);
  await slide(page, "count", 400);
  await written(page, /^count = 3\d\d\d$/m);
  await page.locator("#matrices").selectOption("minus");
  await written(page, /\[\[attention.head\]\]\nvalue = \{ scale = -1 \}/);
  await page.locator("#mask").selectOption("causal");
  await written(page, /^mask = "causal"$/m);
  assert.notEqual(await page.locator("#status").getAttribute("data-tone"), "error", await page.locator("#status").textContent());
});

page_test("says that the run is no longer that of the link", link(SMALL.replace("end = 3.0", "end = 500.0")), async (page) => {
  assert.equal(await page.locator("#changed").isVisible(), false);
  await later(page, 0.5);
  await slide(page, "beta", 600);
  await page.waitForFunction(() => !document.getElementById("changed").hidden);
  assert.match(await page.locator("#changed").textContent(), /^Changed at t = [\d.]+; restart for the run of this link\./);
  await page.locator("#changed-restart").click();
  await page.waitForFunction(() => document.getElementById("changed").hidden);
});

page_test("a preset that was changed says so", "#hemisphere", async (page) => {
  assert.match(await page.locator("#says").textContent(), /^32 tokens in R64/);
  await slide(page, "beta", 600);
  await page.waitForFunction(() => document.getElementById("says").textContent.startsWith("Changed. The preset: 32 tokens"));
  assert.match(await page.locator("#law").innerHTML(), /fall like e<sup>−t<\/sup>\.$/);
});

page_test("the equation on the page is that of the experiment", link(SMALL), async (page) => {
  const shows = async (text, expected) => {
    await page.locator("#toml").evaluate((area, text) => (area.value = text), text);
    await page.locator("#run-toml").evaluate((button) => button.click());
    await page.waitForFunction((expected) => document.getElementById("formula").textContent === expected, expected, { timeout: 20_000 }).catch(async () => {
      assert.equal(await page.locator("#formula").textContent(), expected);
    });
  };
  const head = (keys) => SMALL.replace("[time]", `[[attention.head]]\n${keys}\n[time]`);
  const noise = (field) => `[noise]\nfield = "${field}"\nintensity = 0.5\ncalculus = "stratonovich"\n`;
  const of = (geometry) => SMALL.replace("seed = 3", `seed = 3\ngeometry = "${geometry}"`).replace(', "energy"', "");
  await shows(SMALL, "dxi/dt = Pxi ∑j softmaxj(β⟨xi, xj⟩) xj");
  await shows(head("weight = 2.04").replace("softmax", "unnormalized") + noise("independent"), "dxi/dt = Pxi (2.04 ∑j wj eβ⟨xi, xj⟩ xj + 0.5 dBi/dt)");
  await shows(`${head("weight = 0.0")}${noise("common-perceptron")}width = 8\nactivation = "relu"\n`, "dxi/dt = Pxi 0.5 dF(xi)/dt");
  await shows(SMALL.replace('"softmax"', '"softmax"\nmask = "strictly-causal"'), "dxi/dt = Pxi ∑j < i softmaxj(β⟨xi, xj⟩) xj");
  await shows(head('value = { scale = -1.0 }'), "dxi/dt = Pxi −∑j softmaxj(β⟨xi, xj⟩) xj");
  await shows(of("rescaled"), "dzi/dt = (∑j softmaxj(β⟨xi, xj⟩) zj − zi), x = etV z");
  await shows(of("rescaled").replace("[time]", "[[attention.head]]\nvalue = { scale = -1.0 }\n[time]"), "dzi/dt = V(∑j softmaxj(β⟨xi, xj⟩) zj − zi), x = etV z");
  await shows(of("pre-norm"), "dxi/dt = ∑j softmaxj(β⟨θi, θj⟩) θj, θi = xi / |xi|");
});

page_test("letters are commands wherever nothing is typed", link(SMALL), async (page) => {
  await page.locator("#play").click();
  await page.locator("#restart").focus();
  await page.waitForTimeout(500);
  const paused = await time(page);
  for (let k = 1; k <= 5; k++) {
    await page.keyboard.press(".");
    const expected = `t = ${(paused + 0.1 * k).toFixed(1)}`;
    await page.waitForFunction((expected) => document.getElementById("time").textContent === expected, expected, { timeout: 10_000 }).catch(async () => {
      assert.equal(await page.locator("#time").textContent(), expected, `after ${k} single steps`);
    });
  }
});

page_test("a machine in the address that there is not is named", `?device=tpu${link(SMALL)}`, async (page) => {
  await page.waitForFunction(() => document.getElementById("status").textContent === "The address has device=tpu, which is none of auto, gpu, cpu, cpu-double.");
  assert.equal(await page.locator("#device").inputValue(), "auto");
});

page_test("the link holds the whole experiment, with its comments", link(SMALL), async (page, { context }) => {
  assert.equal(await toml(page), SMALL);
  await page.locator("#copy-link").click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(linked(copied), SMALL);
  const other = await context.newPage();
  await other.goto(copied);
  await ready(other);
  assert.equal(await other.locator("#toml").inputValue(), SMALL);
  await page.locator("#copy-command").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `tokenfield run - <<'END'\n${SMALL}END\n`);
  await page.locator("#copy-python").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^import tokenfield as tf\n\nrun = tf.simulate\(r'''\n# of a test\n/);
  await page.locator("#device").selectOption("cpu-double");
  await page.waitForFunction(() => /double precision/.test(document.getElementById("machine").textContent));
  await page.locator("#copy-command").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^tokenfield run - --backend cpu --precision double <</);
  await page.locator("#copy-python").click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /''', device="cpu", precision="double"\)/);
});

page_test("links of presets scroll to nothing", "#noise", async (page) => {
  const ids = JSON.parse(await readFile(join(import.meta.dirname, "../page/presets.json"), "utf8")).map(({ id }) => id);
  assert.deepEqual(await page.evaluate((ids) => ids.filter((id) => document.getElementById(id)), ids), []);
  assert.equal(await page.evaluate(() => document.querySelector(".panel").scrollTop), 0);
});

page_test("a window of another size while tokens move", link(SMALL.replace("end = 3.0", "end = 500.0")), async (page) => {
  for (const width of [900, 1200, 700]) {
    await page.setViewportSize({ width, height: 600 });
    await page.waitForTimeout(200);
  }
  await later(page, await time(page));
  assert.notEqual(await page.locator("#status").getAttribute("data-tone"), "error", await page.locator("#status").textContent());
});

page_test("a change of what is measured starts the table anew", link(SMALL.replace("end = 3.0", "end = 500.0")), async (page) => {
  await page.waitForFunction(() => Number(document.documentElement.dataset.samples) > 2);
  await page.locator("#weights").selectOption("hardmax");
  await written(page, /hardmax/);
  await page.waitForFunction(() => ![...document.querySelectorAll("#sample th")].some((head) => head.textContent === "log_energy"));
  await page.waitForFunction(() => Number(document.documentElement.dataset.samples) > 1);
  const [rows, values] = await page.evaluate(() => [document.querySelectorAll("#sample tr").length, document.querySelectorAll("#sample td:not(:empty)").length]);
  assert.equal(values, rows);
});

page_test("after a wrong experiment nothing moves, and a right one starts again", link(SMALL.replace("end = 3.0", "end = 500.0")), async (page) => {
  await drop(page, [{ name: "wrong.toml", body: SMALL.replace("beta = 4.0", "beta = -4.0") }]);
  await page.waitForFunction(() => /beta/.test(document.getElementById("status").textContent));
  assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play");
  await slide(page, "beta", 500);
  await page.waitForFunction(() => document.getElementById("status").hidden);
  await page.locator("#play").click();
  await hurry(page);
  await page.waitForFunction(() => document.documentElement.dataset.ended === "true");
});

page_test("an end before now is refused, and a later one is taken as it is", link(SMALL), async (page) => {
  await hurry(page);
  await ended(page);
  const type = (text) => page.locator("#end").evaluate((input, text) => ((input.value = text), input.dispatchEvent(new Event("change"))), text);
  await type("1");
  await page.waitForFunction(() => /time.end: it is before the layer-time/.test(document.getElementById("status").textContent));
  await type("4");
  await written(page, /^end = 4$/m);
  assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play", "who has seen the end starts again");
});

page_test("samples of replicas are written time by time", link(SMALL.replace("dim = 3", "dim = 3\nreplicas = 2")), async (page) => {
  await hurry(page);
  await ended(page);
  const rows = (await saved(page, "#save-csv")).toString().trim().split("\n").slice(1);
  assert.deepEqual(rows.slice(0, 4).map((row) => row.split(",").slice(0, 2).join()), ["0,0", "1,0", "0,0.5", "1,0.5"]);
});

test("a damaged link is said to be one", { timeout: 60_000 }, async () => {
  const { page, context } = await open(browser, `${server.url}#no-link`);
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("The link is damaged"));
  await context.close();
});

page_test("a dropped experiment runs, and a wrong one is said to be wrong", link(SMALL), async (page) => {
  await drop(page, [{ name: "mine.toml", body: SMALL.replace('"small"', '"dropped-one"') }]);
  await named(page, "dropped one");
  await written(page, /dropped-one/);
  await drop(page, [{ name: "wrong.toml", body: SMALL.replace("beta = 4.0", "beta = -4.0") }]);
  await page.waitForFunction(() => /beta/.test(document.getElementById("status").textContent));
  assert.equal(await page.locator("#status").getAttribute("role"), "status");
  await drop(page, [{ name: "broken.toml", body: "[tokens\ncount = 3" }]);
  await page.waitForFunction(() => /Line 1/.test(document.getElementById("status").textContent));
  await drop(page, [{ name: "picture.gif", body: "GIF" }]);
  await page.waitForFunction(() => /picture.gif is neither/.test(document.getElementById("status").textContent));
});

page_test("dropped tokens are where the run starts", link(SMALL), async (page) => {
  await drop(page, [{ name: "x.npy", body: await readFile(join(FOLDER, "data/minilm-256.npy")) }]);
  await page.waitForFunction(() => document.getElementById("count-value").textContent === "256");
  await written(page, /initial = \{ law = "file", path = "x.npy" \}/);
  await written(page, /^dim = 384$/m);
  await later(page, 0);
});

test("a link to tokens that are not there asks for them", { timeout: 60_000 }, async () => {
  const text = SMALL.replace('{ law = "uniform" }', '{ law = "file", path = "gone.npy" }');
  const { page, context } = await open(browser, `${server.url}${link(text)}`);
  await page.waitForFunction(() => document.getElementById("status").textContent.includes("drop this file"));
  await context.close();
});

page_test("words are read where one points", "#words", async (page) => {
  const box = await page.locator("#net").boundingBox();
  await page.waitForTimeout(1000);
  for (let k = 0; k < 60 && (await page.locator("#tip").isHidden()); k++) {
    await page.mouse.move(box.x + box.width * (0.3 + 0.4 * ((k * 0.618) % 1)), box.y + box.height * (0.25 + 0.4 * ((k * 0.37) % 1)));
    await page.waitForTimeout(120);
  }
  const words = JSON.parse(await readFile(join(FOLDER, "data/minilm-256.json"), "utf8"));
  assert.ok(words.includes(await page.locator("#tip").textContent()));
});

page_test("a picture is saved that shows tokens", link(SMALL), async (page) => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#save-png").click()]);
  assert.equal(download.suggestedFilename(), "small.png");
  const bytes = await readFile(await download.path());
  assert.equal(bytes.subarray(1, 4).toString(), "PNG");
  const found = await colours(page, bytes);
  assert.ok(found > 500, `${found} colours: tokens and lines have more`);
});

page_test("a film is recorded", link(SMALL.replace("end = 3.0", "end = 500.0")), async (page) => {
  await page.locator("#record").click();
  await page.waitForFunction(() => /Stop, [1-9]/.test(document.getElementById("record").textContent), null, { timeout: 60_000 });
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: 60_000 }), page.locator("#record").click()]);
  const [bytes, name] = [await readFile(await download.path()), download.suggestedFilename()];
  assert.match(name, /^small\.(mp4|webm)$/);
  assert.ok(bytes.length > 5000, `a film of ${bytes.length} bytes is empty`);
  if (name.endsWith("mp4")) assert.equal(bytes.subarray(4, 8).toString(), "ftyp");
  else assert.equal(bytes.readUInt32BE(0), 0x1a45dfa3);
});

page_test("turns by keys and by dragging", link(SMALL), async (page) => {
  await page.locator("#play").click();
  const shot = () => page.locator("#net").evaluate((canvas) => canvas.toDataURL());
  const before = await shot();
  await page.locator("#net").focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(200);
  const turned = await shot();
  assert.notEqual(turned, before, "arrow keys turn");
  const box = await page.locator("#net").boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(box.x + 380, box.y + 320, { steps: 4 });
  await page.mouse.up();
  await page.waitForTimeout(200);
  assert.notEqual(await shot(), turned, "dragging turns");
});

page_test("embedded it has the picture and play alone", `?embed${link(SMALL)}`, async (page) => {
  assert.equal(await page.locator(".panel").isVisible(), false);
  assert.equal(await page.locator("#beta").isVisible(), false);
  assert.equal(await page.locator("#play").isVisible(), true);
  const [net, view] = [await page.locator("#net").boundingBox(), page.viewportSize()];
  assert.deepEqual([net.width, net.height], [view.width, view.height]);
});

page_test("without WebGPU the CPU computes, and the page says so", link(SMALL), async (page) => {
  assert.match(await page.locator("#machine").textContent(), /CPU in WebAssembly/);
  assert.match(await page.locator("#status").textContent(), /the CPU computes/);
});

page_test("who wants less motion starts it", link(SMALL), async (page) => {
  await page.waitForTimeout(600);
  assert.equal(await time(page), 0);
  assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play");
  await page.locator("body").press("Space");
  await later(page, 0);
}, { reducedMotion: "reduce" });

page_test("the policy of the page allows itself alone", link(SMALL), async (page, { problems }) => {
  const policy = await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content");
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|https?:/);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
    return Boolean(window.ran);
  });
  assert.equal(ran, false, "a script in the page must not run");
  assert.equal(problems.length, 1, "the browser says that it did not run the script");
  assert.match(problems.pop(), /Content Security Policy/);
});

test("works offline after the first visit", { timeout: 120_000 }, async () => {
  const own = await serve(FOLDER, "/elsewhere/");
  const { page, context } = await open(browser, `${own.url}${link(SMALL)}`);
  await ready(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await own.close();
  await page.reload();
  await ready(page);
  assert.equal(await page.locator("#headline").textContent(), "small");
  await context.close();
});

page_test("on a phone everything fits the width", link(SMALL), async (page) => {
  const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= view, `${wide} pixels in ${view}`);
}, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

page_test("a window without room for the sphere draws it small", link(SMALL), async (page) => {
  await page.waitForTimeout(500);
}, { viewport: { width: 320, height: 140 } });

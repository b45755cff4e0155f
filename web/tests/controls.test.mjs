// What controls, files and mistakes do to the experiment on the page.

import assert from "node:assert/strict";
import { ended, hurry, link, MOCK, pixels, ready, saved, time } from "./browser.mjs";
import { drop, later, linked, LONG, named, page_test, slide, SMALL, toml, written } from "./page.mjs";

/** A .npy file of float64. */
function npy(shape, values) {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`.padEnd(117) + "\n";
  const bytes = Buffer.alloc(10 + header.length + 8 * values.length);
  bytes.write("\x93NUMPY\x01\x00", "latin1");
  bytes.writeUInt16LE(header.length, 8);
  bytes.write(header, 10, "latin1");
  values.forEach((value, k) => bytes.writeDoubleLE(value, 10 + header.length + 8 * k));
  return bytes;
}
const IDENTITY = npy([3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]);
const headed = (keys) => LONG.replace("[time]", `[[attention.head]]\n${keys}\n[time]`);
const says = (page, pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.getElementById("status").textContent), pattern.source);
const stands = async (page) => {
  assert.equal(await page.locator("#play").getAttribute("aria-label"), "Play");
  const before = await page.evaluate(() => document.getElementById("time").textContent);
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => document.getElementById("time").textContent), before);
};

page_test("tokens that are no numbers are refused by name", link(LONG), async (page) => {
  await drop(page, [{ name: "bad.npy", body: npy([2, 3], [1, 0, 0, 0, NaN, 0]) }]);
  await says(page, /bad/);
  // The experiment before runs again.
  await written(page, /initial = \{ law = "uniform" \}/);
  await later(page, 0);
}, { skip: MOCK });

page_test("random matrices have the variance of the tokens' dimension", "#words", async (page) => {
  await page.locator("#matrices").selectOption("random");
  await written(page, /variance = 0\.002604/);
  assert.equal(await page.locator("#matrices").inputValue(), "random");
});

page_test("a file that the experiment asks for is taken for what it asks", link(SMALL), async (page) => {
  const text = headed('value = { path = "V.npy" }');
  await drop(page, [{ name: "mine.toml", body: text.replace('"small"', '"mine"') }]);
  await says(page, /reads V.npy: drop this file/);
  await stands(page);
  await drop(page, [{ name: "V.npy", body: IDENTITY }]);
  await page.waitForFunction(() => document.documentElement.dataset.samples === "1");
  await page.locator("#play").click();
  await later(page, 0.2);
  assert.match(await toml(page), /initial = \{ law = "uniform" \}/);
});

page_test("layers of a file are read", link(LONG), async (page) => {
  const text = SMALL.replace("[time]", '[[attention.head]]\nvalue = { layers = "stack.npy" }\n[time]').replace('"small"', '"layers-of-a-file"');
  const layers = Array.from({ length: 30 }, () => [1, 0, 0, 0, 1, 0, 0, 0, 1]).flat();
  await drop(page, [{ name: "mine.toml", body: text }, { name: "stack.npy", body: npy([30, 3, 3], layers) }]);
  await named(page, "layers of a file");
  await hurry(page);
  await ended(page);
  assert.notEqual(await page.locator("#status").getAttribute("data-tone"), "error", await page.locator("#status").textContent());
  assert.equal(await time(page), 3);
});

page_test("two files of one name are not mixed up", link(SMALL), async (page) => {
  const heads = '[[attention.head]]\nvalue = { path = "a/V.npy" }\n[[attention.head]]\nvalue = { path = "b/V.npy" }\n[time]';
  await drop(page, [{ name: "mine.toml", body: SMALL.replace("[time]", heads) }, { name: "V.npy", body: IDENTITY }]);
  await says(page, /a\/V.npy and b\/V.npy.*different/);
});

page_test("an experiment without its file stops the one before", link(LONG), async (page) => {
  await later(page, 0);
  await drop(page, [{ name: "mine.toml", body: headed('value = { path = "gone.npy" }') }]);
  await says(page, /reads gone.npy/);
  await stands(page);
  await page.evaluate(() => (document.getElementById("status").textContent = ""));
  await page.keyboard.press(".");
  await says(page, /reads gone.npy/);
});

page_test("after the end the equation goes on for whole steps", link(SMALL.replace("step = 0.1\nend = 3.0", "step = 0.3\nend = 3.3").replace("every = 0.5", "every = 0.3")), async (page) => {
  await hurry(page);
  await ended(page);
  for (const [place, end] of [[700, "6.6"], [300, "9.9"]]) {
    await slide(page, "beta", place);
    await written(page, new RegExp(`^end = ${end}$`, "m"));
    await page.locator("#play").click();
    await page.waitForFunction((end) => document.getElementById("time").textContent === `t = ${end}`, end);
    assert.notEqual(await page.locator("#status").getAttribute("data-tone"), "error", await page.locator("#status").textContent());
    assert.ok(await page.locator("#changed").isVisible(), "it goes on, and does not begin again");
  }
});

page_test("the equation follows a hand that moves a slider", link(LONG), async (page) => {
  await later(page, 0);
  const { seen, last } = await page.evaluate(async () => {
    const [input, seen] = [document.getElementById("beta"), new Set()];
    for (let k = 0; k < 60; k++) {
      input.value = String(500 + k);
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve, 10));
      seen.add(document.getElementById("toml").value.match(/^beta = (.*)$/m)[1]);
    }
    return { seen: [...seen], last: document.getElementById("beta-value").textContent };
  });
  assert.ok(seen.length > 5, `while it moves the experiment has ${seen}`);
  await written(page, new RegExp(`^beta = ${last}$`, "m"));
});

page_test("noise that was turned down is the same when it comes back", "#common-noise", async (page) => {
  await slide(page, "noise-intensity", 0);
  await written(page, /^intensity = 0$/m);
  assert.doesNotMatch(await page.locator("#formula").textContent(), /dF/);
  await slide(page, "noise-intensity", 500);
  await written(page, /^field = "common-perceptron"$/m);
  await written(page, /^intensity = 0\.32$/m);
});

page_test("what is not defined is not offered", "#sinkhorn", async (page) => {
  const disabled = (id) => page.locator(`#${id} option:disabled`).evaluateAll((options) => options.map((option) => option.value));
  assert.deepEqual(await disabled("mask"), ["causal"]);
  await page.locator("#weights").selectOption("softmax");
  await written(page, /^normalization = "softmax"$/m);
  assert.deepEqual(await disabled("mask"), []);
  await page.locator("#preset").selectOption("polytope");
  await named(page, "Corners of a polytope");
  assert.deepEqual(await disabled("matrices"), ["heads", "layers"]);
  assert.equal(await page.locator("#noise-intensity").isDisabled(), true);
  await page.locator("#preset").selectOption("words");
  await named(page, "Words of a real text");
  assert.equal(await page.locator("#count").isDisabled(), true);
  assert.equal(await page.locator("#dim").isDisabled(), true);
});

page_test("what the engine refuses is taken back", link(LONG), async (page) => {
  await later(page, 1);
  await page.locator("#end").fill("0.5");
  await page.locator("#end").press("Enter");
  await says(page, /time.end/);
  await written(page, /^end = 500(\.0)?$/m);
  await page.locator("#reset-view").focus();
  assert.equal(await page.locator("#end").inputValue(), "500");
  await later(page, await time(page));
});

page_test("a long sum is left for another experiment", link(SMALL.replace("count = 100", "count = 200000").replace('"softmax"', '"softmax"\nmask = "causal"').replace(', "energy"', "")), async (page) => {
  await page.waitForTimeout(1000);
  await page.locator("#preset").selectOption("metastable");
  await named(page, "Metastable clusters on the circle");
  await page.locator("#reset-view").focus();
  await page.keyboard.press(".");
  await page.waitForFunction(() => document.getElementById("machine").textContent.includes("CPU") && document.documentElement.dataset.samples === "1", null, { timeout: 20_000 });
  await page.waitForTimeout(300);
  assert.ok((await time(page)) <= 0.1, "it was paused while it was opened");
  await page.locator("#play").click();
  await later(page, 0.5);
  assert.match(await page.locator("#plots").textContent(), /clusters/);
});

page_test("a link of a preset that was changed keeps title and law", link(LONG.replace('"small"', '"noise"')), async (page) => {
  assert.equal(await page.locator("#headline").textContent(), "Order against noise");
  assert.match(await page.locator("#says").textContent(), /^Changed\. The preset: /);
  assert.match(await page.locator("#law").textContent(), /1\.359/);
});

page_test("text that is no TOML changes nothing", "#hemisphere", async (page) => {
  const shown = () => page.evaluate(() => [document.getElementById("says").textContent, document.querySelector("figure .plot").getAttribute("aria-label").replace(/,.*/, "")]);
  await later(page, 1);
  const before = await shown();
  await drop(page, [{ name: "broken.toml", body: "[tokens\ncount = 3" }]);
  await says(page, /Line 1/);
  await later(page, await time(page));
  assert.deepEqual(await shown(), before);
});

page_test("matrices that were chosen have the new dimension", link(LONG), async (page) => {
  await page.locator("#matrices").selectOption("rotation");
  await written(page, /rows = \[\[0.5/);
  await page.locator("#dim").fill("4");
  await page.locator("#dim").press("Enter");
  await written(page, /^dim = 4$/m);
  assert.match(await toml(page), /rows = \[\[0.5, -0.8660254037844386, 0, 0\], /);
  assert.equal(await page.locator("#matrices").inputValue(), "rotation");
  await later(page, 0);
});

page_test("colours of tokens", link(SMALL), async (page) => {
  await page.locator("#play").click();
  const pictures = new Map();
  for (const by of ["start", "speed", "place", "cluster"]) {
    await page.locator("#colour").selectOption(by);
    await page.waitForTimeout(400);
    pictures.set(by, Buffer.from((await pixels(page, await saved(page, "#save-png"))).data));
  }
  const [start, ...others] = [...pictures.values()];
  for (const other of others) assert.notEqual(Buffer.compare(start, other), 0);
});

page_test("everything that is pressed or typed into has a name, and plots say what they show", link(SMALL), async (page) => {
  await hurry(page);
  await ended(page);
  const nameless = await page.evaluate(() => {
    const name = (element) => element.getAttribute("aria-label") || [...(element.labels ?? [])].map((label) => label.textContent).join("") || element.textContent || element.title;
    return [...document.querySelectorAll("button, input, select, textarea, summary, canvas[tabindex], [role=img]")].filter((element) => !element.closest("[hidden]") && !name(element).trim()).map((element) => element.outerHTML);
  });
  assert.deepEqual(nameless, []);
  assert.match(await page.locator("figure .plot").first().getAttribute("aria-label"), /^\|mean\| against layer-time, 7 samples$/);
});

page_test("plots begin with what the law is about, and axes may be logarithmic", "#hemisphere", async (page) => {
  await hurry(page);
  await ended(page);
  const label = () => page.locator("figure .plot").first().getAttribute("aria-label");
  assert.match(await label(), /^W₂\(μ, δ\) against layer-time/);
  const log = page.locator("figure .log").first();
  assert.equal(await log.getAttribute("aria-pressed"), "true");
  const drawn = () => page.locator("figure .plot").first().screenshot();
  const before = await drawn();
  await log.click();
  assert.equal(await log.getAttribute("aria-pressed"), "false");
  await page.waitForTimeout(200);
  assert.notEqual(Buffer.compare(before, await drawn()), 0);
  await page.locator("#preset").selectOption("metastable");
  await named(page, "Metastable clusters on the circle");
  await page.waitForFunction(() => /^\|mean\|/.test(document.querySelector("figure .plot").getAttribute("aria-label")));
  assert.equal(await log.getAttribute("aria-pressed"), "false");
});

for (const [width, height] of [[834, 1112], [960, 700], [390, 844]]) {
  page_test(`all of the transport is on the stage of ${width} x ${height}`, link(SMALL), async (page) => {
    const [stage, ...parts] = await page.evaluate(() => ["stage", "play", "time", "beta", "beta-value"].map((id) => document.getElementById(id).getBoundingClientRect().toJSON()));
    for (const part of parts) assert.ok(part.width > 0 && part.left >= stage.left && part.right <= stage.right && part.bottom <= stage.bottom, JSON.stringify({ part, stage }));
    assert.ok(parts[2].width > 100, `the slider has ${parts[2].width} pixels`);
  }, { viewport: { width, height } });
}

page_test("dark and light are two pictures", link(SMALL), async (page) => {
  const mean = async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.reload();
    await ready(page);
    const { data } = await pixels(page, await saved(page, "#save-png"));
    let sum = 0;
    for (let k = 0; k < data.length; k += 4) sum += data[k] + data[k + 1] + data[k + 2];
    return sum / (data.length / 4) / 3;
  };
  assert.ok((await mean("light")) > 180);
  assert.ok((await mean("dark")) < 75);
});

page_test("the embedding frame is that of the link", link(SMALL), async (page) => {
  await page.locator("#copy-embed").click();
  await page.waitForFunction(() => document.getElementById("copy-embed").textContent === "Copied");
  const frame = await page.evaluate(() => navigator.clipboard.readText());
  const address = frame.match(/^<iframe src="([^"]+)"/)[1];
  assert.match(address, /\?embed#/);
  assert.equal(linked(address), SMALL);
});

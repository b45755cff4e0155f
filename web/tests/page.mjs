// Tests of one page each, in a browser and from a file server that the tests of a file share.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { FOLDER, launch, open, ready, serve } from "./browser.mjs";

export const SMALL = `# of a test
name = "small"
[tokens]
count = 100
dim = 3
seed = 3
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "heun"
step = 0.1
end = 3.0
[observe]
every = 0.5
quantities = ["moments", "energy"]
`;

/** It does not end during a test. */
export const LONG = SMALL.replace("end = 3.0", "end = 500.0");

export let server, browser;
before(async () => {
  server = await serve(FOLDER);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

export const linked = (hash) => inflateRawSync(Buffer.from(hash.replace(/^.*#/, ""), "base64url")).toString();
/** The experiment of the address; "" where a preset is named there. */
export const toml = async (page) => {
  const hash = await page.evaluate(() => location.hash);
  return /^#[a-z-]+$/.test(hash) ? "" : linked(hash);
};
/** Waits until the experiment of the link is written so: a slow machine takes a while. */
export const written = async (page, pattern) => {
  for (let k = 0; k < 100 && !pattern.test(await toml(page)); k++) await page.waitForTimeout(100);
  assert.match(await toml(page), pattern);
};

/** A test of one page: it must leave no error in the console and ask no other host. */
export function page_test(name, hash, body, options) {
  test(name, { timeout: 120_000, skip: options?.skip ?? false }, async () => {
    const opened = await open(browser, `${server.url}${hash}`, options);
    try {
      await ready(opened.page);
      await body(opened.page, opened);
      assert.deepEqual(opened.problems, [], "errors in the console");
      assert.deepEqual(opened.elsewhere, [], "requests to other hosts");
    } finally {
      await opened.context.close();
    }
  });
}

export const drop = (page, files) =>
  page.evaluate((files) => {
    const data = new DataTransfer();
    for (const { name, bytes } of files) data.items.add(new File([Uint8Array.from(bytes)], name));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, files.map(({ name, body }) => ({ name, bytes: [...Buffer.from(body)] })));
export const named = (page, name) => page.waitForFunction((name) => document.getElementById("headline").textContent === name, name);
export const slide = (page, id, place) =>
  page.locator(`#${id}`).evaluate((input, place) => {
    input.value = String(place);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, place);
/** Waits until layer-time is greater. */
export const later = (page, before) => page.waitForFunction((before) => Number(document.getElementById("time").textContent.slice(3)) > before, before);

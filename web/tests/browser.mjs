// Chromium as Debian has it, with WebGPU in software, and what tests do with a page.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { deflateRawSync } from "node:zlib";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const here = import.meta.dirname;

/** The folder of the built page: `web/dist`, or with MOCK=1 the one with the stand-in for the engine. */
export const FOLDER = resolve(here, process.env.MOCK ? "../dist-mock" : "../dist");
export const MOCK = Boolean(process.env.MOCK);

const SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-unsafe-webgpu", "--ignore-gpu-blocklist", "--enable-gpu", "--enable-features=Vulkan", "--use-vulkan=swiftshader"];

export async function launch({ gpu = false, args = [] } = {}) {
  if (!existsSync(FOLDER)) throw new Error(`${FOLDER} is missing: npm run build${MOCK ? ":mock" : ""}`);
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...(gpu ? SOFTWARE : ["--disable-gpu", "--disable-features=WebGPU"]), ...args] });
}

/** A page with lists of what a good page leaves empty: `problems` and `elsewhere`. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const [problems, elsewhere] = [[], []];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  context.on("request", (request) => {
    const target = new URL(request.url());
    if (!["blob:", "data:"].includes(target.protocol) && target.origin !== new URL(url).origin) elsewhere.push(request.url());
  });
  await page.goto(url);
  return { context, page, problems, elsewhere };
}

/** The hash of an experiment. */
export const link = (toml) => `#${deflateRawSync(Buffer.from(toml)).toString("base64url")}`;

export const ready = (page, timeout = 60_000) => page.waitForFunction(() => Number(document.documentElement.dataset.samples) > 0, null, { timeout });
export const ended = (page, timeout = 120_000) => page.waitForFunction(() => document.documentElement.dataset.ended === "true", null, { timeout });
export const time = (page) => page.locator("#time").textContent().then((text) => Number(text.replace("t =", "")));

/** From now on as many steps as the machine can take. */
export const hurry = (page) => page.locator("#pace").evaluate((input) => ((input.value = "1000"), input.dispatchEvent(new Event("input"))));

/** The file that a button saves. */
export async function saved(page, button) {
  const download = page.waitForEvent("download", { timeout: 60_000 });
  await page.locator(button).evaluate((element) => element.click());
  return readFile(await (await download).path());
}

/** The pixels of a picture: `{ width, height, data }`, RGBA. */
export async function pixels(page, png) {
  const { width, height, text } = await page.evaluate(async (base64) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context.drawImage(image, 0, 0);
    const { width, height, data } = context.getImageData(0, 0, image.width, image.height);
    let text = "";
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return { width, height, text: btoa(text) };
  }, png.toString("base64"));
  return { width, height, data: Buffer.from(text, "base64") };
}

export const colours = async (page, png) => {
  const { data } = await pixels(page, png);
  return new Set(new Uint32Array(data.buffer, data.byteOffset, data.length / 4)).size;
};

export { serve };

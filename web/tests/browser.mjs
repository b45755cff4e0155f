// Chromium as Debian has it, with WebGPU in software, and a page that keeps what went wrong.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const here = import.meta.dirname;

/** The folder of the built page: `web/dist`, or with MOCK=1 the one with the stand-in for the engine. */
export const FOLDER = resolve(here, process.env.MOCK ? "../dist-mock" : "../dist");
export const MOCK = Boolean(process.env.MOCK);

const SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-unsafe-webgpu", "--ignore-gpu-blocklist", "--enable-gpu", "--enable-features=Vulkan", "--use-vulkan=swiftshader"];

export async function launch({ gpu = false } = {}) {
  if (!existsSync(FOLDER)) throw new Error(`${FOLDER} is missing: npm run build${MOCK ? ":mock" : ""}`);
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...(gpu ? SOFTWARE : ["--disable-gpu", "--disable-features=WebGPU"])] });
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

export const ready = (page) => page.waitForFunction(() => Number(document.documentElement.dataset.samples) > 0, null, { timeout: 60_000 });
export const time = (page) => page.locator("#time").textContent().then((text) => Number(text.replace("t =", "")));
export { serve };

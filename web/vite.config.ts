import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;

// Offline the page is what the build has made: the list of its files goes into the service worker.
function service(): Plugin {
  return {
    name: "service",
    apply: "build",
    writeBundle(options) {
      const folder = options.dir!;
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== "service.js")
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
        .sort();
      const hash = createHash("sha256");
      for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
      const paths = ["./", ...files.filter((file) => file !== "index.html").map((file) => `./${file}`)];
      const text = readFileSync(join(here, "page/service.js"), "utf8");
      const filled = text.replace('"__VERSION__"', JSON.stringify(hash.digest("hex").slice(0, 16))).replace('"__FILES__"', JSON.stringify(paths));
      writeFileSync(join(folder, "service.js"), filled);
    },
  };
}

// The development server puts styles and a client of its own into the page, which its policy would refuse.
function unguarded(): Plugin {
  return { name: "unguarded", apply: "serve", transformIndexHtml: (html) => html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "") };
}

export default defineConfig(({ mode }) => {
  const engine = resolve(here, mode === "mock" ? "tests/mock.ts" : "pkg/tokenfield_web.js");
  if (!existsSync(engine)) throw new Error(`${engine} is missing: build the engine first (web/build), or use \`npm run build:mock\`.`);
  return {
    base: "./",
    resolve: { alias: { "#engine": engine } },
    worker: { format: "es" as const },
    build: { outDir: mode === "mock" ? "dist-mock" : "dist", target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    plugins: [service(), unguarded()],
  };
});

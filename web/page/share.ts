// Ways out of the page: the link, the text, a command line, a program of Python, files.

import type { Device } from "./api";
import { word } from "./document";
import type { Table } from "./toml";

const fit = (name: string): string => name.replace(/[^A-Za-z0-9._-]+/g, "-") || "experiment";

/** A command that runs the experiment, with its text behind it. */
export function command(text: string, device: Device): string {
  let end = "END";
  while (text.split("\n").includes(end)) end += "_";
  const on = device === "cpu-double" ? " --backend cpu --precision double" : device === "cpu" ? " --backend cpu" : "";
  return `tokenfield run -${on} <<'${end}'\n${text.replace(/\n?$/, "\n")}${end}\n`;
}

/** A program that runs the experiment. */
export function python(text: string, device: Device): string {
  const on = device === "cpu-double" ? ', device="cpu", precision="double"' : device === "cpu" ? ', device="cpu"' : "";
  const quote = text.includes("'''") ? '"""' : "'''";
  return `import tokenfield as tf\n\nrun = tf.simulate(r${quote}\n${text.replace(/\n?$/, "\n")}${quote}${on})\nrun.plot()\n`;
}

export async function copied(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the permission of a browser, or without https.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("The browser did not let the page copy.");
  }
}

export function saved(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export const fileName = (root: Table, ending: string): string => `${fit(word(root, "name", "experiment"))}.${ending}`;

/** The picture of the worker with the lines that the page draws above it. */
export async function composed(picture: Blob, above: HTMLCanvasElement): Promise<Blob> {
  const image = await createImageBitmap(picture);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d")!;
  context.drawImage(image, 0, 0);
  context.drawImage(above, 0, 0, image.width, image.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser made no picture."))), "image/png"));
}

// The buttons of sharing.

import type { Engine } from "./engine";
import type { Lab } from "./lab";
import { address } from "./link";
import { command, copied, fileName, python, saved } from "./share";
import { csv } from "./table";

const find = (id: string): HTMLElement => document.getElementById(id)!;

interface Page {
  link(): string;
  /** Draws the view as it is now. */
  flush(): void;
  say(sentence: string, tone: "error" | "note"): void;
}

export function shares(lab: Lab, engine: Engine, page: Page): void {
  const copy = (id: string, text: () => string): void =>
    find(id).addEventListener("click", () => {
      const button = find(id);
      copied(text()).then(
        () => {
          const before = (button.dataset["label"] ??= button.textContent ?? "");
          button.textContent = "Copied";
          setTimeout(() => (button.textContent = before), 1500);
        },
        (error: Error) => page.say(error.message, "error"),
      );
    });
  copy("copy-link", () => address(page.link()));
  copy("copy-toml", () => lab.text);
  copy("copy-command", () => command(lab.text, lab.device));
  copy("copy-python", () => python(lab.text, lab.device));
  copy("copy-embed", () => `<iframe src="${address(page.link()).replace("#", "?embed#")}" width="640" height="480" style="border:0" title="Tokenfield" allow="fullscreen"></iframe>`);
  find("save-csv").addEventListener("click", () => {
    const { opened } = lab;
    if (opened) saved(new Blob([csv(lab.samples, opened.columns, opened.replicas)], { type: "text/csv" }), fileName(lab.root, "csv"));
  });
  find("save-png").addEventListener("click", () => {
    page.flush();
    engine.send({ kind: "picture" });
  });
  find("record").addEventListener("click", () => {
    const on = !find("record").hasAttribute("data-on");
    if (on && !lab.playing) lab.play(true);
    engine.send({ kind: "record", on });
  });
  find("file").addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const data = new DataTransfer();
    for (const file of input.files ?? []) data.items.add(file);
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    input.value = "";
  });
}

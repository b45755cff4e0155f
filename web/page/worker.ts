// The worker of the page: the engine, a canvas, and the loop between them.

import * as engine from "#engine";
import type { Api } from "./api";
import type { FromWorker, ToWorker } from "./protocol";
import { Runner } from "./runner";

const post = (message: FromWorker): void => self.postMessage(message);
const api: Api = engine;
const runner = new Runner(api, post);
const early: ToWorker[] = [];
let hear = (message: ToWorker): void => void early.push(message);
self.addEventListener("message", (event: MessageEvent<ToWorker>) => hear(event.data));

try {
  await api.default();
  hear = (message) => runner.hear(message);
  early.forEach(hear);
  void runner.run();
} catch (error) {
  post({ kind: "error", run: 0, sentence: `The engine could not be loaded: ${error instanceof Error ? error.message : String(error)}`, of: "page" });
}

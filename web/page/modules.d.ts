// Resolved by vite.config.ts: the engine, or the stand-in of the tests.
declare module "#engine" {
  const start: import("./api").Api["default"];
  export default start;
  export const check: import("./api").Api["check"];
  export const written: import("./api").Api["written"];
  export const Session: import("./api").Api["Session"];
}

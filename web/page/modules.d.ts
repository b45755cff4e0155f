// Resolved by vite.config.ts: the engine, or the stand-in of the tests.
declare module "#engine" {
  const start: import("./api").Api["default"];
  export default start;
  export const Arrays: import("./api").Api["Arrays"];
  export const check: import("./api").Api["check"];
  export const Opening: import("./api").Api["Opening"];
}

// Resolved by vite.config.ts: the engine, or the stand-in of the tests.
declare module "#engine" {
  const start: import("./api").Api["default"];
  export default start;
  export const Arrays: import("./api").Api["Arrays"];
  export const check_with: import("./api").Api["check_with"];
  export const written: import("./api").Api["written"];
  export const Session: import("./api").Api["Session"];
}

/** The search room: spaces, samplers, pruners, studies. Works in a browser too; node/index.ts keeps studies in files. */
export * from "./draw/index.js";
export type * from "./types.js";

/** The search room: spaces, samplers, pruners, studies. Works in a browser too; node/index.ts keeps studies in files. */
export type * from "./types.js";

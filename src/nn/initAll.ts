/** Contents of `nn.init`: by rule (init.ts), and by looking at data (lsuv.ts). */
export * from "./init.js";
export { type LsuvOptions, lsuv } from "./lsuv.js";

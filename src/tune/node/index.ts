/** Studies that processes share through a file, and the processes that work on them. Node only. Read ../types.ts first. */
export type * from "../types.js";

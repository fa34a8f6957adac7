/** The first half of the table of ops. Read support/table.ts. */
import { defineTable } from "./support/table.js";

defineTable(0, 2);

/** The second half of the table of ops, apart from the first so that both run at once. Read support/table.ts. */
import { defineTable } from "./support/table.js";

defineTable(1, 2);

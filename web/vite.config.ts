/** Builds the page into dist/web, with the digits beside it; `npm run web` serves it while one works on it. */
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  publicDir: "../assets",
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 2000,
  },
});

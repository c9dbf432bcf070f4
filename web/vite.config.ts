import { defineConfig } from "vite";

// The same bytes wherever it is built: names without hashes, one file of a kind, nothing inline.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/eventjobs/web/static/dashboard",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "app/app.js",
        assetFileNames: "app/app[extname]",
      },
    },
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
});

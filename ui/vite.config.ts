/// <reference types="vitest/config" />
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/headrace/server/static",
    emptyOutDir: true,
    // Nothing as a data: address, so that the content security policy needs no exception for fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What every page needs, together: many small files are packed worse than one, and each is a request.
            {
              name: "base",
              test: /node_modules\/(react|react-dom|scheduler|use-sync-external-store|@tanstack\/(?:react-router|router-core|history|store|react-store|react-query|query-core))\/|src\/(format|search)\/|src\/api\/(fetch|flow-runs|flows|key|live|queries|server|stream|work-pools)\.|src\/components\/(button|channel|copy|cx|empty|failure|list|look|page|screen|skeleton|state|tabs|theme|time|tip|toast)\./,
            },
            { name: "icons", test: /node_modules\/lucide-react/, minShareCount: 3 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:4200" } },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});

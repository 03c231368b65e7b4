// Headless Chromium on a folder that is served on a free port of this machine.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

/** WebGPU in software, which Chromium gives only if it is told to. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
/** What playwright adds that keeps WebGPU away. */
const LEFT_OUT = ["--enable-unsafe-swiftshader", "--disable-gpu", "--headless"];

/** The path of a Chromium: $CHROMIUM, or the first of its names. */
export function binary() {
  const names = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  for (const name of names.filter(Boolean)) {
    try {
      return execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
    } catch {
      // It is the next one's turn.
    }
  }
  throw new Error("no Chromium was found: install it, or name it by CHROMIUM");
}

/** Chromium by itself, with WebGPU in software or without any. */
export const launch = (hasWebGpu) =>
  chromium.launch({ executablePath: binary(), args: hasWebGpu ? [...ARGUMENTS, ...WEBGPU] : ARGUMENTS, ignoreDefaultArgs: LEFT_OUT });

/** Chromium with the folders' server: `tab(path)` opens a tab, whose `done()` closes it and throws what its console had of errors. */
export async function open(...folders) {
  const server = await serve(folders);
  const profile = mkdtempSync(join(tmpdir(), "wgpu-mlp-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: binary(),
    args: [...ARGUMENTS, ...WEBGPU],
    ignoreDefaultArgs: LEFT_OUT,
  });
  const root = `http://localhost:${server.address().port}`;
  return {
    version: context.browser()?.version() ?? "",
    async tab(path = "/blank.html") {
      const tab = await context.newPage();
      const errors = [];
      tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      tab.on("pageerror", (error) => errors.push(String(error)));
      await tab.goto(root + path);
      tab.done = async () => {
        await tab.close();
        if (errors.length > 0) throw new Error(`the console has errors:\n${errors.join("\n")}`);
      };
      return tab;
    },
    async close() {
      await context.close();
      server.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

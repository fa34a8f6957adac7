/** Chromium for tests, and a server for the pages that it opens, under a strict content policy. CHROMIUM names the program. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

export const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const missing = !existsSync(program);

/** Why a test of the browser is left out, or false; under CI=true it fails instead. */
export const leftOut = missing && process.env.CI !== "true" ? `there is no ${program}` : false;

const launchArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".gz": "application/gzip",
};

const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
].join("; ");

function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": contentTypes[extname(file)] ?? "application/octet-stream",
      "content-security-policy": policy,
    });
    response.end(readFileSync(file));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

export interface Tab {
  readonly page: Page;
  readonly origin: string;
  /** Errors, and requests to anywhere else, as they come. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

function collectComplaints(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const { protocol, origin: from } = new URL(request.url());
    if (protocol !== "data:" && from !== origin) complaints.push(`request: ${request.url()}`);
  });
  return complaints;
}

/** A server of a folder, and an empty page of a browser beside it. */
export async function openTab(folder: string): Promise<Tab> {
  const server = await serve(folder);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    server.close();
  };
  try {
    browser = await chromium.launch({ executablePath: program, args: launchArguments });
    const page = await browser.newPage({ viewport: { width: 1100, height: 1100 } });
    return { page, origin, complaints: collectComplaints(page, origin), close };
  } catch (error) {
    await close();
    throw error;
  }
}

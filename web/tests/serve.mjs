// Folders by HTTP, on a free port of this machine.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json", ".svg": "image/svg+xml" };

/** Serves folders, the first that has the file; `/blank.html` is an empty page. */
export function serve(folders) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const file = folders.map((folder) => join(folder, name)).find((file) => existsSync(file) && statSync(file).isFile());
    if (name === "/blank.html" || name === "/favicon.ico") {
      response.writeHead(200, { "content-type": name === "/blank.html" ? "text/html" : "image/x-icon" }).end();
    } else if (file) {
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

// `node web/serve.mjs`: the page as it stands in web/page, with the engine that build.sh made, until it is ended. A file that is edited is there when
// the tab is loaded anew.

import { fileURLToPath } from "node:url";
import { serve } from "./tests/serve.mjs";

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
const server = await serve([folder("page"), folder("../target/web/site")]);
console.log(`http://localhost:${server.address().port}/`);

// SPDX-License-Identifier: MIT
//
// world - what the browser tests share: the real programs, a target for them, and pages in a real
// Chromium that remember whatever went wrong on them.
//
// What a test starts here is ended, by process id, when its file is over.
import {chromium} from "playwright-core";
import {spawn} from "node:child_process";
import {existsSync, mkdirSync, mkdtempSync, rmSync} from "node:fs";
import http from "node:http";
import net from "node:net";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {after} from "node:test";
import {fileURLToPath, pathToFileURL} from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const build = resolve(process.env.CICADA_BUILD ?? join(root, "build/release"));
const chromiumPath = process.env.CICADA_CHROMIUM ?? "/usr/bin/chromium";

export const locustfile = join(here, "locustfile.py");
/** Where pictures of the page go. */
export const pictures = join(root, "build/browser");
mkdirSync(pictures, {recursive: true});

const DEADLINE_MS = 60000;
const ends = []; // Run in reverse at the end of the file.

after(async () => {
  for (const end of ends.reverse())
    await end();
});

export function sleep(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

/** Asks again until there is a true answer, and gives it; a thrown assertion is an answer of no. */
export async function eventually(what, condition) {
  const deadline = Date.now() + DEADLINE_MS;
  let last = "";

  for (;;) {
    try {
      const value = await condition();
      if (value)
        return value;
      last = `it was ${value}`;
    } catch (error) {
      last = error.message;
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s; ${last}`);
    await sleep(100);
  }
}

/** A folder of this test file's own. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "cicada-browser-"));

  ends.push(() => rmSync(path, {recursive: true, force: true}));
  return path;
}

/** A server that answers 404 to /missing and 200 to all else, /slow a little later. */
export async function startTarget() {
  const server = http.createServer((request, response) => {
    const answer = () => {
      response.writeHead(request.url.startsWith("/missing") ? 404 : 200,
                         {"Content-Type": "application/json"});
      response.end('{"status": "ok"}');
    };

    request.resume();
    if (request.url.startsWith("/slow"))
      setTimeout(answer, 60);
    else
      answer();
  });

  server.keepAliveTimeout = DEADLINE_MS;
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

async function listen(port) {
  const server = net.createServer();

  await new Promise((done, failed) => server.once("error", failed).listen(port, "127.0.0.1", done));
  return server;
}

/** A port that is free, and so is the next one. */
async function freePorts() {
  for (;;) {
    const first = await listen(0), {port} = first.address();
    const second = await listen(port + 1).catch(() => null);

    first.close();
    second?.close();
    if (second)
      return port;
  }
}

class Program {
  constructor(name, args) {
    this.text = "";
    this.process = spawn(join(build, name), args.map(String),
                         {stdio: ["ignore", "pipe", "pipe"]});
    for (const stream of [this.process.stdout, this.process.stderr])
      stream.on("data", (bytes) => this.text += bytes);
    this.ended = new Promise((done) => this.process.on("close", done));
  }

  get isRunning() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(signal = "SIGTERM") {
    if (!this.isRunning)
      return;
    this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 20000);
    await this.ended;
    clearTimeout(timer);
  }
}

async function startProgram(name, args, ready) {
  const program = new Program(name, args);

  ends.push(() => program.stop());
  program.ready = await eventually(`${name} ${args.join(" ")} says ${ready}`, () => {
    if (!program.isRunning)
      throw new Error(`it ended: ${program.text}`);
    return ready.exec(program.text);
  });
  return program;
}

/** Starts cicada; `ready` is the match of that in what it says. */
export function startCicada(args, ready) {
  return startProgram("cicada", args, ready);
}

/** Starts a small matrix on platform local, with results in the folder. */
export function startDriver(results, args, ready) {
  return startProgram("cicada-driver", ["--results", results, "--cooldown", 0, ...args], ready);
}

const WEB_READY = /Starting web interface at https?:\/\/[\w.]+:(\d+)/;

/** A cicada with a page; its API is asked with get(). */
export class Site {
  constructor(program) {
    this.program = program;
    this.url = `http://127.0.0.1:${program.ready[1]}`;
  }

  static async start(args, port = 0) {
    return new Site(await startCicada(["-f", locustfile, "--web-host", "127.0.0.1", "-P", port,
                                       ...args], WEB_READY));
  }

  async get(path) {
    const reply = await fetch(`${this.url}/${path}`);

    if (!reply.ok)
      throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply.json();
  }

  async text(path) {
    return (await fetch(`${this.url}/${path}`)).text();
  }

  async swarm(form) {
    const reply = await fetch(`${this.url}/swarm`, {method: "POST", body: new URLSearchParams(form)});
    const said = await reply.json();

    if (!said.success)
      throw new Error(said.message);
  }

  async stop() {
    await fetch(`${this.url}/stop`);
  }

  /** Waits until the test has made so many requests. */
  async requests(count) {
    return eventually(`${count} requests`, async () => {
      const now = await this.get("stats/requests");
      return now.stats.at(-1).num_requests >= count && now;
    });
  }
}

/** A master, and how a worker joins it. */
export async function startMaster(args) {
  const port = await freePorts();
  const site = await Site.start(["--master", "--master-bind-host", "127.0.0.1",
                                 "--master-bind-port", port, ...args]);

  return {site, join: () => startCicada(["--worker", "-f", locustfile, "--master-host", "127.0.0.1",
                                         "--master-port", port], /./)};
}

/** A master with workers, as many as asked for and ready. */
export async function startCluster(workers, args = []) {
  const {site, join: addWorker} = await startMaster(args);

  for (let i = 0; i < workers; i++)
    await addWorker();
  await eventually(`${workers} workers`, async () =>
    (await site.get("worker-count")).worker_count === workers);
  return site;
}

let browser;

async function getBrowser() {
  if (!browser) {
    if (!existsSync(chromiumPath))
      throw new Error(`${chromiumPath} is missing; tools/setup.sh test installs it`);
    // Root has no sandbox, and small machines and containers no room in /dev/shm.
    browser = await chromium.launch({executablePath: chromiumPath,
                                     args: ["--no-sandbox", "--disable-dev-shm-usage"]});
    ends.push(() => browser.close());
  }
  return browser;
}

/** A page of a new reader. Its `faults` has what must not happen: errors on the console, exceptions,
 * what the policy forbids, requests to other servers. */
async function newPage({width = 1280, height = 900, theme = "light", ...more} = {}) {
  const context = await (await getBrowser()).newContext({
    viewport: {width, height}, colorScheme: theme, acceptDownloads: true, ...more,
  });
  const page = await context.newPage();

  page.setDefaultTimeout(DEADLINE_MS);
  page.faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      page.faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.faults.push(`exception: ${error.stack}`));
  page.on("dialog", (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (request.isNavigationRequest() && url.protocol === "file:")
      return;
    if (!["127.0.0.1", "localhost"].includes(url.hostname) && url.protocol !== "data:" &&
        url.protocol !== "blob:")
      page.faults.push(`a request to ${request.url()}`);
  });
  await context.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`)));
  return page;
}

export async function openPage(site, {tab, path = "/", ...options} = {}) {
  const page = await newPage(options);

  await page.goto(site.url + path + (tab ? `?tab=${tab}` : ""));
  await page.locator("#state:not(:text('\u2026'))").waitFor();
  return page;
}

/** A page in a file. It asks for nothing else: that would be one of its faults. */
export async function openFile(path, {heading = "Answer", ...options} = {}) {
  const page = await newPage(options);

  await page.goto(pathToFileURL(path).href);
  await page.getByRole("heading", {name: heading, exact: true}).waitFor();
  return page;
}

/** The cells of a table on the page, as texts. */
export function cells(page, label, part = "tbody") {
  return page.getByRole("region", {name: label, exact: true}).locator(`${part} tr`).evaluateAll((rows) =>
    rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
}

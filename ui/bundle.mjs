// SPDX-License-Identifier: MIT
//
// bundle - makes one page a C source with a table of its files (src/serve/asset.h), each packed with
// gzip: src/PAGE/page.html, src/PAGE/main.tsx with all it imports as PAGE.js, and the style sheets
// that these import as PAGE.css. Where there is a src/PAGE/report.html, it is the same page in one
// file: its style and script are put in, and their hashes into src/policy.html; {{report}} is left
// for who fills it. src/head.html is what all pages begin with.
//
// usage: node bundle.mjs PAGE OUT.c DEPFILE
import {build} from "esbuild";
import {createHash} from "node:crypto";
import {existsSync, readFileSync, writeFileSync} from "node:fs";
import {dirname, extname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {gzipSync} from "node:zlib";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

const root = dirname(fileURLToPath(import.meta.url));
const [page, out, depfile] = process.argv.slice(2);
const html = join(root, "src", page, "page.html");
const whole = join(root, "src", page, "report.html");
const head = join(root, "src", "head.html"), policy = join(root, "src", "policy.html");

const bundle = await build({
  absWorkingDir: root,
  entryPoints: {[page]: join("src", page, "main.tsx")},
  outdir: "never-written",
  write: false,
  bundle: true,
  minify: true,
  metafile: true,
  format: "esm",
  target: ["es2022", "chrome123", "firefox121", "safari17.5"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

function cBytes(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 20)
    lines.push(bytes.subarray(i, i + 20).join(","));
  return lines.join(",\n");
}

/** No end tag may stand in what becomes the inside of an element. */
function inside(element, text) {
  if (text.toLowerCase().includes(`</${element}`))
    throw new Error(`the ${element} of ${page} has its own end tag in it`);
  return text;
}

function fill(template, parts) {
  return template.replace(/{{([a-z-]+)}}/g, (place, name) => parts[name] ?? place);
}

/** A page with what all pages have in their heads. */
function framed(path) {
  const part = (from) => readFileSync(from, "utf8").replace(/^<!--.*-->\n/, "").trim();

  return fill(readFileSync(path, "utf8"), {head: part(head), policy: part(policy)});
}

function inOneFile() {
  const textOf = (ext) => bundle.outputFiles.find((file) => extname(file.path) === ext).text.trim();
  const hash = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
  const script = inside("script", textOf(".js")), style = inside("style", textOf(".css"));
  const parts = {script, style, "script-hash": hash(script), "style-hash": hash(style)};

  return fill(framed(whole), parts);
}

let arrays = "", count = 0;

/** The row of a file, with its bytes among the arrays. */
function row(name, bytes) {
  const packed = gzipSync(bytes, {level: 9}), i = count++;
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 16);

  packed[9] = 255; // The system it was packed on: unknown, so that all systems build the same.
  arrays += `static const unsigned char packed_${i}[] = {\n${cBytes(packed)}\n};\n`;
  return `{ "${name}", "${TYPES[extname(name)]}", "W/\\"${tag}\\"", packed_${i}, ` +
    `sizeof(packed_${i}), ${bytes.length} }`;
}

const rows = [
  row(`${page}.html`, Buffer.from(framed(html))),
  ...bundle.outputFiles.map((file) => row(page + extname(file.path), file.contents)),
];
const alone = existsSync(whole)
  ? `extern const struct asset asset_${page}_alone;\nconst struct asset asset_${page}_alone = ` +
    `${row("report.html", Buffer.from(inOneFile()))};\n` : "";
writeFileSync(out, `#include "serve/asset.h"\n\n${arrays}\n` +
  `extern const struct asset assets_${page}[];\n` +
  `const struct asset assets_${page}[] = {\n\t${rows.join(",\n\t")},\n\t{ NULL },\n};\n${alone}`);

const inputs = [html, head, policy, ...(existsSync(whole) ? [whole] : []), ...Object.keys(bundle.metafile.inputs).map((path) => resolve(root, path)),
  fileURLToPath(import.meta.url), join(root, "package-lock.json")];
writeFileSync(depfile, `${out}: ${inputs.map((path) => path.replace(/ /g, "\\ ")).join(" ")}\n`);

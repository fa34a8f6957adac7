/** Fetching data sets from a server that breaks off, lies and sends wrong bytes; one folder for several processes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { packTar } from "modern-tar";
import { FormatError, GradusError, ValueError } from "../src/core/errors.js";
import { dataFolder, getData, isHere, verifyData, withLock } from "../src/data/node/cache.js";
import { DownloadError, downloadFile } from "../src/data/node/download.js";
import { type RemoteFile, remoteDatasets } from "../src/data/node/registry.js";
import { runInProcess, temporaryFolder } from "./trainSupport.js";

const folder = temporaryFolder();
const content = Buffer.from(
  Uint8Array.from({ length: 200_000 }, (_, i) => (i * 2654435761) >>> 24),
);
const md5 = createHash("md5").update(content).digest("hex");

type Behave = (request: IncomingMessage, response: ServerResponse, from: number) => void;
let behave: Behave = () => {};
const ranges: (string | undefined)[] = [];
/** What the latest request has brought to the disk. */
let received = 0;
const onProgress = (done: number) => {
  received = done;
};
const server = createServer((request, response) => {
  ranges.push(request.headers.range);
  received = 0;
  behave(request, response, Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
const quick = { pause: 1, retries: 3, stall: 20_000, onProgress };
let files = 0;

async function fetchWith(how: Behave, file: Partial<RemoteFile> = {}, path = next()) {
  behave = how;
  ranges.length = 0;
  await downloadFile({ name: "file", url, md5, ...file }, path, quick);
  return fs.readFileSync(path);
}
const next = () => join(folder, `file${files++}`);

const whole: Behave = (_, response) => response.end(content);
/** Answers as a server of files does: whole, in parts, or that there is no such part. */
const serving =
  (bytes: Buffer): Behave =>
  (_, response, from) => {
    const total = bytes.length;
    if (from > 0 && from >= total) response.writeHead(416, { "content-range": `bytes */${total}` });
    else if (from > 0)
      response.writeHead(206, { "content-range": `bytes ${from}-${total - 1}/${total}` });
    else response.writeHead(200, { "content-length": total });
    response.end(from < total ? bytes.subarray(from) : undefined);
  };
const range = serving(content);
/** Sends a part and cuts the line once it has arrived: what is still on its way may be lost. */
const breaking =
  (bytes: number, then: Behave = range): Behave =>
  (request, response, from) => {
    if (from + bytes >= content.length) return then(request, response, from);
    const head = { "content-length": content.length - from };
    const rest = { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from > 0 ? 206 : 200, from > 0 ? { ...head, ...rest } : head);
    response.write(content.subarray(from, from + bytes));
    const timer = setInterval(() => received >= from + bytes && response.destroy(), 5);
    response.on("close", () => clearInterval(timer));
  };

test("a file comes whole, and one that breaks off goes on where it was", async () => {
  assert.ok((await fetchWith(whole)).equals(content));
  assert.deepEqual(ranges, [undefined]);
  assert.ok((await fetchWith(breaking(60_000))).equals(content));
  assert.equal(ranges[0], undefined);
  assert.match(ranges[1]!, /^bytes=\d+-$/);
  assert.ok(ranges.length >= 3 && !ranges.slice(1).includes(undefined), `${ranges}`);
});

test("a server without ranges, or with the wrong one, begins anew", async () => {
  let breaks = 1;
  const forgetful: Behave = (request, response, from) =>
    breaks-- > 0 ? breaking(60_000)(request, response, from) : whole(request, response, from);
  assert.ok((await fetchWith(forgetful)).equals(content));
  breaks = 1;
  const shifted: Behave = (request, response, from) => {
    if (breaks-- > 0) return breaking(60_000)(request, response, from);
    if (from === 0) return whole(request, response, from);
    response.writeHead(206, { "content-range": `bytes 0-${content.length - 1}/${content.length}` });
    response.end(content);
  };
  assert.ok((await fetchWith(shifted)).equals(content));
  const path = next();
  fs.writeFileSync(`${path}.part`, Buffer.alloc(content.length + 5));
  const strict: Behave = (request, response, from) => {
    if (from < content.length) return range(request, response, from);
    response.writeHead(416);
    response.end();
  };
  assert.ok((await fetchWith(strict, {}, path)).equals(content));
});

test("wrong bytes and lengths are thrown away and said", async () => {
  const wrong: Behave = (_, response) => response.end(Buffer.alloc(content.length));
  const path = next();
  await assert.rejects(
    fetchWith(wrong, {}, path),
    (e) =>
      e instanceof FormatError && /MD5 sum \w{32}; expected \w{32}; thrown away/.test(e.message),
  );
  assert.ok(!fs.existsSync(path) && !fs.existsSync(`${path}.part`));
  const tooLong: Behave = (_, response) => {
    response.write(content);
    response.end(content);
  };
  await assert.rejects(fetchWith(tooLong, { size: content.length }), /sends more than the 200000/);
  const short: Behave = (_, response) => {
    response.write(content.subarray(0, 10));
    response.end();
  };
  await assert.rejects(fetchWith(short, { size: 200_000 }), DownloadError);
  const missing: Behave = (_, response) => response.writeHead(404).end();
  await assert.rejects(fetchWith(missing), /answered 404 Not Found; run again/);
  assert.equal(ranges.length, 1);
  let busy = 2;
  const later: Behave = (request, response, from) =>
    busy-- > 0 ? response.writeHead(503).end() : whole(request, response, from);
  assert.ok((await fetchWith(later)).equals(content));
  await assert.rejects(
    fetchWith((_, response) => response.destroy()),
    DownloadError,
  );
  assert.equal(ranges.length, 4);
});

test("a file of another size on the server is refused at once, and what is there stays", async () => {
  const path = next();
  fs.writeFileSync(`${path}.part`, content.subarray(0, 70_000));
  for (const other of [content.subarray(0, 500), content.subarray(0, 90_000)]) {
    const size = content.length;
    await assert.rejects(
      fetchWith(serving(other), { size }, path),
      (e) => e instanceof FormatError && /file has \d+ bytes; expected 200000/.test(e.message),
    );
    assert.equal(ranges.length, 1);
    assert.equal(fs.statSync(`${path}.part`).size, 70_000);
  }
  assert.ok((await fetchWith(serving(content), { size: content.length }, path)).equals(content));
});

test("what was all there but not checked is not fetched again", async () => {
  const path = next();
  fs.writeFileSync(`${path}.part`, content);
  assert.ok((await fetchWith(serving(content), {}, path)).equals(content));
  assert.deepEqual(ranges, [`bytes=${content.length}-`]);
});

test("a file that changed on the server between two pieces is fetched once more, whole", async () => {
  const old = Buffer.alloc(content.length, 7);
  const path = next();
  fs.writeFileSync(`${path}.part`, old.subarray(0, 50_000));
  assert.ok((await fetchWith(serving(content), {}, path)).equals(content));
  assert.deepEqual(ranges, ["bytes=50000-", undefined]);
  const other = next();
  fs.writeFileSync(`${other}.part`, content.subarray(0, 50_000));
  await assert.rejects(fetchWith(serving(old), {}, other), /has the MD5 sum .*; thrown away/);
  assert.deepEqual(ranges, ["bytes=50000-", undefined]);
  assert.ok(!fs.existsSync(other) && !fs.existsSync(`${other}.part`));
});

test("waiting before another try is told, and given up when asked to", async () => {
  behave = (_, response) => response.writeHead(503).end();
  const controller = new AbortController();
  const told: string[] = [];
  const onRetry = (reason: string, milliseconds: number) => {
    told.push(`${reason}, ${milliseconds}`);
    controller.abort(new Error("enough"));
  };
  // Were the pause not given up, the test would never end.
  const options = { pause: 2 ** 30, onRetry, signal: controller.signal };
  await assert.rejects(downloadFile({ name: "file", url, md5 }, next(), options), /enough/);
  assert.deepEqual(told, [`the server answered 503 Service Unavailable, ${2 ** 30}`]);
});

test("what was stopped goes on in the next call", async () => {
  const path = next();
  behave = breaking(60_000);
  const controller = new AbortController();
  const stop = { ...quick, signal: controller.signal, onProgress: () => controller.abort() };
  await assert.rejects(downloadFile({ name: "file", url, md5 }, path, stop));
  assert.ok(fs.statSync(`${path}.part`).size > 0);
  assert.ok((await fetchWith(range, {}, path)).equals(content));
  assert.match(ranges[0]!, /^bytes=/);
});

test("a data set is fetched once, whoever asks, and verified", async () => {
  const root = join(folder, "shared");
  const dataset = { name: "x", title: "", licence: "", files: [{ name: "a", url, md5 }] };
  behave = breaking(90_000);
  ranges.length = 0;
  const got = await Promise.all([1, 2, 3].map(() => getData(dataset, { root, ...quick })));
  assert.deepEqual(new Set(got), new Set([join(root, "x")]));
  assert.equal(ranges.filter((r) => r === undefined).length, 1);
  assert.deepEqual(fs.readdirSync(join(root, "x")), ["a"]);
  assert.deepEqual(await verifyData(dataset, { root }), [{ name: "a", problem: undefined }]);
  fs.appendFileSync(join(root, "x", "a"), "!");
  assert.match((await verifyData(dataset, { root }))[0]!.problem!, /MD5 sum/);
  await assert.rejects(getData("nope", { root }), ValueError);
  await assert.rejects(getData("imagenet", { root }), /needs an account/);
});

test("archives that are read as folders are unpacked, also after a stop", async () => {
  const names = ["list.txt", "val/a.png", "val/deep/b.png"];
  const pack = (all: readonly string[]) =>
    packTar(all.map((name) => ({ header: { name, size: name.length }, body: name })));
  const tar = Buffer.from(await pack(names));
  const place = (kept: Buffer, name: string) => {
    const sum = createHash("md5").update(kept).digest("hex");
    const file = { name: "all.tar", url, md5: sum, size: kept.length };
    return { name, title: "", licence: "", files: [file], unpack: ["all.tar"] };
  };
  behave = (_, response) => response.end(tar);
  const root = join(folder, "unpacked");
  const dataset = place(tar, "pictures");
  const stopped = new AbortController();
  const stop = { onUnpack: () => stopped.abort(new Error("enough")), signal: stopped.signal };
  await assert.rejects(getData(dataset, { root, ...quick, ...stop }), /enough/);
  assert.equal(isHere(dataset, root), false);
  fs.writeFileSync(join(root, "pictures/list.txt"), "cut");
  const counts: number[] = [];
  const told = { onUnpacked: (files: number) => counts.push(files) };
  const here = await getData(dataset, { root, ...quick, ...told });
  assert.equal(isHere(dataset, root), true);
  for (const name of names) assert.equal(fs.readFileSync(join(here, name), "utf8"), name);
  assert.deepEqual(counts, [3]);
  await getData(dataset, { root, ...quick, ...told });
  assert.deepEqual(counts, [3]);
  for (const evil of [["../up.txt"], ["all.tar"], ["all.tar.unpacked"], ["val", "val/x"]]) {
    const bad = Buffer.from(await pack(evil));
    behave = (_, response) => response.end(bad);
    const name = `bad-${evil[0]!.length}`;
    await assert.rejects(getData(place(bad, name), { root, ...quick }), GradusError, evil[0]!);
    assert.equal(isHere(place(bad, name), root), false);
    assert.ok(!fs.existsSync(join(root, "up.txt")));
  }
});

test("a lock that its holder left behind is taken over, a fresh one is not", async () => {
  const lock = join(folder, ".lock");
  fs.writeFileSync(lock, "a process that died\n");
  const old = new Date(Date.now() - 60_000);
  fs.utimesSync(lock, old, old);
  assert.equal(await withLock(folder, async () => 7), 7);
  assert.ok(!fs.existsSync(lock));
  fs.writeFileSync(lock, "a process that lives\n");
  const soon = { signal: AbortSignal.timeout(500) };
  await assert.rejects(withLock(folder, async () => 7, soon));
  fs.rmSync(lock);
  await assert.rejects(
    withLock(folder, async () => {
      throw new GradusError("", "inside");
    }),
    /inside/,
  );
  assert.ok(!fs.existsSync(lock));
});

test("the folder follows the environment, and sums are well formed", () => {
  assert.equal(dataFolder({ GRADUS_DATA: "/a/b" }), "/a/b");
  assert.equal(dataFolder({ XDG_CACHE_HOME: "/c" }), "/c/gradus/data");
  for (const { files } of remoteDatasets)
    for (const file of files) {
      assert.match(file.md5, /^[0-9a-f]{32}$/);
      assert.ok(file.size! > 1000, file.name);
      assert.ok(new URL(file.url).pathname.endsWith(file.name));
    }
});

test("the command lists, and verifies what is there", async () => {
  const root = join(folder, "command");
  assert.match(
    (await runInProcess("data", "list", "--root", root)).text,
    /fashion-mnist +70,000 clothes, 28 × 28 grey +31 MB\n/,
  );
  fs.mkdirSync(join(root, "mnist"), { recursive: true });
  fs.writeFileSync(join(root, "mnist", "t10k-labels-idx1-ubyte.gz"), "wrong");
  const { code, text } = await runInProcess("data", "verify", "--root", root);
  assert.equal(code, 1);
  assert.match(text, /bad +mnist\/t10k-labels-idx1-ubyte\.gz has 5 bytes; expected 4542/);
  assert.match(text, /train-images-idx3-ubyte\.gz is missing/);
  const typo = await runInProcess("data", "get", "fashon-mnist");
  assert.deepEqual([typo.code, /did you mean "fashion-mnist"/.test(typo.text)], [2, true]);
});

test("the command stops at Ctrl-C, keeps what came, and says what went wrong", async (t) => {
  const root = join(folder, "interrupted");
  const part = join(root, "mnist/train-images-idx3-ubyte.gz.part");
  const fetchReally = globalThis.fetch;
  t.mock.method(globalThis, "fetch", (_: string, options: RequestInit) =>
    fetchReally(url, options),
  );
  behave = (_, response) => {
    response.writeHead(200, { "content-length": 9_912_422 });
    response.write(content);
  };
  const stopped = runInProcess("data", "get", "mnist", "--root", root);
  while ((fs.statSync(part, { throwIfNoEntry: false })?.size ?? 0) === 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  process.emit("SIGINT", "SIGINT");
  const { code, text } = await stopped;
  assert.deepEqual([code, /Stopping … run again to go on/.test(text)], [130, true], text);
  assert.deepEqual(fs.readdirSync(join(root, "mnist")), ["train-images-idx3-ubyte.gz.part"]);
  behave = (_, response) => response.writeHead(403).end();
  const refused = await runInProcess("data", "get", "mnist", "--root", root);
  assert.equal(refused.code, 1);
  assert.match(
    refused.text,
    /answered 403 Forbidden; run again to go on, or put the files into .*mnist/,
  );
  assert.ok(fs.statSync(part).size > 0);
  behave = serving(content);
  const other = await runInProcess("data", "get", "mnist", "--root", root);
  assert.match(other.text, /the server's file has 200000 bytes; expected 9912422/);
});

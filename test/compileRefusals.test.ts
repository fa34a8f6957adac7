/** compile(): what a traced function may not do, and what a run that fails or is under way leaves. On every backend. */
import assert from "node:assert/strict";
import {
  BackendError,
  compile,
  defaultGenerator,
  manualSeed,
  ones,
  type Tensor,
  TraceError,
  tensor,
  ValueError,
  zeros,
} from "../src/index.js";
import { everywhere } from "./support/backends.js";
import { labels, Mlp, numbers, optimizers, settle, trainingStep } from "./support/models.js";

const leaf = (values: number | number[]) => tensor(values, { requiresGrad: true });

everywhere("reading a value while tracing is refused, with a hint", async () => {
  const hint =
    /a value was read while compile\(\) traces the function.*float32\[2\].*where\(\) instead of if/;
  await assert.rejects(compile((x: Tensor) => x.mul(2).data[0] ?? 0)(ones([2])), hint);
  await assert.rejects(compile((x: Tensor) => x.toArray() as number[])(ones([2])), TraceError);
  await assert.rejects(
    compile((x: Tensor) => x.sum().item())(ones([2])),
    /^TraceError: item: a value was read/,
  );
  await assert.rejects(
    compile((x: Tensor) => ((x.sum() as unknown as number) > 0 ? x : x.neg()))(ones([2])),
    /^TraceError: comparison: a value was read while compile\(\) traces/,
  );
  const w = tensor([3]);
  await assert.rejects(
    compile((x: Tensor) => x.mul(w).mul(w.item()))(ones([2])),
    /read as a number, which would freeze today's value into the program/,
  );
  assert.equal(
    `${await compile((x: Tensor) => String(x))(ones([2]))}`,
    "tensor(traced, shape=[2], dtype=float32)",
  );
});

everywhere("a traced value that was kept elsewhere is refused", async () => {
  let kept: Tensor | null = null;
  const f = compile((x: Tensor) => {
    const y = kept ? x.add(kept) : x.mul(2);
    kept = x.mul(3);
    return y;
  });
  await f(ones([2]));
  await assert.rejects(
    f(ones([3])),
    /^TraceError: .*a value of type float32\[2\] was kept from an earlier trace/,
  );
  assert.throws(() => kept!.add(1), TraceError);
  assert.throws(() => kept!.item(), TraceError);
});

everywhere("an async function is refused", async () => {
  await assert.rejects(
    compile((async (x: Tensor) => x) as never)(),
    /^TraceError: compile: the function is async/,
  );
});

everywhere("a compiled function inside another is part of it", async () => {
  const inner = compile((x: Tensor) => x.mul(2));
  const outer = compile((x: Tensor) => (inner(x) as unknown as Tensor).add(1));
  assert.deepEqual((await outer(tensor([1, 2]))).toArray(), [3, 5]);
  assert.equal(inner.programCount, 0);
});

everywhere("a trace that throws leaves nothing behind", async () => {
  const w = leaf([1, 2]);
  const f = compile((x: Tensor) => {
    w.assign(w.mul(2));
    w.grad = x;
    return x.add(zeros([3]));
  });
  await assert.rejects(f(ones([2])), /^ShapeError: add: shapes \[2\] and \[3\] do not broadcast/);
  assert.deepEqual([w.toArray(), w.grad], [[1, 2], null]);
  assert.deepEqual(w.add(1).toArray(), [2, 3]);
});

for (const [name, make] of Object.entries(optimizers))
  everywhere(
    `a label out of range leaves parameters and state of ${name} as they were`,
    async () => {
      const model = settle(new Mlp());
      const optimizer = make(model.parameters());
      const step = compile(trainingStep(model, optimizer));
      const x = numbers("x", [4, 6]);
      manualSeed(3);
      await step(x, labels("y", 4, 5));
      const all = () => [
        ...[...model.stateDict()].map(([key, v]) => [key, v.toArray()]),
        ...Object.values(optimizer.stateDict().state).map((own) =>
          Object.entries(own).map(([key, v]) => [key, v.toArray()]),
        ),
        ...model.parameters().map((p) => p.grad?.toArray()),
        defaultGenerator.getState(),
      ];
      const before = structuredClone(all());
      const wrong = tensor(Int32Array.of(1, 7, 0, 2));
      await assert.rejects(step(x, wrong), (error: Error) => {
        assert.ok(error instanceof ValueError, String(error));
        assert.match(error.message, /^crossEntropy: index 7 is out of range: expected 0 to 4/);
        return true;
      });
      assert.deepEqual(all(), before);
      await step(x, labels("y", 4, 5));
      assert.notDeepEqual(all(), before);
    },
  );

everywhere("concurrent calls run in the order of the calls", async () => {
  const p = tensor(1);
  const double = compile(() => p.assign(p.mul(2)));
  const add = compile((x: Tensor) => {
    p.assign(p.add(x));
    return p.mul(1);
  });
  const results = [double(), add(tensor(3)), double(), add(tensor(1))];
  await Promise.all(results);
  assert.equal(p.item(), 11);
  assert.deepEqual(
    [((await results[1]) as Tensor).item(), ((await results[3]) as Tensor).item()],
    [5, 11],
  );
});

everywhere("a failed call does not stop those after it", async () => {
  const f = compile((x: Tensor) => x.add(zeros([2])));
  const [bad, good] = await Promise.allSettled([f(ones([3])), f(ones([2]))]);
  assert.deepEqual([bad!.status, good!.status], ["rejected", "fulfilled"]);
});

everywhere("a parameter that a run is writing says so when it is read", async () => {
  const w = leaf([1, 2]);
  const f = compile(() => w.assign(w.mul(2)));
  const running = f();
  assert.throws(
    () => w.toArray(),
    (error: Error) => {
      assert.ok(error instanceof BackendError);
      assert.match(
        error.message,
        /a compiled function that updates this tensor is still running; await its result first/,
      );
      return true;
    },
  );
  assert.throws(() => w.add(1), BackendError);
  await running;
  assert.deepEqual(w.toArray(), [2, 4]);
});

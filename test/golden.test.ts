/** Ten steps of training give PyTorch's losses, and twenty the same ones eager and compiled, on every backend. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Tensor } from "../src/index.js";
import { backends, type Place, use } from "./support/backends.js";
import { differ } from "./support/compare.js";
import { batchOf, fill, golden, models, optimizers } from "./support/golden.js";
import { trainingStep } from "./support/models.js";

type ModelName = keyof typeof models;

interface Training {
  readonly losses: readonly number[];
  readonly last: ArrayLike<number>;
}

async function train(
  name: ModelName,
  optimizer: string,
  { steps = 10, batch = models[name].batch as number, compiled = true } = {},
): Promise<Training> {
  const model = fill(models[name].make());
  const eager = trainingStep(model, optimizers[optimizer]!(model.parameters()));
  const step: (x: Tensor, y: Tensor) => Tensor | Promise<Tensor> = compiled
    ? compile(eager)
    : eager;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await step(...batchOf(name, i, batch))).item());
  return { losses, last: model.parameters().at(-1)!.data };
}

/** LeNet on the interpreter takes a second a step, so there it has one optimizer. */
const isTooSlow = ({ backend }: Place, name: ModelName, optimizer: string): boolean =>
  backend === "interpreter" && name === "lenet" && optimizer !== "sgd";

for (const place of backends)
  for (const name of Object.keys(models) as ModelName[])
    for (const optimizer of Object.keys(optimizers)) {
      if (isTooSlow(place, name, optimizer)) continue;
      test(`ten steps of ${name} with ${optimizer} lose what PyTorch's do (${place.backend})`, async () => {
        use(place);
        const expected = golden.training[`${name} ${optimizer}`]!;
        const { losses, last } = await train(name, optimizer);
        assert.equal(differ(losses, expected.losses, { relative: 1e-4, absolute: 0 }), null);
        assert.equal(differ(last, expected.last, { relative: 1e-3, absolute: 1e-4 }), null);
        assert.ok(losses.at(-1)! < losses[0]!);
      });
    }

for (const place of backends)
  for (const [name, batch] of [
    ["lenet", 2],
    ["mlp", 7],
  ] as const)
    test(`twenty steps of ${name} are the same eager and compiled (${place.backend})`, async () => {
      use(place);
      const names =
        place.backend === "interpreter" && name === "lenet"
          ? ["nesterov"]
          : Object.keys(optimizers);
      for (const optimizer of names) {
        const [eager, compiled] = [
          await train(name, optimizer, { batch, steps: 20, compiled: false }),
          await train(name, optimizer, { batch, steps: 20 }),
        ];
        const bounds = { relative: 1e-5, absolute: 1e-6 };
        assert.equal(differ(compiled.losses, eager.losses, bounds), null, optimizer);
      }
    });

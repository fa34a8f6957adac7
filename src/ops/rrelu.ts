/** Leaky ReLU with random slopes. Read activation.ts for the others. */
import { ValueError } from "../core/errors.js";
import { applyOne, type OpSpec } from "../tensor/apply.js";
import { zeros } from "../tensor/create.js";
import { bad, input, type SampleSet, sample, unlike } from "../tensor/defineOp.js";
import { Generator, generatorOf, uniformNodes } from "../tensor/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { leakyRelu } from "./activation.js";
import { needFloatTensor } from "./norm.js";
import type { DropoutOptions } from "./random.js";

export interface RreluOptions extends DropoutOptions {
  /** The least slope; default 1/8. */
  readonly lower?: number;
  /** The greatest slope; default 1/3. */
  readonly upper?: number;
}

type Slopes = { readonly lower: number; readonly upper: number };

const spec: OpSpec<Slopes> = {
  name: "rrelu",
  lower(b, [x, state], { lower, upper }) {
    const random = b.convert(uniformNodes(b, state!, x!.shape, "float32"), x!.dtype);
    const slopes = b.add(b.multiply(random, upper - lower), lower);
    return b.select(b.pointwise("less", x!, 0), b.multiply(x!, slopes), x!);
  },
};

/**
 * x where it is at least 0, else slope · x, with a slope for each element from [lower, upper] (Xu et al., 2015); with
 * `training: false` the middle of the two.
 *
 * @throws ValueError unless 0 ≤ lower ≤ upper.
 * @example
 * ```ts
 * import { nn, tensor } from "gradus";
 * const y = nn.functional.rrelu(tensor([-4, 4]), { lower: 0.5, upper: 0.5 });
 * console.log(y.toArray()); // → [ -2, 4 ]
 * ```
 */
export function rrelu(x: Tensor, options: RreluOptions = {}): Tensor {
  const { lower = 1 / 8, upper = 1 / 3, training = true, generator } = options;
  if (!(lower >= 0 && lower <= upper && Number.isFinite(upper)))
    throw new ValueError("rrelu", `needs 0 ≤ lower ≤ upper, got ${lower} and ${upper}`);
  needFloatTensor("rrelu", x);
  const source = generatorOf("rrelu", generator);
  if (!training) return leakyRelu(x, { negativeSlope: (lower + upper) / 2 });
  return applyOne(spec, [x, source.take()], { lower, upper });
}

const ownBits = "PyTorch draws other random bits";

export const rreluSamples: SampleSet = () => [
  {
    op: "rrelu",
    samples: [
      unlike([input([3, 4])], (a) => rrelu(a, { generator: new Generator(1) }), ownBits),
      sample([input([3, 4])], (a) => rrelu(a, { training: false }), "F.rrelu(a)"),
      sample(
        [input([3, 4])],
        (a) => rrelu(a, { lower: 0.2, upper: 0.2 }),
        "F.rrelu(a, 0.2, 0.2, training=True)",
      ),
    ],
    bad: [bad(() => rrelu(zeros([2]), { lower: 1, upper: 0.5 }), /needs 0 ≤ lower ≤ upper/)],
  },
];

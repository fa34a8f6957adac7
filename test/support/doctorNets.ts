/** Small networks on real pictures, made to a plan, so that a fault can be put into any part. Read doctorCases.ts for the faults. */
import { data, manualSeed, nn, optim, type Tensor, tensor } from "../../src/index.js";
import { accuracy, type Experiment, type FitOptions } from "../../src/train/index.js";
import type { Pictures } from "./planted.js";

export type Kind = "mlp" | "cnn";

/** What one case is made for. */
export interface World {
  readonly kind: Kind;
  readonly pictures: Pictures;
  readonly seed: number;
}

export interface Parts {
  readonly activation?: () => nn.Layer;
  readonly norm?: "batch" | "layer";
  readonly dropout?: number;
  readonly outputs?: number;
}

/** A row of layers, as people name them; `prepare` runs at the head of each forward pass. */
export class Net extends nn.Module {
  readonly body: nn.Sequential;
  readonly head: nn.Linear;
  readonly prepare: (net: Net) => void;
  readonly cut: boolean;

  constructor(
    body: nn.Sequential,
    head: nn.Linear,
    {
      prepare = () => undefined,
      cut = false,
    }: { prepare?: (net: Net) => void; cut?: boolean } = {},
  ) {
    super();
    this.body = body;
    this.head = head;
    this.prepare = prepare;
    this.cut = cut;
  }

  forward(x: Tensor): Tensor {
    this.prepare(this);
    const features = this.body.forward(x);
    return this.head.forward(this.cut ? features.detach() : features);
  }
}

function layersOf(kind: Kind, parts: Parts): nn.Layer[] {
  const act = parts.activation ?? (() => new nn.ReLU());
  const drop = parts.dropout ? [new nn.Dropout(parts.dropout)] : [];
  const between = (width: number): nn.Layer[] => {
    if (!parts.norm) return [act()];
    return [parts.norm === "batch" ? new nn.BatchNorm1d(width) : new nn.LayerNorm(width), act()];
  };
  if (kind === "mlp")
    return [
      ...[new nn.Flatten(), new nn.Linear(784, 64), ...between(64), ...drop],
      ...[new nn.Linear(64, 48), ...between(48)],
    ];
  const plane = (width: number): nn.Layer[] => {
    const norm =
      parts.norm === "batch" ? [new nn.BatchNorm2d(width)] : [new nn.GroupNorm(2, width)];
    return [...(parts.norm ? norm : []), act(), new nn.MaxPool2d(2)];
  };
  return [
    ...[new nn.Conv2d(1, 6, 5, { padding: 2 }), ...plane(6)],
    ...[new nn.Conv2d(6, 12, 5), ...plane(12), new nn.Flatten()],
    ...[new nn.Linear(12 * 25, 48), ...between(48), ...drop],
  ];
}

export interface Plan extends Parts {
  readonly planted?: { prepare?: (net: Net) => void; cut?: boolean };
  readonly start?: (net: Net) => void;
  readonly optimizer?: (net: Net) => optim.Optimizer;
  readonly lr?: number;
  readonly examples?: number;
  readonly batchSize?: number;
  readonly epochs?: number;
  readonly inputs?: (pixels: Float32Array, pictures: Pictures) => void;
  readonly labels?: (labels: Int32Array, seed: number) => Int32Array | Float32Array;
  readonly classes?: number | null;
  readonly change?: Partial<FitOptions>;
}

/** Pixels of a picture. */
export const size = 784;

/** Pictures in an order of the seed's own, so many of them for training and as many as 500 held out. */
function split({ pictures, seed }: World, plan: Plan) {
  const order = data.permutation(pictures.labels.length, 1000 + seed);
  const { examples = 1500 } = plan;
  const inputs =
    plan.inputs ??
    ((pixels, { mean, std }) => {
      for (let i = 0; i < pixels.length; i++) pixels[i] = (pixels[i]! - mean) / std;
    });
  const part = (from: number, to: number) => {
    const chosen = [...order.subarray(from, to)];
    const pixels = new Float32Array(chosen.length * size);
    for (const [i, k] of chosen.entries())
      pixels.set(pictures.images.subarray(k * size, (k + 1) * size), i * size);
    inputs(pixels, pictures);
    const own = Int32Array.from(chosen, (k) => pictures.labels[k]!);
    const targets = plan.labels?.(own, seed + from) ?? own;
    const y = tensor(targets as Float32Array, {
      dtype: targets instanceof Int32Array ? "int32" : "float32",
    });
    const x = tensor(pixels, { shape: [chosen.length, 1, 28, 28] });
    return new data.TensorDataset(x, y.dtype === "float32" ? y.unsqueeze(1) : y);
  };
  return { train: part(0, examples), heldOut: part(examples, examples + 500) };
}

/** The experiment of a plan. The weights, the examples and their order follow the world's seed. */
export function makeExperiment(world: World, plan: Plan): Experiment {
  const { classes = 10, batchSize = 32, epochs = 4, lr = 2e-3 } = plan;
  const { train, heldOut } = split(world, plan);
  manualSeed(world.seed);
  const head = new nn.Linear(48, plan.outputs ?? classes ?? 1);
  const net = new Net(new nn.Sequential(...layersOf(world.kind, plan)), head, plan.planted);
  plan.start?.(net);
  const optimizer = plan.optimizer?.(net) ?? new optim.AdamW(net.parameters(), { lr });
  return {
    model: net,
    ...(classes !== null && { classes }),
    options: {
      ...{ optimizer, epochs },
      train: new data.DataLoader(train, { batchSize, shuffle: true, seed: world.seed }),
      validation: new data.DataLoader(heldOut, { batchSize: 100 }),
      ...(classes !== null && { metrics: { accuracy } }),
      ...plan.change,
    },
  };
}

/**
 * Layers beside the same layers in PyTorch. Values of states and inputs follow from names, so that scripts/fixtures/makeModules.py and
 * the test make the same. Read ../modules.test.ts next.
 */
import { type DType, isFloat } from "../../src/core/dtype.js";
import { nn, ones, type Shape, Tensor, tensor } from "../../src/index.js";
import { randomValues, type Values } from "./samples.js";

type Nested = Tensor | null | readonly Nested[];

export interface ModuleCase {
  /** In PyTorch, from `torch.nn`. */
  readonly torch: string;
  readonly make: () => nn.Module;
  readonly inputs: readonly Values[];
  readonly call: (module: never, inputs: readonly Tensor[]) => Nested;
  /** The same call in PyTorch, of module m on inputs xs. */
  readonly torchCall: string;
}

export const flatten = (y: Nested): Tensor[] =>
  y instanceof Tensor ? [y] : y === null ? [] : y.flatMap(flatten);

const values = (name: string, shape: Shape, dtype: DType = "float32"): Values =>
  randomValues(name, { shape, dtype, low: -1, high: 1 });

export const toTensor = ({ shape, dtype, values: list }: Values): Tensor =>
  tensor([...list], { shape: [list.length], dtype }).reshape(shape);

/** A state to begin with: variances and counts must not be below 0. */
export function stateOf(torch: string, module: nn.Module): (readonly [string, Values])[] {
  return [...module.stateDict()].map(([name, { shape, dtype }]) => {
    const list = values(`${torch} ${name}`, shape, dtype);
    const positive = name.endsWith("running_var") || !isFloat(dtype);
    return [name, positive ? { ...list, values: list.values.map(Math.abs) } : list] as const;
  });
}

interface Extra<M> {
  readonly call?: (module: M, xs: readonly Tensor[]) => Nested;
  readonly torchCall?: string;
  readonly dtypes?: readonly DType[];
}

function one<M extends nn.Module>(
  torch: string,
  make: () => M,
  shapes: readonly Shape[],
  extra: Extra<M> = {},
): ModuleCase {
  const forward = (m: M, xs: readonly Tensor[]) => m.forward(...(xs as never[])) as Nested;
  return {
    ...{ torch, make, torchCall: extra.torchCall ?? "m(*xs)" },
    inputs: shapes.map((shape, i) => values(`${torch} input ${i}`, shape, extra.dtypes?.[i])),
    call: (extra.call ?? forward) as ModuleCase["call"],
  };
}

const image = [[4, 3, 5, 2]];
const modes = ["zeros", "reflect", "replicate", "circular"] as const;

const norms = [
  one("nn.BatchNorm1d(3)", () => new nn.BatchNorm1d(3), [[4, 3, 5]]),
  one("nn.BatchNorm1d(3).eval()", () => new nn.BatchNorm1d(3).eval(), [[4, 3]]),
  one("nn.BatchNorm2d(3, momentum=None)", () => new nn.BatchNorm2d(3, { momentum: null }), image),
  one(
    "nn.BatchNorm2d(3, momentum=0.3)",
    () => new nn.BatchNorm2d(3, { momentum: 0.3 }),
    [
      [4, 3, 5, 2],
      [2, 3, 2, 2],
    ],
    { call: (m, [a, b]) => [m.forward(a!), m.forward(b!)], torchCall: "(m(xs[0]), m(xs[1]))" },
  ),
  one("nn.BatchNorm3d(3, affine=False)", () => new nn.BatchNorm3d(3, { affine: false }), [
    [2, 3, 2, 2, 2],
  ]),
  one(
    "nn.InstanceNorm2d(3, affine=True, track_running_stats=True)",
    () => new nn.InstanceNorm2d(3, { affine: true, trackRunningStats: true }),
    image,
  ),
  one("nn.InstanceNorm1d(3)", () => new nn.InstanceNorm1d(3), [[3, 5]]),
  one("nn.LayerNorm((3, 5))", () => new nn.LayerNorm([3, 5]), [[4, 3, 5]]),
  one("nn.GroupNorm(2, 4)", () => new nn.GroupNorm(2, 4), [[4, 4, 5]]),
  one("nn.LocalResponseNorm(2)", () => new nn.LocalResponseNorm(2), [[2, 3, 4]]),
];

const convolutions = [
  ...modes.flatMap((paddingMode) => [
    one(
      `nn.Conv2d(2, 4, (3, 2), padding=(2, 1), padding_mode="${paddingMode}", groups=2)`,
      () => new nn.Conv2d(2, 4, [3, 2], { padding: [2, 1], paddingMode, groups: 2 }),
      [[2, 2, 5, 6]],
    ),
    one(
      `nn.Conv1d(2, 3, 4, padding="same", padding_mode="${paddingMode}")`,
      () => new nn.Conv1d(2, 3, 4, { padding: "same", paddingMode }),
      [[2, 2, 7]],
    ),
  ]),
  one(
    'nn.Conv3d(1, 2, 2, padding=1, padding_mode="replicate")',
    () => new nn.Conv3d(1, 2, 2, { padding: 1, paddingMode: "replicate" }),
    [[1, 1, 3, 4, 2]],
  ),
  one(
    "nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)",
    () => new nn.ConvTranspose2d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2 }),
    [[1, 4, 3, 4]],
  ),
  one("nn.Bilinear(2, 3, 4)", () => new nn.Bilinear(2, 3, 4), [
    [5, 2],
    [5, 3],
  ]),
];

const recurrent = [
  one(
    'nn.RNN(3, 4, num_layers=2, bidirectional=True, nonlinearity="relu")',
    () => new nn.RNN(3, 4, { numLayers: 2, bidirectional: true, nonlinearity: "relu" }),
    [[5, 2, 3]],
  ),
  one(
    "nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2, batch_first=True)",
    () => new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2, batchFirst: true }),
    [[2, 5, 3]],
  ),
  one("nn.LSTM(3, 4, bias=False)", () => new nn.LSTM(3, 4, { bias: false }), [[5, 3]]),
  one("nn.GRU(3, 4, num_layers=2)", () => new nn.GRU(3, 4, { numLayers: 2 }), [
    [5, 2, 3],
    [2, 2, 4],
  ]),
  one(
    "nn.GRU(3, 4, num_layers=2, bidirectional=True)",
    () => new nn.GRU(3, 4, { numLayers: 2, bidirectional: true }),
    [[5, 2, 3]],
    {
      call: (m, [x]) => m.forward(x!, null, { lengths: [5, 3] }),
      torchCall: "(lambda r: (pad(r[0])[0], r[1]))(m(pack(xs[0], [5, 3])))",
    },
  ),
  one("nn.LSTMCell(3, 4)", () => new nn.LSTMCell(3, 4), [[5, 3]]),
  one("nn.GRUCell(3, 4)", () => new nn.GRUCell(3, 4), [
    [5, 3],
    [5, 4],
  ]),
  one("nn.RNNCell(3, 4)", () => new nn.RNNCell(3, 4), [[3]]),
];

const attention = [
  one("nn.MultiheadAttention(8, 2)", () => new nn.MultiheadAttention(8, 2), [[5, 2, 8]], {
    call: (m, [x]) => m.forward(x!, x!, x!),
    torchCall: "m(xs[0], xs[0], xs[0])",
  }),
  one(
    "nn.MultiheadAttention(8, 2, kdim=3, vdim=5, batch_first=True)",
    () => new nn.MultiheadAttention(8, 2, { kdim: 3, vdim: 5, batchFirst: true }),
    [
      [2, 5, 8],
      [2, 4, 3],
      [2, 4, 5],
    ],
    {
      call: (m, [q, k, v]) => m.forward(q!, k!, v!, { averageAttnWeights: false }),
      torchCall: "m(*xs, average_attn_weights=False)",
    },
  ),
  one(
    "nn.MultiheadAttention(8, 4, bias=False)",
    () => new nn.MultiheadAttention(8, 4, { bias: false }),
    [
      [5, 2, 8],
      [4, 2, 8],
      [5, 4],
      [2, 4],
    ],
    {
      call: (m, [q, k, mask, padding]) =>
        m.forward(q!, k!, k!, { attnMask: mask!.gt(0.7), keyPaddingMask: padding!.gt(0.8) }),
      torchCall:
        "m(xs[0], xs[1], xs[1], key_padding_mask=xs[3] > 0.8, attn_mask=torch.zeros(5, 4).masked_fill(" +
        'xs[2] > 0.7, float("-inf")))',
    },
  ),
];

const u = nn.utils;
const wide = [[3, 4]];

/** Layers with weights that are computed; the random state makes g, u and v whatever they are. */
const computed = [
  one("nn.utils.weight_norm(nn.Linear(4, 3))", () => u.weightNorm(new nn.Linear(4, 3)), wide),
  one(
    "nn.utils.weight_norm(nn.Linear(4, 3, bias=False), dim=None)",
    () => u.weightNorm(new nn.Linear(4, 3, { bias: false }), { dim: null }),
    wide,
  ),
  one(
    "nn.utils.weight_norm(nn.ConvTranspose2d(2, 3, 2), dim=1)",
    () => u.weightNorm(new nn.ConvTranspose2d(2, 3, 2), { dim: 1 }),
    [[1, 2, 3, 3]],
  ),
  one("nn.utils.spectral_norm(nn.Linear(4, 3))", () => u.spectralNorm(new nn.Linear(4, 3)), wide),
  one(
    "nn.utils.spectral_norm(nn.Conv2d(2, 3, 2, padding=1, padding_mode='reflect'), n_power_iterations=2)",
    () =>
      u.spectralNorm(new nn.Conv2d(2, 3, 2, { padding: 1, paddingMode: "reflect" }), {
        nPowerIterations: 2,
      }),
    [[1, 2, 3, 3]],
  ),
  one(
    "nn.utils.spectral_norm(nn.ConvTranspose1d(2, 3, 2)).eval()",
    () => u.spectralNorm(new nn.ConvTranspose1d(2, 3, 2)).eval(),
    [[1, 2, 4]],
  ),
  one(
    "nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3))",
    () => u.parametrizations.spectralNorm(new nn.Linear(4, 3)),
    wide,
  ),
];

const activations = [
  one("nn.RReLU(0.1, 0.5).eval()", () => new nn.RReLU({ lower: 0.1, upper: 0.5 }).eval(), wide),
  one("nn.Softmax2d()", () => new nn.Softmax2d(), [[2, 3, 2, 2]]),
  one("nn.PReLU(3)", () => new nn.PReLU(3), [[2, 3, 4]]),
  one("nn.Hardtanh(-0.5, 0.25)", () => new nn.Hardtanh({ minVal: -0.5, maxVal: 0.25 }), wide),
  one("nn.LeakyReLU(0.2)", () => new nn.LeakyReLU({ negativeSlope: 0.2 }), wide),
  one("nn.ELU(0.5)", () => new nn.ELU({ alpha: 0.5 }), wide),
  one("nn.CELU(0.5)", () => new nn.CELU({ alpha: 0.5 }), wide),
  one('nn.GELU("tanh")', () => new nn.GELU({ approximate: "tanh" }), wide),
  one("nn.Softplus(2, 0.5)", () => new nn.Softplus({ beta: 2, threshold: 0.5 }), wide),
  one("nn.Softshrink(0.3)", () => new nn.Softshrink({ lambd: 0.3 }), wide),
  one("nn.Hardshrink(0.3)", () => new nn.Hardshrink({ lambd: 0.3 }), wide),
  one("nn.Threshold(0.2, -3)", () => new nn.Threshold(0.2, -3), wide),
  one("nn.GLU(0)", () => new nn.GLU(0), [[4, 3]]),
  one("nn.Softmin(0)", () => new nn.Softmin(0), wide),
  one("nn.LogSoftmax(1)", () => new nn.LogSoftmax(1), wide),
  ...(
    [
      ...["ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Softsign", "Hardswish", "Hardsigmoid"],
      ...["LogSigmoid", "Tanhshrink", "Sigmoid", "Tanh", "GELU"],
    ] as ("ReLU" | "SELU")[]
  ).map((name) => one(`nn.${name}()`, () => new nn[name](), wide)),
];

const shared = new nn.Linear(3, 3);

const containers = [
  one(
    "nn.ModuleList([nn.Linear(3, 2), nn.Linear(2, 4)])",
    () => new nn.ModuleList([new nn.Linear(3, 2), new nn.Linear(2, 4)]),
    [[2, 3]],
    { call: (m, [x]) => m.at(1).forward(m.at(0).forward(x!)), torchCall: "m[1](m[0](xs[0]))" },
  ),
  one(
    "nn.ModuleDict(dict(b=nn.Linear(3, 2), a=nn.Linear(3, 2)))",
    () => new nn.ModuleDict({ b: new nn.Linear(3, 2), a: new nn.Linear(3, 2) }),
    [[2, 3]],
    { call: (m, [x]) => m.get("a").forward(x!), torchCall: "m['a'](xs[0])" },
  ),
  one(
    "nn.ParameterList([torch.ones(3), torch.ones(2, 3)])",
    () => new nn.ParameterList([ones([3]), ones([2, 3])]),
    [[2, 3]],
    { call: (m, [x]) => x!.mul(m.at(0)).add(m.at(-1)), torchCall: "xs[0] * m[0] + m[1]" },
  ),
  one(
    "nn.ParameterDict(dict(s=torch.ones(3), t=torch.ones(2, 3)))",
    () => new nn.ParameterDict({ s: ones([3]), t: ones([2, 3]) }),
    [[2, 3]],
    {
      call: (m, [x]) => x!.mul(m.get("s")).add(m.get("t")),
      torchCall: "xs[0] * m['s'] + m['t']",
    },
  ),
  one(
    "(lambda l: nn.Sequential(l, nn.ReLU(), l))(nn.Linear(3, 3))",
    () => new nn.Sequential(shared, new nn.ReLU(), shared),
    [[2, 3]],
  ),
];

const moreNorms = [
  one("nn.BatchNorm3d(2).eval()", () => new nn.BatchNorm3d(2).eval(), [[2, 2, 2, 2, 2]]),
  one(
    "nn.BatchNorm1d(3, track_running_stats=False)",
    () => new nn.BatchNorm1d(3, { trackRunningStats: false }),
    [[4, 3]],
  ),
  one("nn.InstanceNorm3d(2, affine=True)", () => new nn.InstanceNorm3d(2, { affine: true }), [
    [2, 2, 2, 3, 2],
  ]),
  one("nn.GroupNorm(4, 4, affine=False)", () => new nn.GroupNorm(4, 4, { affine: false }), [
    [2, 4, 3],
  ]),
  one(
    "nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0)",
    () => new nn.LocalResponseNorm(3, { alpha: 0.1, beta: 0.5, k: 2 }),
    [[2, 5, 3, 2]],
  ),
];

export const moduleCases: readonly ModuleCase[] = [
  ...activations,
  ...computed,
  ...containers,
  ...moreNorms,
  ...norms,
  ...convolutions,
  ...recurrent,
  ...attention,
];

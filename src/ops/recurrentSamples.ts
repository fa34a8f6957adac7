/** What recurrent nets are tried on. */
import type { Shape } from "../core/shape.js";
import { zeros } from "../tensor/create.js";
import {
  bad,
  input,
  type OpSamples,
  type Sample,
  type SampleSet,
  sample,
} from "../tensor/defineOp.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  gru,
  gruCell,
  lstm,
  lstmCell,
  type RecurrentOptions,
  type RnnOptions,
  rnn,
  rnnCell,
} from "./recurrent.js";

interface Setting {
  readonly x?: Shape;
  readonly bias?: boolean;
  readonly projection?: number;
  readonly options?: RnnOptions;
}

const [width, hidden] = [2, 2];

/** Shapes of all weights, in PyTorch's order. */
function weightShapes(gates: number, { bias = true, projection, options = {} }: Setting): Shape[] {
  const directions = options.bidirectional ? 2 : 1;
  const out = projection ?? hidden;
  return Array.from({ length: (options.numLayers ?? 1) * directions }, (_, slot) => [
    [gates * hidden, slot < directions ? width : out * directions],
    [gates * hidden, out],
    ...(bias ? [[gates * hidden], [gates * hidden]] : []),
    ...(projection ? [[projection, hidden]] : []),
  ]).flat();
}

const flag = (value: boolean | undefined): string => (value ? "True" : "False");

type Call = (x: Tensor, states: Tensor[], weights: Tensor[], options: RecurrentOptions) => Tensor[];

function run(
  gates: number,
  stateCount: number,
  torch: string,
  call: Call,
  setting: Setting,
): Sample {
  const { x = [3, 2, width], bias = true, projection, options = {} } = setting;
  const batch = x.length === 2 ? [] : [x[options.batchFirst ? 0 : 1]!];
  const slots = (options.numLayers ?? 1) * (options.bidirectional ? 2 : 1);
  const states = [projection ?? hidden, hidden]
    .slice(0, stateCount)
    .map((n) => [slots, ...batch, n]);
  const weights = weightShapes(gates, setting);
  const names = "bcdefghijklmnop".slice(0, states.length + weights.length).split("");
  const hx = stateCount === 2 ? "(b, c)" : "b";
  const list = names.slice(stateCount).join(", ");
  const text =
    `list(torch.${torch}(a, ${hx}, [${list}], ${flag(bias)}, ${options.numLayers ?? 1}, 0.0, False, ` +
    `${flag(options.bidirectional)}, ${flag(options.batchFirst)}))`;
  return sample(
    [
      input(x),
      ...states.map((shape) => input(shape)),
      ...weights.map((shape) => input(shape, -1, 1)),
    ],
    (a, ...rest) => call(a, rest.slice(0, stateCount), rest.slice(stateCount), options),
    text,
  );
}

/** Sequences of two and three steps: PyTorch's, each run by itself and put together. */
function packed(gates: number, stateCount: number, torch: string, call: Call): Sample {
  const options = { bidirectional: true, lengths: [3, 2] };
  const base = run(gates, stateCount, torch, call, { bias: false, options });
  const weights = "[c, d, e, f]".replaceAll(/[cdef]/g, (l) =>
    stateCount === 2 ? String.fromCharCode(l.charCodeAt(0) + 1) : l,
  );
  const hx = stateCount === 2 ? "(b, c)" : "b";
  const sizes = "torch.tensor([2, 2, 1])";
  const text =
    `(lambda y, *s: [torch.cat([y[0:2].unsqueeze(0), y[2:4].unsqueeze(0), ` +
    `torch.stack([y[4], torch.zeros_like(y[4])]).unsqueeze(0)]), *s])(*torch.${torch}(` +
    `torch.cat([a[0], a[1], a[2, 0:1]]), ${sizes}, ${hx}, ${weights}, False, 1, 0.0, False, True))`;
  return { ...base, torch: text };
}

const settings: readonly Setting[] = [
  {},
  { x: [1, 1, width], bias: false },
  { x: [2, 3, width], options: { batchFirst: true } },
  { bias: false, options: { numLayers: 2, bidirectional: true } },
  { options: { bidirectional: true } },
];

const wrong = (op: string, fn: (x: Tensor, weights: Tensor[]) => unknown, gates: number) => [
  bad(
    () => fn(zeros([0, 1, 2]), [zeros([gates, 2]), zeros([gates, 1])]),
    new RegExp(`^${op}: expected`),
  ),
  bad(
    () => fn(zeros([2, 1, 2]), [zeros([gates, 2])]),
    new RegExp(`^${op}: 1 weights do not make 1 layer`),
  ),
  bad(
    () => fn(zeros([2, 1, 2]), [zeros([gates, 3]), zeros([gates, 1])]),
    new RegExp(`^${op}: weight 0 of a layer is \\[${gates}, 3\\], expected \\[${gates}, 2\\]`),
  ),
];

const callLstm: Call = (x, [h, c], weights, options) => {
  const [y, states] = lstm(x, [h!, c!], weights, options);
  return [y, ...states];
};
const callGru: Call = (x, [h], weights, options) => gru(x, h!, weights, options);
const callRnn: Call = (x, [h], weights, options) => rnn(x, h!, weights, options);
const callRelu: Call = (x, [h], weights, options) =>
  rnn(x, h!, weights, { ...options, nonlinearity: "relu" });

const sequenceSet: SampleSet = () => [
  {
    op: "lstm",
    samples: [
      ...settings.map((setting) => run(4, 2, "lstm", callLstm, setting)),
      run(4, 2, "lstm", callLstm, { bias: false, projection: 1 }),
      packed(4, 2, "lstm", callLstm),
      sample(
        [input([2, width]), input([8, width]), input([8, hidden])],
        (a, b, c) => lstm(a, null, [b, c])[0],
        "torch.lstm(a.unsqueeze(1), (torch.zeros(1, 1, 2), torch.zeros(1, 1, 2)), [b, c], False, 1, 0.0, False, False, False)[0].squeeze(1)",
      ),
    ],
    bad: [
      ...wrong("lstm", (x, weights) => lstm(x, null, weights), 4),
      bad(
        () => lstm(zeros([2, 1, 2]), null, [zeros([4, 2]), zeros([4, 1])], { lengths: [3] }),
        /^lstm: lengths must be 1 whole numbers from 1 to 2/,
      ),
      bad(
        () =>
          lstm(zeros([2, 1, 2]), [zeros([1, 1]), zeros([1, 1])], [zeros([4, 2]), zeros([4, 1])]),
        /^lstm: state 0 is \[1, 1\], expected \[1, 1, 1\]/,
      ),
    ],
  },
  {
    op: "gru",
    samples: [
      ...settings.map((setting) => run(3, 1, "gru", callGru, setting)),
      packed(3, 1, "gru", callGru),
    ],
    bad: wrong("gru", (x, weights) => gru(x, null, weights), 3),
  },
  {
    op: "rnn",
    samples: [
      ...settings.map((setting) => run(1, 1, "rnn_tanh", callRnn, setting)),
      run(1, 1, "rnn_relu", callRelu, {}),
      packed(1, 1, "rnn_tanh", callRnn),
    ],
    bad: [
      ...wrong("rnn", (x, weights) => rnn(x, null, weights), 1),
      bad(
        () => rnn(zeros([1, 1]), null, [], { nonlinearity: "x" as "relu" }),
        /^rnn: nonlinearity must be "tanh" or "relu", got "x"/,
      ),
    ],
  },
];

function cellSet(
  op: string,
  [gates, torch]: readonly [number, string],
  call: (x: Tensor, h: Tensor, weights: Tensor[]) => Tensor | readonly Tensor[],
  hx: string,
): OpSamples {
  const weights = [
    input([gates * hidden, width]),
    input([gates * hidden, hidden]),
    input([gates * hidden]),
    input([gates * hidden]),
  ];
  return {
    op,
    samples: [
      sample(
        [input([3, width]), input([3, hidden]), ...weights],
        (a, b, ...rest) => call(a, b, rest),
        `torch.${torch}(a, ${hx}, c, d, e, f)`,
      ),
      sample(
        [input([width]), input([hidden]), ...weights],
        (a, b, ...rest) => call(a.unsqueeze(0), b.unsqueeze(0), rest),
        `torch.${torch}(a.unsqueeze(0), ${hx.replaceAll("b", "b.unsqueeze(0)")}, c, d, e, f)`,
      ),
    ],
    bad: [
      bad(
        () => call(zeros([1, 1, 1]), zeros([1, 1]), [zeros([gates, 1]), zeros([gates, 1])]),
        new RegExp(`^${op}: expected \\[B, I\\] or \\[I\\]`),
      ),
    ],
  };
}

export const recurrentSamples: SampleSet = () => [
  ...sequenceSet(),
  cellSet(
    "lstmCell",
    [4, "lstm_cell"],
    (x, h, weights) => lstmCell(x, [h, h.mul(2)], weights),
    "(b, b * 2)",
  ),
  cellSet("gruCell", [3, "gru_cell"], (x, h, weights) => gruCell(x, h, weights), "b"),
  cellSet(
    "rnnCell",
    [1, "rnn_relu_cell"],
    (x, h, weights) => rnnCell(x, h, weights, { nonlinearity: "relu" }),
    "b",
  ),
];

/** The workloads in jax-js, on its WASM backend. `.ref` keeps an array alive that a call would consume. */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";

export async function connect(version) {
  await init("wasm");
  defaultDevice("wasm");
  return {
    peer: `jax-js ${version} wasm`,
    prepare(workload, start) {
      if (workload === "mlp") return training(start, mlp, momentum);
      if (workload === "lenet") return training(start, lenet, adam);
      if (/^matmul-\d+$/.test(workload)) return kernel(start, "ab", (a, b) => np.matmul(a, b));
      if (workload.startsWith("conv-")) return kernel(start, "xw", (x, w) => convolve(x, w, 1));
      throw new Error("not written for this peer");
    },
  };
}

const arrayOf = ({ data, shape }) => np.array(data).reshape(shape);

const convolve = (x, w, pad) =>
  lax.convGeneralDilated(
    x,
    w,
    [1, 1],
    [
      [pad, pad],
      [pad, pad],
    ],
  );

const linear = (x, weight, bias) => np.matmul(x, weight.transpose()).add(bias);

function mlp([w1, b1, w2, b2, w3, b3], x) {
  const hidden = nn.relu(linear(nn.relu(linear(x, w1, b1)), w2, b2));
  return linear(hidden, w3, b3);
}

/** The larger of each 2 × 2 values. */
function pool(x) {
  const [B, C, H, W] = x.shape;
  return np.max(x.reshape([B, C, H / 2, 2, W / 2, 2]), [3, 5]);
}

function lenet([w1, b1, w2, b2, w3, b3, w4, b4, w5, b5], x) {
  const layer = (value, weight, bias, pad) =>
    pool(nn.relu(convolve(value, weight, pad).add(bias.reshape([1, -1, 1, 1]))));
  const flat = layer(layer(x, w1, b1, 2), w2, b2, 0).reshape([-1, 400]);
  const hidden = nn.relu(linear(nn.relu(linear(flat, w3, b3)), w4, b4));
  return linear(hidden, w5, b5);
}

/** New parameters and state from the old ones and the gradients; each consumes what it is given. */
function momentum(parameters, gradients, state) {
  const moved = state.map((v, i) => v.mul(0.9).add(gradients[i]));
  const next = parameters.map((p, i) => p.sub(moved[i].ref.mul(0.1)));
  return [next, moved];
}
momentum.start = (parameters) => parameters.map((p) => np.zeros(p.shape));

function adam(parameters, gradients, state) {
  const count = parameters.length;
  const t = state[2 * count].add(1);
  const first = gradients.map((g, i) => state[i].mul(0.9).add(g.ref.mul(0.1)));
  const second = gradients.map((g, i) => state[count + i].mul(0.999).add(g.ref.mul(g).mul(0.001)));
  const correct = (beta) => np.subtract(1, np.exp(t.ref.mul(Math.log(beta))));
  const next = parameters.map((p, i) => {
    const mean = first[i].ref.div(correct(0.9));
    const root = np.sqrt(second[i].ref.div(correct(0.999))).add(1e-8);
    return p.sub(mean.div(root).mul(1e-3));
  });
  return [next, [...first, ...second, t]];
}
adam.start = (parameters) => [
  ...[...parameters, ...parameters].map((p) => np.zeros(p.shape)),
  np.zeros([]),
];

function training(start, forward, update) {
  let parameters = [...start]
    .filter(([name]) => name.startsWith("model."))
    .map(([, value]) => arrayOf(value));
  let state = update.start(parameters);
  const x = arrayOf(start.get("data.x"));
  const y = nn.oneHot(np.array(start.get("data.y").data, { dtype: np.int32 }), 10);
  const loss = (weights, inputs, labels) =>
    np.mean(np.sum(nn.logSoftmax(forward(weights, inputs)).mul(labels), 1)).mul(-1);
  const run = jit((weights, moments, inputs, labels) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(weights), inputs, labels);
    return [value, ...update(weights, gradients, moments)];
  });
  const step = async () => {
    const [value, next, moments] = run(parameters, state, x.ref, y.ref);
    [parameters, state] = [next, moments];
    return (await value.data())[0];
  };
  return {
    step,
    async check() {
      return [await step(), await step(), await step()];
    },
  };
}

function kernel(start, names, call) {
  const compiled = jit(call);
  const operands = [...names].map((name) => arrayOf(start.get(`data.${name}`)));
  const values = () => compiled(...operands.map((x) => x.ref)).data();
  return { step: values, values };
}

/** The workloads in TensorFlow.js, on its WASM or its plain JavaScript ("cpu") backend. Channels come last there. */
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** Why a workload is not here. */
const refusals = {
  wasm: { lenet: "the WASM backend has no kernel Conv2DBackpropFilter" },
  cpu: {
    "matmul-1024": "takes seconds",
    "matmul-2048": "takes a minute",
    "conv-64-32": "takes seconds",
    "conv-256-8": "takes seconds",
  },
};

export async function connect(backend) {
  setWasmPaths(
    new URL("node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname,
  );
  // One thread, as the row of Gradus that it is compared with.
  if (backend === "wasm") setThreadsCount(1);
  await tf.setBackend(backend);
  await tf.ready();
  return {
    peer: `TensorFlow.js ${tf.version_core} ${backend}`,
    prepare(workload, start) {
      const refused = refusals[backend][workload];
      if (refused) throw new Error(refused);
      if (workload === "mlp") return mlp(start);
      if (workload === "lenet") return lenet(start);
      if (/^matmul-\d+$/.test(workload)) return kernel(start, "ab", (a, b) => tf.matMul(a, b));
      if (workload.startsWith("conv-")) return convolution(start);
      throw new Error("not written for this peer");
    },
  };
}

const tensorOf = ({ data, shape }) => tf.tensor(data, shape);

/** Layers' tensors as variables, brought to TensorFlow's order. */
function parameters(start) {
  return [...start]
    .filter(([name]) => name.startsWith("model."))
    .map(([, value]) => {
      const x = tensorOf(value);
      if (x.rank === 4) return tf.variable(x.transpose([2, 3, 1, 0]));
      return tf.variable(x.rank === 2 ? x.transpose() : x);
    });
}

function training(start, { x, weights, forward, optimizer }) {
  const labels = tf.oneHot(tf.tensor1d(start.get("data.y").data, "int32"), 10);
  const loss = () => tf.losses.softmaxCrossEntropy(labels, forward(x, weights));
  const step = () => {
    const value = tf.tidy(() => optimizer.minimize(loss, true, weights));
    const number = value.dataSync()[0];
    value.dispose();
    return number;
  };
  return { step, check: () => [step(), step(), step()] };
}

const linear = (x, weight, bias) => tf.add(tf.matMul(x, weight), bias);

function mlp(start) {
  const forward = (x, [w1, b1, w2, b2, w3, b3]) => {
    const hidden = tf.relu(linear(tf.relu(linear(x, w1, b1)), w2, b2));
    return linear(hidden, w3, b3);
  };
  const x = tensorOf(start.get("data.x"));
  const optimizer = tf.train.momentum(0.1, 0.9);
  return training(start, { x, weights: parameters(start), forward, optimizer });
}

function lenet(start) {
  const convolve = (x, weight, bias, pad) => tf.relu(tf.add(tf.conv2d(x, weight, 1, pad), bias));
  const forward = (x, [w1, b1, w2, b2, w3, b3, w4, b4, w5, b5]) => {
    const first = tf.maxPool(convolve(x, w1, b1, 2), 2, 2, 0);
    const second = tf.maxPool(convolve(first, w2, b2, 0), 2, 2, 0);
    const flat = tf.reshape(tf.transpose(second, [0, 3, 1, 2]), [x.shape[0], 400]);
    const hidden = tf.relu(linear(tf.relu(linear(flat, w3, b3)), w4, b4));
    return linear(hidden, w5, b5);
  };
  const x = tensorOf(start.get("data.x")).transpose([0, 2, 3, 1]);
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  return training(start, { x, weights: parameters(start), forward, optimizer });
}

function kernel(start, names, call, prepare = (x) => x, finish = (x) => x) {
  const operands = [...names].map((name) => prepare(tensorOf(start.get(`data.${name}`)), name));
  return {
    step() {
      const result = call(...operands);
      // The values are waited for, as Gradus gives them.
      result.dataSync();
      result.dispose();
    },
    values: () => finish(call(...operands)).dataSync(),
  };
}

function convolution(start) {
  const order = { x: [0, 2, 3, 1], w: [2, 3, 1, 0] };
  return kernel(
    start,
    "xw",
    (x, w) => tf.conv2d(x, w, 1, "same"),
    (tensor, name) => tensor.transpose(order[name]),
    (y) => y.transpose([0, 3, 1, 2]),
  );
}

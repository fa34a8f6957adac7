/** Names the PyTorch function that an op equals, from the expressions that its samples are compared with. */

/** Where the samples' expressions do not name it: random bits have no equal, later versions added some, and so on. */
const told: Readonly<Record<string, string>> = {
  add: "torch.add",
  sub: "torch.sub",
  mul: "torch.mul",
  div: "torch.div",
  matmul: "torch.matmul",
  at: "Tensor.__getitem__",
  aminmax: "torch.aminmax",
  randLike: "torch.rand_like",
  uniform: "Tensor.uniform_",
  truncNormal: "nn.init.trunc_normal_",
  gumbelSoftmax: "F.gumbel_softmax",
  scaledDotProductAttention: "F.scaled_dot_product_attention",
  rmsNorm: "F.rms_norm",
  channelShuffle: "nn.ChannelShuffle",
  stochasticDepth: "torchvision.ops.stochastic_depth",
  variance: "torch.var",
  rnn: "torch.rnn_tanh, torch.rnn_relu",
  rnnCell: "torch.rnn_tanh_cell, torch.rnn_relu_cell",
};

/** The version of PyTorch that added a function, where it is later than the fixtures'. */
const since: Readonly<Record<string, string>> = {
  scaledDotProductAttention: " since 2.0",
  rmsNorm: " since 2.4",
};

const plain = (name: string): string => name.replaceAll("_", "").toLowerCase();

/** The functions and methods that an expression calls, as PyTorch's documentation spells them. */
function callsOf(expression: string): string[] {
  const functions = expression.matchAll(/\b((?:torch|F)(?:\.\w+)+)\(/g);
  const methods = expression.matchAll(/(?<!\btorch|\bF|\blinalg|\bspecial)\.(\w+)\(/g);
  return [
    ...Array.from(functions, ([, name]) => name!),
    ...Array.from(methods, ([, name]) => `Tensor.${name}`),
  ];
}

/** Ops without a function of that kind in PyTorch, though some calls of theirs equal an expression. */
const unknownToTorch: readonly string[] = ["dropConnect"];

/** The name as Markdown; an expression where PyTorch has no such function. */
export function torchName(op: string, expressions: readonly string[]): string {
  const [name] = op.split(" ");
  if (unknownToTorch.includes(name!)) return "none";
  if (told[name!]) return `\`${told[name!]}\`${since[name!] ?? ""}`;
  const indexed = name!.endsWith("WithIndices");
  const wanted = plain(name!.replace(/WithIndices$/, ""));
  const calls = expressions.flatMap(callsOf);
  const match = calls.find((call) => plain(call.split(".").at(-1)!) === wanted);
  if (match) return `\`${match}\`${indexed ? " with `return_indices`" : ""}`;
  return expressions[0] ? `none; \`${expressions[0].replaceAll("|", "\\|")}\`` : "none";
}

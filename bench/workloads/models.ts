/**
 * The networks of the benchmark that the library has no ready form of, as the PyTorch baseline defines them: the same layers,
 * and the same names in `stateDict()`, so that both sides can start from the same numbers. Read training.ts next.
 */
import { arange, nn, type Tensor } from "gradus";

const { functional: F } = nn;

/** MLP 784-256-128-10 with ReLU. x: [B, 784] → [B, 10]. */
export const mlp = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

/** LeNet-5 with ReLU and max pooling. x: [B, 1, 28, 28] → [B, 10]. */
export const lenet = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(6, 16, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(400, 120),
    new nn.ReLU(),
    new nn.Linear(120, 84),
    new nn.ReLU(),
    new nn.Linear(84, 10),
  );

/** Two 3×3 convolutions and a way around them. x: [B, in, H, W] → [B, out, H / stride, W / stride]. */
class BasicBlock extends nn.Layer {
  readonly conv1: nn.Conv2d;
  readonly bn1: nn.BatchNorm2d;
  readonly conv2: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly down: nn.Sequential | null;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    this.down =
      stride === 1 && inputs === outputs
        ? null
        : new nn.Sequential(
            new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }),
            new nn.BatchNorm2d(outputs),
          );
  }

  forward(x: Tensor): Tensor {
    const first = this.bn1.forward(this.conv1.forward(x)).relu();
    const second = this.bn2.forward(this.conv2.forward(first));
    return second.add(this.down ? this.down.forward(x) : x).relu();
  }
}

/** Channels and stride of ResNet-18's blocks. */
export const resnetBlocks = [
  [64, 1],
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
] as const;

/** ResNet-18 (He et al., 2016) with the stem for small pictures. x: [B, 3, 32, 32] → [B, 10]. */
export function resnet18Cifar(): nn.Sequential {
  let width = 64;
  const blocks = resnetBlocks.map(([out, stride]) => {
    const block = new BasicBlock(width, out, stride);
    width = out;
    return block;
  });
  return new nn.Sequential(
    new nn.Conv2d(3, 64, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
    ...blocks,
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(512, 10),
  );
}

/** A transformer's block, normalised before each part. x: [B, T, C] → [B, T, C]. */
class Block extends nn.Layer {
  readonly ln1: nn.LayerNorm;
  readonly ln2: nn.LayerNorm;
  readonly qkv: nn.Linear;
  readonly out: nn.Linear;
  readonly mlp: nn.Sequential;
  private readonly heads: number;

  constructor(width: number, heads: number) {
    super();
    this.heads = heads;
    this.ln1 = new nn.LayerNorm(width);
    this.ln2 = new nn.LayerNorm(width);
    this.qkv = new nn.Linear(width, 3 * width);
    this.out = new nn.Linear(width, width);
    this.mlp = new nn.Sequential(
      new nn.Linear(width, 4 * width),
      new nn.GELU(),
      new nn.Linear(4 * width, width),
    );
  }

  private attend(x: Tensor): Tensor {
    const [B, T, C] = x.shape as [number, number, number];
    const [q, k, v] = this.qkv
      .forward(x)
      .split(C, 2)
      .map((part) => part.reshape([B, T, this.heads, C / this.heads]).transpose(1, 2)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const mixed = F.scaledDotProductAttention(q, k, v, null, { isCausal: true });
    return this.out.forward(mixed.transpose(1, 2).reshape([B, T, C]));
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attend(this.ln1.forward(x)));
    return attended.add(this.mlp.forward(this.ln2.forward(attended)));
  }
}

export interface GPTSizes {
  readonly vocab?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly layers?: number;
  readonly context?: number;
}

/** A character GPT. indices: [B, T] → scores [B, T, vocab]. */
export class GPT extends nn.Layer {
  readonly tok: nn.Embedding;
  readonly pos: nn.Embedding;
  readonly blocks: nn.Sequential;
  readonly norm: nn.LayerNorm;
  readonly head: nn.Linear;

  constructor({ vocab = 65, width = 128, heads = 4, layers = 4, context = 64 }: GPTSizes = {}) {
    super();
    this.tok = new nn.Embedding(vocab, width);
    this.pos = new nn.Embedding(context, width);
    this.blocks = new nn.Sequential(
      ...Array.from({ length: layers }, () => new Block(width, heads)),
    );
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocab);
  }

  forward(indices: Tensor): Tensor {
    const x = this.tok.forward(indices).add(this.pos.forward(arange(indices.shape[1]!)));
    return this.head.forward(this.norm.forward(this.blocks.forward(x)));
  }
}

/** A character LSTM. indices: [B, T] → scores [B, T, 65]. */
export class CharLSTM extends nn.Layer {
  readonly emb = new nn.Embedding(65, 64);
  readonly rnn: nn.LSTM;
  readonly head: nn.Linear;

  constructor({ hidden = 256 }: { readonly hidden?: number } = {}) {
    super();
    this.rnn = new nn.LSTM(64, hidden, { batchFirst: true });
    this.head = new nn.Linear(hidden, 65);
  }

  forward(indices: Tensor): Tensor {
    return this.head.forward(this.rnn.forward(this.emb.forward(indices))[0]);
  }
}

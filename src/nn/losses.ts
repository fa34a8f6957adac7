/** Losses as modules: each keeps the options of its function in `nn.functional`. */
import { type CtcLossOptions, ctcLoss } from "../ops/ctc.js";
import { type CrossEntropyOptions, type LossOptions, nllLoss } from "../ops/loss.js";
import {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from "../ops/lossBinary.js";
import {
  type GaussianNllOptions,
  gaussianNllLoss,
  type HuberOptions,
  huberLoss,
  type KlDivOptions,
  klDiv,
  l1Loss,
  type PoissonNllOptions,
  poissonNllLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from "../ops/lossDistance.js";
import {
  hingeEmbeddingLoss,
  type MarginOptions,
  type MultiMarginOptions,
  marginRankingLoss,
  multilabelMarginLoss,
  multiMarginLoss,
} from "../ops/lossMargin.js";
import {
  cosineEmbeddingLoss,
  type InfoNceOptions,
  infoNce,
  type TripletMarginOptions,
  tripletMarginLoss,
} from "../ops/lossPair.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

/** What all losses have in common: the options, kept for every call. */
abstract class Loss<Options extends object> extends Module {
  protected readonly options: Options;

  constructor(options: Options = {} as Options) {
    super();
    this.options = options;
  }
}

/** `functional.nllLoss` with its options kept. */
export class NLLLoss extends Loss<Omit<CrossEntropyOptions, "labelSmoothing">> {
  forward(x: Tensor, target: Tensor): Tensor {
    return nllLoss(x, target, this.options);
  }
}

/** `functional.l1Loss` with its options kept. */
export class L1Loss extends Loss<LossOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return l1Loss(x, target, this.options);
  }
}

/** `functional.smoothL1Loss` with its options kept. */
export class SmoothL1Loss extends Loss<SmoothL1Options> {
  forward(x: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(x, target, this.options);
  }
}

/** `functional.huberLoss` with its options kept. */
export class HuberLoss extends Loss<HuberOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return huberLoss(x, target, this.options);
  }
}

/** `functional.klDiv` with its options kept. */
export class KLDivLoss extends Loss<KlDivOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return klDiv(x, target, this.options);
  }
}

/** `functional.poissonNllLoss` with its options kept. */
export class PoissonNLLLoss extends Loss<PoissonNllOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(x, target, this.options);
  }
}

/** `functional.gaussianNllLoss` with its options kept. */
export class GaussianNLLLoss extends Loss<GaussianNllOptions> {
  forward(x: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNllLoss(x, target, variance, this.options);
  }
}

/** `functional.binaryCrossEntropy` with its options kept. */
export class BCELoss extends Loss<BinaryCrossEntropyOptions> {
  forward(p: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(p, target, this.options);
  }
}

/** `functional.binaryCrossEntropyWithLogits` with its options kept. */
export class BCEWithLogitsLoss extends Loss<BinaryCrossEntropyWithLogitsOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(x, target, this.options);
  }
}

/** `functional.softMarginLoss` with its options kept. */
export class SoftMarginLoss extends Loss<LossOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return softMarginLoss(x, target, this.options);
  }
}

/** `functional.multilabelSoftMarginLoss` with its options kept. */
export class MultiLabelSoftMarginLoss extends Loss<BinaryCrossEntropyOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(x, target, this.options);
  }
}

/** `functional.marginRankingLoss` with its options kept. */
export class MarginRankingLoss extends Loss<MarginOptions> {
  forward(x: Tensor, y: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(x, y, target, this.options);
  }
}

/** `functional.hingeEmbeddingLoss` with its options kept. */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(x, target, this.options);
  }
}

/** `functional.multiMarginLoss` with its options kept. */
export class MultiMarginLoss extends Loss<MultiMarginOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(x, target, this.options);
  }
}

/** `functional.multilabelMarginLoss` with its options kept. */
export class MultiLabelMarginLoss extends Loss<LossOptions> {
  forward(x: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(x, target, this.options);
  }
}

/** `functional.cosineEmbeddingLoss` with its options kept. */
export class CosineEmbeddingLoss extends Loss<MarginOptions> {
  forward(x: Tensor, y: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(x, y, target, this.options);
  }
}

/** `functional.tripletMarginLoss` with its options kept. */
export class TripletMarginLoss extends Loss<TripletMarginOptions> {
  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** `functional.infoNce` with its options kept. */
export class InfoNCELoss extends Loss<InfoNceOptions> {
  forward(query: Tensor, key: Tensor): Tensor {
    return infoNce(query, key, this.options);
  }
}

/** `functional.ctcLoss` with its options kept. */
export class CTCLoss extends Loss<CtcLossOptions> {
  forward(
    x: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ): Tensor {
    return ctcLoss(x, targets, inputLengths, targetLengths, this.options);
  }
}

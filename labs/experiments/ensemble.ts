/** Fashion-MNIST by five small convolutional networks that begin from other weights, and by all of them together. */
import { manualSeed, nn } from "gradus";
import { accuracy, Ensemble, evaluate } from "gradus/train";
import { loadPictures } from "../data/pictures.js";
import { savePanels } from "../drawing.js";
import { type Lab, main, percent } from "../lab.js";
import type { Point } from "../training.js";
import { inOrder, trainPictureNetwork } from "./pictureNetwork.js";

const members = 5;

/** x: [B, 1, 28, 28] → scores [B, 10]. */
const memberNetwork = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 16, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(16, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(32 * 7 * 7, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

export const ensemble: Lab = async (options) => {
  const { short, log } = options;
  const parts = await loadPictures(options);
  const trained: nn.Layer[] = [];
  const alone: number[] = [];
  const courses: Point[][] = [];
  for (let member = 0; member < members; member++) {
    manualSeed(member + 1);
    // Long and without decay, so that each learns much by heart, and each something else: that is what averaging takes away.
    const training = {
      ...{ epochs: short ? 2 : 12, batchSize: short ? 32 : 128, maxLr: 0.1, seed: member + 1 },
      ...{ weightDecay: 0, labelSmoothing: 0 },
    };
    const { model, accuracy, history } = await trainPictureNetwork(
      memberNetwork(),
      parts,
      training,
      options,
    );
    log?.(`network ${member + 1}: ${percent(accuracy)} right`);
    trained.push(model);
    alone.push(accuracy);
    courses.push(history.map(({ epoch, validation }) => [epoch, validation!.accuracy!]));
  }
  const measures = { metrics: { accuracy } };
  const together = await evaluate(new Ensemble(trained), inOrder(parts.test), measures);
  const best = Math.max(...alone);
  const gain = together.accuracy! - best;
  const last = courses[0]!.length;
  const level: Point[] = [1, last].map((epoch) => [epoch, together.accuracy!]);
  savePanels(
    options,
    "ensemble",
    [
      {
        ...{ title: "Accuracy on test pictures", xLabel: "epoch", wholeX: true, percent: true },
        lines: [
          ...courses.map((points, i) => ({ name: `network ${i + 1}`, points })),
          { name: "all together", points: level },
        ],
      },
    ],
    { title: "Five networks alone and together" },
  );
  return {
    measures: { accuracy: together.accuracy!, best, gain },
    sentence:
      `${members} networks together get ${percent(together.accuracy!)} of the test pictures right, ` +
      `${(100 * gain).toFixed(2)} points more than the best of them alone (${percent(best)}).`,
  };
};

if (process.argv[1] === import.meta.filename) await main(ensemble);

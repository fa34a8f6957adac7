/** A contact sheet of every transform on one photograph: `npx tsx --conditions=gradus-source labs/experiments/transformSheet.ts PICTURE OUT.png`. */
import { Generator, type Tensor, tensor, vision } from "gradus";
import { writePng } from "gradus/io";
import { drawSheet, type Tile } from "gradus/train";
import sharp from "sharp";

const { functional: T } = vision;

/** Reads a picture as floats [3, height, width]. */
async function readPicture(path: string, height: number, width: number): Promise<Tensor> {
  const data = await sharp(path).resize(width, height).removeAlpha().raw().toBuffer();
  const planes = tensor(Uint8Array.from(data), { shape: [height, width, 3] }).permute([2, 0, 1]);
  return T.toFloat(planes);
}

const bilinear = { interpolation: "bilinear" } as const;

/** Every transform by name, on pictures of one size. */
export function transformsOf(x: Tensor, generator: Generator): Record<string, Tensor> {
  const [height, width] = x.shape.slice(1) as [number, number];
  const batch = x.unsqueeze(0);
  const random: Record<string, { forward(x: Tensor): Tensor }> = {
    "random crop": new vision.RandomCrop([height, width], { padding: 20, generator }),
    "random resized crop": new vision.RandomResizedCrop([height, width], { generator }),
    "random rotation": new vision.RandomRotation(40, { ...bilinear, fill: 0.5, generator }),
    "random affine": new vision.RandomAffine(20, {
      ...bilinear,
      shear: 15,
      scale: [0.7, 1.2],
      generator,
    }),
    "random perspective": new vision.RandomPerspective({ p: 1, generator }),
    elastic: new vision.ElasticTransform({ alpha: 120, sigma: 6, generator }),
    "colour jitter": new vision.ColorJitter({
      brightness: 0.5,
      contrast: 0.5,
      saturation: 0.8,
      hue: 0.2,
      generator,
    }),
    "random erasing": new vision.RandomErasing({ p: 1, value: "random", generator }),
    cutout: new vision.Cutout(40, { generator }),
    "gaussian noise": new vision.GaussianNoise({ generator }),
    AutoAugment: new vision.AutoAugment({ generator }),
    RandAugment: new vision.RandAugment({ generator }),
    AugMix: new vision.AugMix({ severity: 8, generator }),
    TrivialAugment: new vision.TrivialAugmentWide({ generator }),
  };
  const fixed: Record<string, Tensor> = {
    original: x,
    "horizontal flip": T.horizontalFlip(x),
    "vertical flip": T.verticalFlip(x),
    "rotate 30": T.rotate(x, 30, bilinear),
    "affine, shear 20": T.affine(x, { ...bilinear, shear: [20, 0] }),
    "centre crop": T.centerCrop(x, [height / 2, width / 2]),
    "pad, reflect": T.resize(T.pad(x, 24, { paddingMode: "reflect" }), [height, width]),
    "brightness 1.5": T.adjustBrightness(x, 1.5),
    "contrast 2": T.adjustContrast(x, 2),
    "saturation 0.2": T.adjustSaturation(x, 0.2),
    "hue 0.3": T.adjustHue(x, 0.3),
    "sharpness 8": T.adjustSharpness(x, 8),
    "blur 11": T.gaussianBlur(x, 11, { sigma: 3 }),
    greyscale: T.rgbToGrayscale(x),
    invert: T.invert(x),
    "posterize 2": T.posterize(x, 2),
    "solarize 0.5": T.solarize(x, 0.5),
    autocontrast: T.autocontrast(x.mul(0.4).add(0.3)),
    equalize: T.equalize(x),
  };
  const mixing = { generator, numClasses: 2 };
  const pair = {
    x: tensor([
      [1, 0],
      [0, 1],
    ]),
    images: batch.expand([2, 3, height, width]),
  };
  const mirrored = T.invert(pair.images.narrow(0, 1, 1));
  const both = vision.functional.horizontalFlip(mirrored);
  const images = tensor(Float32Array.from([...batch.data, ...both.data]), {
    shape: pair.images.shape,
  });
  const mixed = {
    mixup: new vision.MixUp({ ...mixing, alpha: 4 }).forward(images, pair.x).images.select(0, 0),
    cutmix: new vision.CutMix({ ...mixing, alpha: 4 }).forward(images, pair.x).images.select(0, 0),
  };
  const drawn = Object.entries(random).map(([name, one]) => [name, one.forward(x)] as const);
  return { ...fixed, ...Object.fromEntries(drawn), ...mixed };
}

/** Draws the sheet. */
export async function transformSheet(picture: string, target: string): Promise<number> {
  const results = transformsOf(await readPicture(picture, 128, 192), new Generator(4));
  const tiles = Object.entries(results).map(([caption, image]): Tile => ({ image, caption }));
  await writePng(target, drawSheet(tiles, { columns: 6, scale: 1, title: "Transforms" }));
  return tiles.length;
}

if (process.argv[1] === import.meta.filename) {
  const [, , picture, target] = process.argv;
  if (!picture || !target) throw new Error("say which picture to take and where the sheet goes");
  console.log(`${await transformSheet(picture, target)} pictures in ${target}`);
}

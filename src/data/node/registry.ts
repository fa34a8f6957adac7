/**
 * The data sets that `gradus data get` knows: official addresses, sizes and checksums. Where they were read:
 *
 * - torchvision's datasets: mnist.py for the addresses and MD5 sums of MNIST, Fashion-MNIST and KMNIST and EMNIST's MD5 sum;
 *   omniglot.py, places365.py and imagenet.py for theirs;
 * - https://www.cs.toronto.edu/~kriz/cifar.html: CIFAR's MD5 sums;
 * - TensorFlow Datasets' url_checksums: all sizes but ImageNet's, which are those of taming-transformers' data/imagenet.py.
 *
 * Read download.ts next.
 */

export interface RemoteFile {
  readonly name: string;
  readonly url: string;
  readonly md5: string;
  /** Bytes, where known. */
  readonly size?: number;
}

export interface RemoteDataset {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly files: readonly RemoteFile[];
  /** Files that are tar archives of folders, which are read unpacked. */
  readonly unpack?: readonly string[];
  /** Why it cannot be fetched, and where people get it. */
  readonly byHand?: string;
}

type Row = readonly [name: string, md5: string, size?: number];

const filesAt = (base: string, rows: readonly Row[]): RemoteFile[] =>
  rows.map(([name, md5, size]) => ({ name, url: base + name, md5, ...(size && { size }) }));

const idxNames = [
  "train-images-idx3-ubyte.gz",
  "train-labels-idx1-ubyte.gz",
  "t10k-images-idx3-ubyte.gz",
  "t10k-labels-idx1-ubyte.gz",
] as const;

const idxFiles = (base: string, sums: readonly string[], sizes: readonly number[] = []) =>
  filesAt(
    base,
    idxNames.map((name, i): Row => (sizes[i] ? [name, sums[i]!, sizes[i]] : [name, sums[i]!])),
  );

export const remoteDatasets: readonly RemoteDataset[] = [
  {
    name: "mnist",
    title: "70,000 handwritten digits, 28 × 28 grey",
    licence: "CC BY-SA 3.0",
    files: idxFiles(
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      [
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
      ],
      [9_912_422, 28_881, 1_648_877, 4_542],
    ),
  },
  {
    name: "fashion-mnist",
    title: "70,000 clothes, 28 × 28 grey",
    licence: "MIT",
    files: idxFiles(
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      [
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
      ],
      [26_421_880, 29_515, 4_422_102, 5_148],
    ),
  },
  {
    name: "kmnist",
    title: "70,000 Japanese cursive characters, 28 × 28 grey",
    licence: "CC BY-SA 4.0",
    files: idxFiles(
      "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
      [
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
      ],
      [18_165_135, 29_497, 3_041_136, 5_120],
    ),
  },
  {
    name: "emnist",
    title: "814,255 handwritten letters and digits in six splits, 28 × 28 grey",
    licence: "public domain (NIST)",
    files: filesAt("https://biometrics.nist.gov/cs_links/EMNIST/", [
      ["gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e", 561_753_746],
    ]),
  },
  {
    name: "cifar10",
    title: "60,000 pictures of 10 classes, 32 × 32 colour",
    licence: "none stated; cite Krizhevsky, 2009",
    files: filesAt("https://www.cs.toronto.edu/~kriz/", [
      ["cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171],
    ]),
  },
  {
    name: "cifar100",
    title: "60,000 pictures of 100 classes, 32 × 32 colour",
    licence: "none stated; cite Krizhevsky, 2009",
    files: filesAt("https://www.cs.toronto.edu/~kriz/", [
      ["cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733],
    ]),
  },
  {
    name: "omniglot",
    title: "32,460 drawings of 1,623 characters from 50 alphabets, 105 × 105",
    licence: "MIT",
    files: filesAt("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/", [
      ["images_background.zip", "68d2efa1b9178cc56df9314c21c6e718", 9_464_212],
      ["images_evaluation.zip", "6b91aef0f799c5bb55b94e3f2daec811", 6_462_886],
    ]),
  },
  {
    name: "places365",
    title: "36,500 validation photographs of 365 scenes (small), with the lists of all",
    licence: "for research and teaching; see places2.csail.mit.edu",
    files: filesAt("http://data.csail.mit.edu/places/places365/", [
      ["filelist_places365-standard.tar", "35a0585fee1fa656440f3ab298f8479c", 67_498_496],
      ["val_256.tar", "e27b17d8d44f4af9a78502beb927f808", 525_158_400],
    ]),
    unpack: ["filelist_places365-standard.tar", "val_256.tar"],
  },
  {
    name: "imagenet",
    title: "1.28 million photographs of 1,000 classes (ILSVRC2012)",
    licence: "for research; ask at image-net.org",
    byHand:
      "needs an account: fetch the archives at https://image-net.org/download and unpack them",
    files: filesAt("https://image-net.org/", [
      ["ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e", 147_897_477_120],
      ["ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622", 6_744_924_160],
    ]),
  },
];

/** The data set of a name, or nothing. */
export const findRemote = (name: string): RemoteDataset | undefined =>
  remoteDatasets.find((dataset) => dataset.name === name);

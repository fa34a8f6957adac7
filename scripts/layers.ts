/** The order of the rooms in src and what each may use; checkLayers.ts enforces it. */

export interface Room {
  /** Folders under src with a `/`, or files that lie in src itself. */
  readonly folders: readonly string[];
  /** A room may import rooms of a lower rank. */
  readonly rank: number;
  /** The folders of this row do not import one another. */
  readonly apart?: boolean;
  /** Folders of a lower rank that stay closed nevertheless. */
  readonly except?: readonly string[];
  /** Packages from outside that the room may import. */
  readonly packages?: readonly string[];
}

export const layering = {
  /** Folders whose files are checked for length and an opening comment; imports are checked in src. */
  folders: ["src", "native", "scripts", "test", "bench", "web", "labs"],
  lines: { wanted: 400, allowed: 450 },
  rooms: [
    { folders: ["core/"], rank: 0 },
    { folders: ["ir/"], rank: 1 },
    { folders: ["backend/", "platform/"], rank: 2 },
    { folders: ["tensor/"], rank: 3 },
    { folders: ["ops/"], rank: 4 },
    { folders: ["nn/", "optim/"], rank: 5 },
    {
      folders: ["data/", "io/"],
      rank: 6,
      except: ["nn/", "optim/"],
      packages: ["csv-parse/sync", "hyparquet", "hyparquet-compressors", "modern-tar", "sharp"],
    },
    {
      folders: [
        ...["vision/", "text/", "ssl/", "explain/", "neighbors/"],
        ...["features/", "linear/"],
      ],
      rank: 7,
      apart: true,
    },
    { folders: ["index.ts"], rank: 8 },
    { folders: ["train/"], rank: 9, packages: ["jiti", "yaml", "zod"] },
    { folders: ["tune/"], rank: 10, packages: ["zod"] },
    { folders: ["studio/", "cli/"], rank: 11, packages: ["commander"] },
  ] satisfies Room[] as readonly Room[],
  /** Entries that must run in a browser. */
  browserEntries: [
    "src/index.ts",
    "src/nn/index.ts",
    "src/optim/index.ts",
    "src/vision/index.ts",
    "src/data/index.ts",
    "src/features/index.ts",
    "src/linear/index.ts",
    "src/neighbors/index.ts",
    "src/train/index.ts",
    "src/tune/index.ts",
  ],
  /** Files and folders that may use Node's own modules. */
  nodeOnly: [
    "src/platform/node.ts",
    "src/backend/cpu/native.ts",
    "src/data/node.ts",
    "src/data/node/",
    "src/io/decodeImage.ts",
    "src/io/files.ts",
    "src/io/tarFile.ts",
    "src/io/fileSystem.ts",
    "src/io/images.ts",
    "src/io/index.ts",
    "src/io/jsonLines.ts",
    "src/io/lines.ts",
    "src/io/npyFile.ts",
    "src/io/safetensorsFile.ts",
    "src/io/zipFile.ts",
    "src/train/node/",
    "src/tune/node/",
    "src/cli/",
    "src/studio/",
  ] as readonly string[],
};

/**
 * The io room for Node: formats, files, logs and pictures. What also works in a browser is in
 * browser.ts.
 */
export * from "./browser.js";
export { type DecodeImageOptions, decodeImage, readImage } from "./decodeImage.js";
export { FileError, type FileSystem, nodeFileSystem } from "./fileSystem.js";
export {
  type ReadOptions,
  readFileGunzip,
  readFileLimited,
  type WriteOptions,
  writeFileAtomic,
} from "./files.js";
export {
  type GreyscaleImage,
  type ReadGreyscaleOptions,
  readGreyscale,
  writePng,
} from "./images.js";
export { type JsonLinesOptions, JsonLinesWriter, readJsonLines } from "./jsonLines.js";
export { type ReadLinesOptions, readLines } from "./lines.js";
export { loadNpy, loadNpz, saveNpy, saveNpz } from "./npyFile.js";
export {
  loadSafetensors,
  type SaveSafetensorsOptions,
  saveSafetensors,
} from "./safetensorsFile.js";
export { type ReadTarOptions, readTar, type TarFile } from "./tarFile.js";
export { type FileSource, fileSource, openZip, type ZipFile } from "./zipFile.js";

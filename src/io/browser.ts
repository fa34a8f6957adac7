/**
 * The part of the io room that works everywhere: formats from bytes to values and back.
 */
export { type ArrayData, bytesOf, checkArrayData } from "./arrayData.js";
export { type DecodeBitmapOptions, decodeBitmap } from "./decodeBitmap.js";
export { type GunzipOptions, gunzip, gzip, isGzip } from "./gzip.js";
export { decodeNpy, encodeNpy } from "./npy.js";
export { decodeNpz, encodeNpz } from "./npz.js";
export { encodePng, type PixelImage } from "./png.js";
export {
  decodeSafetensors,
  type EncodeOptions,
  encodeSafetensors,
  type SafetensorsContent,
} from "./safetensors.js";
export {
  type ByteSource,
  memorySource,
  ZipArchive,
  type ZipEntry,
  type ZipOptions,
} from "./zip.js";
export { type EncodeZipOptions, encodeZip } from "./zipWriter.js";

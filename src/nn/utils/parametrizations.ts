/** Contents of `nn.utils.parametrizations`. */
export { spectralNormParametrization as spectralNorm } from "./spectralNorm.js";
export { weightNormParametrization as weightNorm } from "./weightNorm.js";

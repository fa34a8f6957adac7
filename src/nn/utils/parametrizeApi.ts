/** Contents of `nn.utils.parametrize`. */
export {
  Parametrization,
  ParametrizationList,
  type Parametrized,
  registerParametrization,
  removeParametrizations,
} from "./parametrize.js";

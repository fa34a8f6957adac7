/** Products, decompositions and solvers of matrices. */
export {
  cholesky,
  det,
  eigh,
  inverse,
  matrixPower,
  qr,
  type Svd,
  slogdet,
  solve,
  svd,
  trace,
} from "../decomposition.js";
export { einsum, type TensordotDims, tensordot } from "../einsum.js";
export { linear, matmul } from "../linalg.js";
export {
  type AddmmOptions,
  addmm,
  baddbmm,
  bilinear,
  bmm,
  dot,
  inner,
  kron,
  mm,
  mv,
  outer,
} from "../products.js";
export { lstsq, matrixRank, pinverse } from "../pseudoinverse.js";

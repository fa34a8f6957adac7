/** The worker of the page beside this. */
import { data } from "../../../src/index.js";
import { makePictures } from "./pictures.js";

data.serveDataset(makePictures);

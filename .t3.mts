import sharp from "sharp";
import { mkdirSync } from "node:fs";
import { loadDigits } from "/work/main/src/data/node.ts";
import { loadClassifier, readPicture } from "/work/main/src/train/node/index.ts";
const c = loadClassifier("/tmp/runs/a"); console.log(c.card.background, c.card.extent, c.card.mean, c.card.std);
const d = await loadDigits(); mkdirSync("/tmp/pics",{recursive:true});
const score: Record<string,[number,number]> = {};
for (let i=0;i<2000;i+=10) {
  const px = Buffer.from(d.test.images.data.slice(i*784,(i+1)*784) as Uint8Array);
  const label = d.test.labels.data[i]!;
  const raw = sharp(px,{raw:{width:28,height:28,channels:1}});
  const kinds: Record<string,()=>any> = {
    same: ()=>raw.clone().png(),
    inverted: ()=>raw.clone().negate().png(),
    canvas: ()=>raw.clone().trim({background:"black",threshold:30}).resize(150,150,{fit:"inside"}).negate().extend({top:40,left:60,bottom:300,right:290,background:"white"}).png(),
    wide: ()=>raw.clone().trim({background:"black",threshold:30}).resize(100,100,{fit:"inside"}).negate().extend({top:40,left:500,bottom:60,right:50,background:"white"}).png(),
    grey: ()=>raw.clone().trim({background:"black",threshold:30}).resize(150,150,{fit:"inside"}).linear(-0.55,190).extend({top:40,left:60,bottom:100,right:290,background:{r:190,g:190,b:190}}).jpeg(),
    greysmall: ()=>raw.clone().resize(280,280).linear(-0.55,190).jpeg(),
    big: ()=>raw.clone().resize(500,500,{kernel:"cubic"}).png(),
    thin: ()=>raw.clone().trim({background:"black",threshold:30}).resize(300,300,{fit:"inside"}).threshold(245).negate().extend({top:40,left:60,bottom:30,right:29,background:"white"}).png(),
    transparent: async ()=>{ const a=await raw.clone().resize(200,200).raw().toBuffer(); return sharp({create:{width:200,height:200,channels:3,background:"black"}}).joinChannel(a,{raw:{width:200,height:200,channels:1}}).png(); },
    transparentWhite: async ()=>{ const a=await raw.clone().resize(200,200).raw().toBuffer(); return sharp({create:{width:200,height:200,channels:3,background:"white"}}).joinChannel(a,{raw:{width:200,height:200,channels:1}}).png(); },
  };
  for (const [k,make] of Object.entries(kinds)) {
    const f=`/tmp/pics/${k}.png`; await (await make()).toFile(f);
    const p = await readPicture(f,c.card); const pr = await c.probabilities(p.image);
    const best = pr.indexOf(Math.max(...pr));
    const s = score[k] ??= [0,0]; s[1]++; if (best===label) s[0]++;
    if (i===0) { console.log(k, p.changes.join()); await sharp(Buffer.from(Array.from(p.image.data, v=>Math.max(0,Math.min(255,Math.round(v*255))))),{raw:{width:28,height:28,channels:1}}).resize(112,112,{kernel:"nearest"}).png().toFile(`/tmp/pics/z_${k}.png`); }
  }
}
console.log(score);

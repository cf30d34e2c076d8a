// What twitter-text, X's own library, counts: reads texts as JSON strings, one a line, and prints
// the weighted length of each. The library's folder is the only argument.
"use strict";

const { createInterface } = require("node:readline");
const { parseTweet } = require(process.argv[2]);

createInterface({ input: process.stdin, crlfDelay: Infinity }).on("line", (line) => {
  console.log(parseTweet(JSON.parse(line)).weightedLength);
});

// Every Alpine component by the name that x-data uses. Expressions in pages may only name them and their
// members: the Content-Security-Policy allows no evaluation of text.
import appearance from "./appearance.js";
import boxes from "./boxes.js";
import columns from "./columns.js";
import disclosure from "./disclosure.js";
import filecheck from "./filecheck.js";
import selection from "./selection.js";

export default { appearance, boxes, columns, disclosure, filecheck, selection };

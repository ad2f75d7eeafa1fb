"use strict";
// Stands in one blob behind Pyodide's own code and LOCK, which says for which Pyodide that is. It is told {files} once, then {name, copy, language} for each
// check, and answers {} when it is ready, {percent} on the way, {verdict, points, page} or {error} in the end.
const FOLDER = "/capture";
let python;
let grader;
let told = 0; // percent

async function start(files) {
  // Pyodide asks for its files by name: they come from the page, and there are no others.
  self.fetch = async (address) => new Response(files[String(address).split("/").pop()]);
  const here = "page:/";
  python = await loadPyodide({ indexURL: here, packageBaseUrl: here, lockFileContents: LOCK });
  python.FS.mkdir(FOLDER);
  tellProgress(python.FS.filesystems.WORKERFS.stream_ops);
  grader = python.pyimport("in_browser");
  return {};
}

// Tells how far a file was read; whoever reads it once more from its start tells nothing new.
function tellProgress(operations) {
  const read = operations.read;
  operations.read = (stream, buffer, offset, length, position) => {
    const percent = Math.floor((100 * position) / stream.node.size);
    if (percent > told) postMessage({ percent: (told = percent) });
    return read(stream, buffer, offset, length, position);
  };
}

function check({ name, copy, language }) {
  told = 0;
  const { FS } = python;
  FS.mount(FS.filesystems.WORKERFS, { blobs: [{ name, data: copy }] }, FOLDER);
  try {
    const [verdict, points, page] = grader.check(`${FOLDER}/${name}`, language);
    return { verdict, points, page };
  } finally {
    FS.unmount(FOLDER);
  }
}

onmessage = async ({ data }) => {
  try {
    postMessage(data.files ? await start(data.files) : check(data));
  } catch (error) {
    postMessage({ error: String(error) });
  }
};

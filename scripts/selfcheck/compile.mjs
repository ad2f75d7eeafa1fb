// node compile.mjs PYODIDE COMPILE.PY SOURCES.ZIP LIBRARY.ZIP: checks a file in Pyodide, so that all is imported that a
// check needs, and then calls compile_used there.
import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [folder, script, sources, library] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const python = await loadPyodide();
python.FS.writeFile("/sources.zip", await readFile(sources));
python.pyimport("sys").path.insert(0, "/sources.zip");
// The zip is no capture; what makes its page, makes any.
python.pyimport("in_browser").check("/sources.zip", "en");
python.runPython(await readFile(script, "utf8"));
python.globals.get("compile_used")("/sources.zip", "/library.zip");
await writeFile(library, python.FS.readFile("/library.zip"));

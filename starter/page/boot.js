import { hooks } from "./pyscript/core.js";

hooks.worker.onBeforeRunAsync.clear(); // it needs eval; PyScript workers only lose pyscript.fs

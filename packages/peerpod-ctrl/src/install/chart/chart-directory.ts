/** Where the chart stands. Written by hand: `values.yaml` and `templates/_helpers.tpl`; all else by `pnpm generate`. */
export const chartDirectory = new URL("../../../deploy/charts/peerpods/", import.meta.url);

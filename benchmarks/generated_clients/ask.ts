// Ask a service for a forecast by the types that are made of its description, and print it.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

type ErrorCode = components["schemas"]["ErrorCode"];
const [, , baseUrl, asset] = process.argv;
const client = createClient<paths>({ baseUrl });

const unknown = await client.GET("/forecast/{asset}", { params: { path: { asset: "NOBODY" } } });
const code: ErrorCode | undefined = unknown.error?.code;
if (code !== "unknown_asset") throw new Error(`expected unknown_asset, found ${code}`);

const held = await client.GET("/forecast/{asset}", {
  params: { path: { asset }, query: { model: "har", levels: "0.8" } },
});
if (typeof held.data !== "object" || !("rv" in held.data)) throw new Error("no single forecast");
const rv: number = held.data.rv;

const posted = await client.POST("/forecast", { body: { asset, model: "har", levels: [0.8] } });
if (posted.data === undefined || !("rv" in posted.data)) throw new Error("no single forecast");
if (posted.data.rv !== rv) throw new Error("GET and POST differ");

console.log(JSON.stringify(held.data));

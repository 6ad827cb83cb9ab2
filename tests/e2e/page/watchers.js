// What watches a page's fetch, as its users start it; each adds a header field of its own to the page's requests.

import { datadogRum } from "@datadog/browser-rum";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { SimpleSpanProcessor, WebTracerProvider } from "@opentelemetry/sdk-trace-web";
import * as Sentry from "@sentry/browser";

const statuses = new Set(); // of the requests that were told of
const seen = new EventTarget();
const note = (status) => {
  statuses.add(status);
  seen.dispatchEvent(new Event(status));
};

const starts = {
  datadog: () =>
    new Promise((started) =>
      datadogRum.init({
        applicationId: "page",
        clientToken: "token",
        service: "page",
        proxy: "/static/icon.svg", // nobody is there to be told
        sessionSampleRate: 100,
        trackResources: true,
        allowedTracingUrls: [location.origin],
        beforeSend({ type, resource }) {
          started();
          if (type === "resource") note(resource.status_code);
          return true;
        },
      }),
    ),
  opentelemetry: () => {
    const exporter = {
      export: (spans, done) => {
        for (const { attributes } of spans) note(attributes["http.response.status_code"] ?? attributes["http.status_code"]);
        done({ code: 0 });
      },
      shutdown: async () => {},
    };
    new WebTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
    new FetchInstrumentation().enable();
  },
  sentry: () => {
    Sentry.init({
      dsn: `${location.protocol}//key@${location.host}/1`,
      integrations: [Sentry.browserTracingIntegration()],
      tracesSampleRate: 1,
      transport: () => ({ send: async () => ({}), flush: async () => true }),
      beforeBreadcrumb: ({ category, data }) => (category === "fetch" && note(data.status_code), null),
    });
  },
};

/** Starts one of them; resolves when it watches. */
export const start = async (name) => starts[name]();

/** Resolves when a request was told of that was answered with this status. */
export const saw = (status) =>
  new Promise((resolve) => {
    if (statuses.has(status)) resolve();
    seen.addEventListener(status, resolve);
  });

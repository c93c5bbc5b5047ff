// Sign-in pages that work without scripts: fills in and submits each form until a redirect leads to the client.

import { Browser } from "../../support/sign-in.mjs";

const MAX_PAGES = 10;

/**
 * Returns a function that signs in at a provider.
 * @param {(fields: Map<string, string>, page: import("../../support/sign-in.mjs").Page) => Record<string, string>} answer
 *   what is entered in a form with these fields; hidden fields keep their values
 * @returns {(authorizationUrl: URL) => Promise<URL>} to the redirect URI
 */
export function submitForms(answer) {
  return async (authorizationUrl) => {
    const browser = new Browser();
    let page = await browser.open(authorizationUrl);
    for (let step = 0; step < MAX_PAGES; step += 1) {
      if (page.leftTo) return page.leftTo;
      if (!page.form) throw new Error(`no form at ${page.url} (${page.status}): ${page.text}`);
      page = await browser.submit(page, answer(page.form.fields, page));
    }
    throw new Error(`the provider keeps asking, last at ${page.url}: ${page.text}`);
  };
}
